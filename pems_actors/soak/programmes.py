"""Programmes of stories: each fault that can be virtual by itself, and all pairs of them.

A story of a programme is taken from the first seeds that suit it: a house that has what breaks,
that plans where it is the solver, and that is armed. It is told until an hour after its last fault.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations, count

from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.fault_table import FaultRow, Places, Target, possible_rows, strike_of
from pems_actors.simulate import places_of
from pems_actors.soak.stories import Tale, plot_of

PAIR_FIRST_S, PAIR_SECOND_S = 1200.0, 1800.0
EACH_FROM_S, EACH_TO_S = 900.0, 5400.0
AFTERWARDS_S = HOUR_S
PLANNING_FROM = 1_000_000  # seeds of stories that plan are looked for from here on


def each(seed: int, repeats: int, house: str = "") -> Iterator[Tale]:
    """Make stories of every virtual fault by itself, each over `repeats` seeds."""
    seeds = Seeds(seed, house)
    for row in _rows(house):
        for _ in range(repeats):
            own = seeds.take((row,))
            after_s = round(random.Random(f"each {own}").uniform(EACH_FROM_S, EACH_TO_S), 1)
            yield struck_tale(own, [(row, after_s)], house)


def pairs(seed: int, repeats: int = 2, house: str = "") -> Iterator[Tale]:
    """Make stories of all pairs of virtual faults that overlap, each over several seeds."""
    seeds = Seeds(seed, house)
    for one, other in combinations(_rows(house), 2):
        for _ in range(repeats):
            own = seeds.take((one, other))
            yield struck_tale(own, [(one, PAIR_FIRST_S), (other, PAIR_SECOND_S)], house)


def struck_tale(seed: int, faults: Sequence[tuple[FaultRow, float]], house: str = "") -> Tale:
    """Let faults strike the story of a seed at given times, and tell it until they are over."""
    rng, places = random.Random(f"programme {seed}"), _places(seed, house)[0]
    strikes = [strike_of(rng, row, after_s, places) for row, after_s in faults]
    over_s = max(strike.after_s + strike.lasts_s for strike in strikes)
    return Tale(seed, ",".join(map(str, strikes)), _days(over_s + AFTERWARDS_S), house)


class Seeds:
    """Gives seeds whose stories suit, each one once."""

    def __init__(self, seed: int, house: str = "") -> None:
        self._any, self._planning = count(seed), count(seed + PLANNING_FROM)
        self._house = house

    def take(self, rows: Sequence[FaultRow]) -> int:
        """Find the next seed whose story can suffer these faults."""
        planning = any(row.target is Target.SOLVER for row in rows)
        seeds = self._planning if planning else self._any
        return next(seed for seed in seeds if _suits(seed, self._house, planning=planning))


def _suits(seed: int, house: str, *, planning: bool) -> bool:
    places, armed = _places(seed, house)
    return armed and (places.planning or not planning)


@lru_cache(maxsize=4096)
def _places(seed: int, house: str) -> tuple[Places, bool]:
    """Tell what can be struck in the story of a seed, and if all of the house is armed."""
    story = plot_of(Tale(seed, "none", house=house)).story
    return places_of(story), story.armed is None


def _rows(house: str) -> tuple[FaultRow, ...]:
    """List the virtual faults of a house that plans."""
    return possible_rows(replace(_places(0, house)[0], planning=True))


def _days(span_s: float) -> float:
    """Round up to tenths of an hour, so that it is short to write."""
    return -(-span_s // (HOUR_S / 10.0)) * (HOUR_S / 10.0) / DAY_S
