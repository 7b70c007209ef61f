"""How far rooms were under their band in a story, next to the same story without its fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from pems_actors.control.comfort import band_c
from pems_actors.simulate import Simulation, Story
from tests.scenarios.stories import replace


@dataclass
class Shortfall:
    """The most that each room was under its band at any tick, by the true house [K]."""

    worst_k: dict[str, float] = field(default_factory=dict)
    coldest_c: float = 99.0

    def __call__(self, simulation: Simulation) -> None:
        twin, house = simulation.twin, simulation.story.house
        true = twin.true_state()
        for room in house.rooms:
            low_c, _ = band_c(room.comfort, twin.at_s, house.site.timezone)
            air_c = true[room.name].air_c
            self.coldest_c = min(self.coldest_c, air_c)
            self.worst_k[room.name] = max(self.worst_k.get(room.name, 0.0), low_c - air_c)

    @property
    def worst(self) -> tuple[float, str]:
        """The most of all rooms, and which."""
        return max((k, room) for room, k in self.worst_k.items())


def lived(tale: Story) -> tuple[Simulation, Shortfall]:
    """Tell a story to its end under the eyes of a thermometer in each room."""
    simulation, shortfall = Simulation(tale, keep_log=True), Shortfall()
    simulation.run(shortfall)
    return simulation, shortfall


@cache
def sound_k(tale: Story) -> dict[str, float]:
    """The most that each room was under its band in a story, which many compare with, once [K]."""
    return lived(tale)[1].worst_k


def extra_k(tale: Story) -> float:
    """How much further under its band any room came by the faults of a story [K]."""
    sound, (_, hurt) = sound_k(replace(tale, faults="none")), lived(tale)
    return max(hurt.worst_k[room] - sound[room] for room in hurt.worst_k)
