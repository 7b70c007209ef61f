"""When somebody should be called: something has been wrong for half an hour. Pure.

What counts is an outage of a part of the appliance, or a room that decides by its rules alone.
A house that has just started is given ten minutes to find its plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState

ALARM_AFTER_S = 1800.0
START_S = 600.0
LOOK_S = 900.0  # the clock may have been set meanwhile
ROOMS, ENERGY = "rooms/", frozenset({"devices/battery", "devices/inverter"})


class Trouble(NamedTuple):
    """One thing that is wrong: since when, where, why, and the level that the house fell to."""

    since_s: float
    where: str
    why: str
    level: Level | None

    @property
    def reason(self) -> str:
        """Say it in one sentence."""
        return f"{self.where}: {self.why}"


def rooms_on_rules(states: Iterable[DeviceState], started_s: float) -> Iterable[Trouble]:
    """Find the rooms that nothing better than their rules decides for."""
    given_s, rules = started_s + START_S, Level.RULES
    for state in states:
        if state.level >= rules and state.path.startswith(ROOMS):
            since_s = max(given_s, state.since_s)
            yield Trouble(since_s, state.path, state.reason, state.level)


def standing(troubles: Iterable[Trouble], now_s: float) -> Trouble | None:
    """Name what has been wrong for half an hour: the oldest, with the worst level of all."""
    old = [each for each in troubles if now_s - each.since_s >= ALARM_AFTER_S]
    if not old:
        return None
    oldest = min(old, key=itemgetter(0, 1, 2))
    worst = max([each.level for each in old if each.level is not None], default=None)
    more = f"; and {len(old) - 1} more" if len(old) > 1 else ""
    return Trouble(oldest.since_s, oldest.where, oldest.why + more, worst)


def next_s(troubles: Iterable[Trouble], now_s: float) -> float:
    """Tell when to look again if nothing happens: when the next of them is half an hour old."""
    due_s = [each.since_s + ALARM_AFTER_S for each in troubles]
    return min([now_s + LOOK_S, *(at_s for at_s in due_s if at_s > now_s)])


class Outages(NamedTuple):
    """The open outages, each with the worst level of rooms, battery or inverter meanwhile."""

    levels: Mapping[str, Level] = MappingProxyType({})
    reached: Mapping[str, int | None] = MappingProxyType({})

    def heard(self, state: DeviceState) -> Outages:
        """Take a device's level."""
        acting = state.path.startswith(ROOMS) or state.path in ENERGY
        if not acting or self.levels.get(state.path) is state.level:
            return self
        reached = {outage: _worse(level, state.level) for outage, level in self.reached.items()}
        return Outages({**self.levels, state.path: state.level}, reached)

    def opened(self, outage: str, level: int | None) -> Outages:
        """Begin an outage of a part that stood at `level` itself, if it has one."""
        worst = max(self.levels.values(), default=None)
        return Outages(self.levels, {**self.reached, outage: _worse(level, worst)})

    def closed(self, outage: str, level: int | None) -> tuple[Outages, int | None]:
        """End an outage; gives the level that was reached."""
        left = dict(self.reached)
        reached = _worse(left.pop(outage, None), level)
        return Outages(self.levels, left), reached


def _worse(one: int | None, other: int | None) -> int | None:
    known = [int(level) for level in (one, other) if level is not None]
    return max(known, default=None)
