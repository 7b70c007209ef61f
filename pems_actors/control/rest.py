"""How long a room's decision stands: until something that it rests on has really changed.

A thermometer that flickers by one step is no news, and neither is a minute more of the same, or a
member of the relay that says again what it said. So a room decides anew when something moved, when
its relay's account is due to turn or a wish ends, and once a quarter hour. Meanwhile each tick
shows that the decision is still fresh. Nothing that may break a dwell is left to rest.
"""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from typing import NamedTuple

from pems_actors.control.battery import modes_until_s
from pems_actors.control.duty import Modulator
from pems_actors.control.order import CONTINUOUS_ON_S, Decision, RelayMemory
from pems_actors.control.wishes import Override
from pems_actors.domain.events import EnergyPlan, Need, RoomPlan, RoomTick
from pems_actors.domain.house import Limits
from pems_actors.domain.units import QUARTER_S

FLICKER_K = 0.15  # one step of a usual thermometer
OUTDOOR_K = 0.5
FRESH_S = 90.0  # an older reading is no sign that all is as it was
COOLS_S = 300.0  # a floor that rests is looked at so often: it takes hours to cool
RESTFUL = frozenset({"user", "person", "plan", "path", "rules", "tariff", "breaker", "floor"})


class Rest(NamedTuple):
    """A decision that stands: since and until when, and within which limits of air and outdoors.

    shown: contact, floor and window at that time.    around: blocks, estimate, doubt and trust.
    heard_until_s: as long as the last words of other members count.
    """

    since_s: float
    until_s: float
    lowest_c: float
    highest_c: float
    coldest_c: float
    warmest_c: float
    shown: tuple[object, ...]
    around: tuple[object, ...]
    heard_until_s: float = inf

    def holds(self, tick: RoomTick) -> bool:
        """Tell if nothing has changed since that the decision rests on."""
        reading, at_s = tick.reading, tick.at_s
        if reading is None or reading.temp_c is None or tick[3:] != self.around:
            return False
        return (
            self.lowest_c <= reading.temp_c <= self.highest_c
            and reading[3:] == self.shown
            and self.since_s < at_s < self.until_s
            and at_s - reading.at_s <= FRESH_S
            and self.coldest_c <= tick.outdoor.temp_c <= self.warmest_c
            and at_s <= self.heard_until_s
        )

    def heard(self, until_s: float) -> Rest:
        """Go on: the other members say what they said before, which counts until then."""
        return self._replace(heard_until_s=until_s)


def rest_after(
    tick: RoomTick, need: Need, limits: Limits, until_s: float, wish: Override | None
) -> Rest | None:
    """Let a decision stand that came to `need`, at most until `until_s`; None: it may not."""
    now_s, reading = tick.at_s, tick.reading
    if reading is None or reading.temp_c is None or reading.temp_c != need.temp_c:
        return None  # what was said is not what is believed
    if need.frost or need.overheat or until_s <= now_s:
        return None
    temp_c, outdoor_c = reading.temp_c, tick.outdoor.temp_c
    quarter_ends_s = (now_s // QUARTER_S + 1.0) * QUARTER_S  # plans, tariffs and bands turn then
    ends_s = [until_s, quarter_ends_s]
    if wish is not None and now_s < wish.until_s:
        ends_s.append(wish.until_s)
    return Rest(
        now_s,
        min(ends_s),
        max(temp_c - FLICKER_K, limits.building_floor_c),
        min(temp_c + FLICKER_K, limits.ceiling_c),
        outdoor_c - OUTDOOR_K,
        outdoor_c + OUTDOOR_K,
        reading[3:],
        tick[3:],
    )


def plan_holds_until_s(plan: RoomPlan | None, now_s: float) -> float:
    """Tell when what a plan says to a room ends next: a slot, its order, or its path."""
    if plan is None:
        return inf
    slot = plan.start_s[bisect_right(plan.start_s, now_s) :][:1]
    ends_s = (*slot, plan.valid_until_s, min(plan.path_until_s, plan.end_s))
    return min((end_s for end_s in ends_s if end_s > now_s), default=inf)


def next_change_s(plan: EnergyPlan | None, now_s: float, *ends_s: float) -> float:
    """Tell when a device's decision is to be looked at again: plans and prices turn by quarters."""
    if plan is not None:
        ends_s = (*ends_s, plan.valid_until_s, modes_until_s(plan), plan.end_s)
    quarter_ends_s = (now_s // QUARTER_S + 1.0) * QUARTER_S
    return min([quarter_ends_s, *(end_s for end_s in ends_s if end_s > now_s)])


def relay_rests_until_s(
    memory: RelayMemory, decision: Decision, modulator: Modulator, need: Need, now_s: float
) -> float:
    """Tell until when a relay stays as it is while its need does; -inf: it may turn any moment."""
    hand = memory.person(now_s)
    unsure = hand is not None and not hand.sure
    if decision.rule not in RESTFUL or unsure or (memory.on and not decision.on):
        return -inf
    ends_s = [now_s + _turns_in_s(modulator, need)]
    if decision.rule == "floor":
        ends_s.append(memory.rest_until_s if now_s < memory.rest_until_s else now_s + COOLS_S)
    if memory.on:
        ends_s.append(memory.since_s + CONTINUOUS_ON_S)
    elif now_s < memory.shed_until_s:
        ends_s.append(memory.shed_until_s)
    if hand is not None:
        ends_s.append(hand.until_s)
    return min(ends_s)


def _turns_in_s(modulator: Modulator, need: Need) -> float:
    """Tell how soon an account of heat turns its relay, at a steady duty."""
    owed_s, on, half_s = modulator
    if need.exact:
        return inf
    if on:
        return (owed_s + half_s) / max(1.0 - need.duty, 0.02)
    return (half_s - owed_s) / max(need.duty, 0.02)
