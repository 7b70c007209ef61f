"""What to tell: a house, a time, a seed, the words for what breaks, and how fast things happen."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from pems_actors.domain.house import House
from pems_actors.domain.units import DAY_S
from pems_actors.economics.tariff import Tariff
from pems_actors.fault_table import Places, Strike, draw_strikes, read_strikes
from pems_actors.house import actor_paths
from pems_actors.surroundings import Pace

VIRTUAL_HEARTBEAT_S = 3600.0
VIRTUAL_PUBLISH_S = 900.0
FAULTS_PER_DAY = {"none": 0.0, "light": 4.0, "heavy": 48.0}


@dataclass(frozen=True)
class Story:
    """What to simulate. `faults`: none, light, heavy, or names as `fault_table` reads them."""

    house: House
    tariff: Tariff
    start_s: float
    days: float
    seed: int = 0
    weather_shift_k: float = 0.0
    faults: str = "none"
    pace: Pace = field(
        default_factory=lambda: Pace(
            heartbeat_s=VIRTUAL_HEARTBEAT_S, publish_s=VIRTUAL_PUBLISH_S, demo=True
        )
    )
    armed: frozenset[str] | None = None


def places_of(story: Story) -> Places:
    """List what can be struck in a story."""
    planning = story.pace.planning
    return Places.of(story.house, actor_paths(story.house, planning=planning), planning=planning)


def strikes_of(story: Story) -> tuple[Strike, ...]:
    """Draw the seeded faults of a story, or read those that it names.

    Raises: ValueError for a fault or a target that there is not.
    """
    places = places_of(story)
    if story.faults not in FAULTS_PER_DAY:
        read = read_strikes(story.faults, places)
        return tuple(sorted(read, key=lambda strike: strike.after_s))
    rng = random.Random(f"faults {story.seed}")
    count = round(FAULTS_PER_DAY[story.faults] * story.days)
    return draw_strikes(rng, count, story.days * DAY_S, places)


def without_planner(story: Story) -> Story:
    """The same story with rules only."""
    return replace(story, pace=replace(story.pace, planning=False))
