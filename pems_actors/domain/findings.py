"""What is found to be wrong with a sensor, an actuator, a window or the clock, and who is told.

A finding says what does not fit and since when; it repairs nothing. It is published as an incident
with a start and an end. Messages here tell the others what they can no longer count on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.domain.readings import HouseReading


class FindingKind(StrEnum):
    """What does not fit; also the last part of an incident's path."""

    SENSOR_MISSING = "sensor-missing"  # never heard since boot
    SENSOR_SILENT = "sensor-silent"
    SENSOR_STUCK = "sensor-stuck"
    SENSOR_JUMP = "sensor-jump"
    SENSOR_RANGE = "sensor-range"
    SENSOR_UNIT = "sensor-unit"
    WINDOW_OPEN = "window-open"
    CONTACT_LIES = "contact-lies"  # a window said to be open for hours
    STUCK_ON = "stuck-on"
    STUCK_OFF = "stuck-off"
    IGNORES = "ignores"
    DRAWS_ON = "draws-on"  # a flexible load that is held back
    SILENT = "silent"
    CLOCK_JUMP = "jump"
    CLOCK_UNTRUSTED = "untrusted"


OF_THE_CLOCK = frozenset({FindingKind.CLOCK_JUMP, FindingKind.CLOCK_UNTRUSTED})


class Finding(NamedTuple):
    """One thing that does not fit. `device` is `rooms/<room>`, `relay/<name>`, `battery`, ...

    held_c: as it is kept, what was last believed in the place of a room's refused sensor.
    """

    device: str
    what: FindingKind
    reason: str
    since_s: float
    held_c: float | None = None

    @property
    def path(self) -> str:
        """Where the incident is told; no actor lives there."""
        return f"{self.device}/{self.what}"


class ToInspect(NamedTuple):
    """A picture to be inspected, as read; `blocked`: the tariff blocks heating."""

    reading: HouseReading
    blocked: bool


_NOTHING: Mapping[str, str] = MappingProxyType({})


class Inspected(NamedTuple):
    """What the gateway must know of the rooms: whom not to believe, and what to believe instead.

    `refused` tells why a room's sensor is not believed; `estimates_c` gives the model's air
    temperature of rooms whose sensor is refused or silent [°C]; `windows` overrules the contacts.
    """

    at_s: float
    refused: Mapping[str, str] = _NOTHING
    estimates_c: Mapping[str, float] = MappingProxyType({})
    windows: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OutOfService:
    """Relays that do not obey: `dead` ones heat nothing, `welded` ones heat whatever we order."""

    at_s: float
    dead: frozenset[str] = field(default_factory=frozenset)
    welded: frozenset[str] = field(default_factory=frozenset)

    @property
    def relays(self) -> frozenset[str]:
        """All of them."""
        return self.dead | self.welded


@dataclass(frozen=True, slots=True)
class BatteryObeys:
    """Whether the inverter does what it is told; if not, only self-use can be planned."""

    at_s: float
    obeys: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ClockJumped:
    """The house clock was set by `by_s` at a stroke: remembered instants are to be moved along."""

    at_s: float
    by_s: float
