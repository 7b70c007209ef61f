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
from pems_actors.optimisation.switching import SLACK_KW, Bools

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
    for k in np.nonzero(_kept_out(schedule).any(axis=1))[0].tolist():
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
    row = schedule.on[:, m].astype(float)
    row[k] = 1.0 - row[k]
    return bool(schedule.near.rules[m].allows(row[None, :])[0])


def _turn(schedule: Schedule, k: int, changes: Bools) -> None:
    for m in np.nonzero(changes)[0].tolist():
        row = schedule.on[:, m].copy()
        row[k] = ~row[k]
        schedule.change(m, row)


def _fullest(schedule: Schedule, k: int, worth: Array, free: Bools) -> Bools:
    """Find the relays of slot k that together are worth most and fit, (relays,)."""
    present: Bools = schedule.on[k]
    if not (free & ~present & (worth > _LEAST_GAIN)).any():
        return present
    possible = _small_sets(len(present))
    possible = possible[~(possible & ~free).any(axis=1)]
    best, gain = present, float(_gains(schedule, k, worth, present[None, :])[0])
    while True:
        sets = best ^ possible
        gains = _gains(schedule, k, worth, sets)
        first = int(np.argmax(gains)) if len(gains) else 0
        if len(gains) == 0 or gains[first] <= gain + _LEAST_GAIN:
            return best
        best, gain = sets[first], float(gains[first])


def _gains(schedule: Schedule, k: int, worth: Array, sets: Bools) -> Array:
    """Price sets of relays in slot k, (n,): what they are worth, less what the battery must give.

    Minus infinity where they do not fit.
    """
    near, one = schedule.near, slice(k, k + 1)
    left = near.most.room_kw[:, k] - sets @ near.caps.use.T
    helps = near.caps.lift > 0.0
    lifted = (near.spare_kw[one] - near.caps.lift[helps] * left[:, helps]).max(axis=1)
    gains = sets @ worth - near.lift_price[k] * np.maximum(lifted, 0.0)
    return np.where((left >= -SLACK_KW).all(axis=1), gains, -np.inf)


@lru_cache(maxsize=4)
def _small_sets(relays: int) -> Bools:
    """List all sets of at most a few relays, (n, relays)."""
    rows = [
        np.isin(np.arange(relays), chosen)
        for size in range(1, min(_AT_ONCE, relays) + 1)
        for chosen in combinations(range(relays), size)
    ]
    return np.array(rows).reshape(len(rows), relays)
