"""Incidents of a story by the place they are told at, in true time; and what rooms believe."""

from __future__ import annotations

from dataclasses import dataclass, field

from pems_actors.domain.events import Request
from pems_actors.domain.house import BatteryMode
from pems_actors.simulate import Simulation
from pems_actors.simulation.device_faults import DeviceFault, FaultKind
from supervision import Event
from supervision.events import IncidentClosed, IncidentOpened
from tests.scenarios.stories import NOON, rules_only, story

MINUTE, HOUR = 60.0, 3600.0


@dataclass
class Outages:
    """When each incident was opened and closed, in minutes since the story's start."""

    simulation: Simulation
    opened: dict[str, float] = field(default_factory=dict)
    closed: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)  # path and id of each

    def __post_init__(self) -> None:
        self.simulation.listen = self.hear

    @property
    def minute(self) -> float:
        simulation = self.simulation
        return (simulation.runtime.process_s() - simulation.story.start_s) / MINUTE

    def hear(self, event: Event) -> None:
        if isinstance(event, IncidentOpened):
            self.opened.setdefault(event.path, self.minute)
            self.reasons[event.path] = event.cause
            self.told.add((event.path, event.id))
        elif isinstance(event, IncidentClosed):
            self.closed[event.path] = self.minute

    def ids(self, path: str) -> set[str]:
        """The incidents that were opened at a path."""
        return {name for where, name in self.told if where == path}

    def within(self, path: str, since_min: float) -> float:
        """Minutes from an instant until the incident was opened."""
        assert path in self.opened, sorted(self.opened)
        return self.opened[path] - since_min


def flat(days: float = 1.0, *, plan: bool = False, **more) -> tuple[Simulation, Outages]:
    """A flat of three rooms, started: two with panels, one with a heated floor, no battery."""
    more = {"preset": "flat3", **more}
    tale = story(days, **more) if plan else rules_only(days, **more)
    simulation = Simulation(tale, keep_log=True)
    outages = Outages(simulation)
    simulation.start()
    return simulation, outages


def until(simulation: Simulation, minutes: float, observe=None) -> None:
    """Go on until so many minutes after the story's start."""
    simulation.run_until(simulation.story.start_s + minutes * MINUTE, observe)


def break_(simulation: Simulation, device: str, kind: FaultKind, amount: float = 0.0) -> None:
    simulation.twin.fault(device, DeviceFault(kind, amount))


def order_battery(simulation, mode: BatteryMode, hours: float = 12.0) -> None:
    args = {"mode": mode.value, "for_s": hours * 3600.0}
    simulation.appliance.system.tell(
        "devices/battery", Request("b", "devices/battery", "mode", args, "", NOON)
    )


def believed(simulation: Simulation, room: str):
    """A room's temperature as it publishes it."""
    system = simulation.appliance.system
    board = system.ask("infrastructure/metrics", _status()).result
    return board["devices"][f"rooms/{room}"]["values"]["temp_c"]


def _status():
    return Request("s", "infrastructure/metrics", "status", {}, "", NOON)


def need(simulation: Simulation, room: str):
    return simulation.appliance.system.state_of(f"rooms/{room}")
