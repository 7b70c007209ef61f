"""What fits together: slot by slot, the relays that are worth most under the shared caps.

Where a cap binds, relays that answer each other one by one get stuck: for a large one to come in,
others have to go out in the same breath. Here a few relays of a slot change at once. Rules of
dwell and starts hold as everywhere; where nobody waits for power there is nothing to do.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.schedule import Schedule
from pems_actors.optimisation.sequences import Bools, Rows, Table, bits_of, rows_of
from pems_actors.optimisation.switching import SLACK_KW

_AT_ONCE = 3
_LEAST_GAIN = 1e-6


def packed(near: Near, on: Bools) -> Bools:
    """Fill the slots of a schedule anew where a relay that is worth its price has no room.

    Args:
        on: states that keep all limits, (slots, relays).
    Returns: states that keep them too.
    """
    schedule = Schedule(near, on)
    bound = near.commitments.on | near.commitments.off | near.closed[: near.slots]
    for k in np.nonzero((_kept_out(schedule) & ~bound).any(axis=1))[0].tolist():
        worth, free = schedule.worth_at(k), ~bound[k]
        while (changes := _fullest(schedule, k, worth, free) != schedule.on[k]).any():
            forbidden = [
                m for m in np.nonzero(changes)[0].tolist() if not _may_turn(schedule, k, m)
            ]
            free[forbidden] = False
            if not forbidden:
                _turn(schedule, k, changes)
                break
    return schedule.on


def _kept_out(schedule: Schedule) -> Bools:
    """Mark relays that are off and have no room beside the others without help, (slots, relays)."""
    near = schedule.near
    counted = near.caps.left(schedule.on.astype(float))
    short = (counted.T[:, :, None] < near.caps.use - SLACK_KW).any(axis=1)
    return np.asarray(short & ~schedule.on & ~schedule.near.closed[: len(schedule.on)])


def _may_turn(schedule: Schedule, k: int, m: int) -> bool:
    """Whether dwell and starts let relay m be the other way round in slot k."""
    turned = bits_of(schedule.on[None, :, m]) ^ (1 << k)
    return bool(schedule.near.rules[m].allows(turned)[0])


def _turn(schedule: Schedule, k: int, changes: Bools) -> None:
    for m in np.nonzero(changes)[0].tolist():
        row = schedule.on[:, m].copy()
        row[k] = ~row[k]
        schedule.change(m, row)


def _fullest(schedule: Schedule, k: int, worth: Array, free: Bools) -> Bools:
    """Find the relays of slot k that together are worth most and fit, (relays,)."""
    best: Bools = schedule.on[k]
    if not (free & ~best & (worth > _LEAST_GAIN)).any():
        return best
    sets = _small_sets(len(best))
    possible = sets.rows[sets.bits & bits_of(~free) == 0]
    while True:
        gains = _gains(schedule, k, worth, best, possible)
        first = int(gains.argmax())
        if gains[first] <= _LEAST_GAIN:
            return best
        best = best ^ (possible[first] > 0.0)


def _gains(schedule: Schedule, k: int, worth: Array, on: Bools, sets: Rows) -> Array:
    """Price turning sets of relays round in slot k, (n,): what it is worth, less what lifts cost.

    Minus infinity where they do not fit, or could gain nothing even if all lifting were spared.
    """
    near, spare_kw = schedule.near, schedule.near.spare_kw[k]
    turn, use = np.where(on, -1.0, 1.0), near.caps.use
    now = near.most.room_kw[:, k] - use @ on
    helps = (near.caps.lift > 0.0) & near.can_lift
    lift, price = near.caps.lift[helps], near.lift_price[k]
    before = np.maximum(spare_kw - lift * now[helps], 0.0).max(initial=0.0)
    gains = sets @ (turn * worth)
    able = np.nonzero(gains + price * before > _LEAST_GAIN)[0]
    left = now - sets[able] @ (turn * use).T
    after = np.maximum(spare_kw - lift * left[:, helps], 0.0).max(axis=1, initial=0.0)
    fits = (left >= -SLACK_KW).all(axis=1)
    told = np.full(len(sets), -np.inf)
    told[able[fits]] = (gains[able] - price * (after - before))[fits]
    return told


@lru_cache(maxsize=4)
def _small_sets(relays: int) -> Table:
    """List no set of relays, and all of at most a few, (n, relays)."""
    bits = [
        sum(1 << m for m in chosen)
        for size in range(min(_AT_ONCE, relays) + 1)
        for chosen in combinations(range(relays), size)
    ]
    return Table(rows_of(np.array(bits), relays), np.array(bits))
