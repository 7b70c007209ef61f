"""The twin behind the door of a real house: it can be subscribed to and commanded, nothing else.

Time comes from outside: whoever owns the clock (a timer, virtual time, a co-simulation) calls
`advance_to`, and the subscriber hears one reading.
"""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from pems_actors.domain.commands import DeviceCommand
from pems_actors.domain.ports import OnReading
from pems_actors.domain.readings import HouseReading
from pems_actors.simulation.device_faults import DeviceFault


class Plant(Protocol):
    """A house that is stepped from outside: the twin, or one rebuilt from records."""

    at_s: float

    def step_to(self, at_s: float) -> None:
        """Let time pass."""

    def reading(self) -> HouseReading:
        """Read all devices as they are now."""

    def apply(self, command: DeviceCommand) -> None:
        """Hand a command to its device."""

    def fault(self, device: str, fault: DeviceFault | None) -> None:
        """Break a device, or (None) repair it. Raises: ValueError where it cannot have this."""


class TwinHouse:
    """A `House` made of a plant; safe for a timer's thread and a writer's thread."""

    def __init__(self, twin: Plant) -> None:
        self.twin = twin
        self._lock = Lock()
        self._on_reading: OnReading | None = None

    def subscribe(self, on_reading: OnReading) -> None:
        """Deliver every new reading to one listener; a second one replaces the first."""
        self._on_reading = on_reading

    def apply(self, command: DeviceCommand) -> None:
        """Hand a command to the twin's device at its present time."""
        with self._lock:
            self.twin.apply(command)

    def advance_to(self, at_s: float) -> None:
        """Let the house live until `at_s`, then deliver one reading of it."""
        with self._lock:
            self.twin.step_to(at_s)
            reading = self.twin.reading()
        if self._on_reading is not None:
            self._on_reading(reading)

    def close(self) -> None:
        """Let go of the listener; the house itself stays as it is."""
        self._on_reading = None
