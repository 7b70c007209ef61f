"""One strike at a living house: what was heard of it and when, in true seconds since the strike."""

from __future__ import annotations

from dataclasses import dataclass, field

from pems_actors.simulate import Simulation
from supervision import Event, Fault
from supervision.events import ChildFailed, ChildHung, ChildRestarted


@dataclass
class Strikes:
    """Strikes one path after the other, and keeps the events of the last strike with their time."""

    simulation: Simulation
    heard: list[tuple[float, Event]] = field(default_factory=list)
    struck_s: float = 0.0
    before: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.simulation.listen = self._hear

    def _hear(self, event: Event) -> None:
        self.heard.append((self.simulation.runtime.process_s() - self.struck_s, event))

    @property
    def epochs(self) -> dict[str, int]:
        return {status.path: status.epoch for status in self.simulation.appliance.system.tree()}

    @property
    def states(self) -> dict[str, str]:
        return {status.path: status.state for status in self.simulation.appliance.system.tree()}

    def at(self, path: str, fault: Fault, then_s: float = 60.0) -> None:
        """Strike, and let the house live on for a while."""
        self.struck_s, self.before = self.simulation.runtime.process_s(), self.epochs
        self.heard.clear()
        self.simulation.appliance.system.inject(path, fault)
        self.simulation.run_until(self.struck_s + then_s)

    def first(self, kind: type[Event] | tuple[type[Event], ...], path: str) -> float:
        """When such an event was first heard of a path [s]."""
        return next(at_s for at_s, e in self.heard if isinstance(e, kind) and e.path == path)

    def count(self, kind: type[Event], path: str) -> int:
        return sum(isinstance(event, kind) and event.path == path for _, event in self.heard)

    def detected_s(self, path: str) -> float:
        return self.first((ChildFailed, ChildHung), path)

    def recovered_s(self, path: str) -> float:
        """From the failure until the successor was ready [s]."""
        return self.first(ChildRestarted, path) - self.detected_s(path)

    def replaced(self) -> set[str]:
        """Who has another epoch than before the strike."""
        return {path for path, epoch in self.epochs.items() if epoch != self.before.get(path)}
