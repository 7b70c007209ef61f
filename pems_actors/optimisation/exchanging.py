"""Two slots exchange who is on in them: what no relay can do alone where a cap binds.

Under a cap everybody's place is taken. A relay that would rather be on earlier needs another to go
later, and that one a third; when two slots exchange all their relays, both caps stay full.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.program import Index
from pems_actors.optimisation.sequences import Bools, bits_of
from pems_actors.optimisation.switching import SLACK_KW

_MOST = 40
_LEAST_GAIN = 1e-6


def exchanged(near: Near, on: Bools) -> Bools:
    """Exchange the best two slots while that saves anything.

    Args:
        on: states that keep all limits, (slots, relays).
    Returns: states that keep them too.
    """
    one, two = _pairs(near.slots)
    if not _crowded(near, on):
        return on
    for _ in range(_MOST):
        cost = np.where(_fit(near, on, one, two), _change(near, on, one, two), np.inf)
        best = _first_allowed(near, on, one, two, cost)
        if best is None:
            return on
        on = on.copy()
        on[[one[best], two[best]]] = on[[two[best], one[best]]]
    return on


def _crowded(near: Near, on: Bools) -> bool:
    """Whether anybody who is off has no room beside the others."""
    left = near.caps.left(on.astype(float))
    short = np.asarray(left.T[:, :, None] < near.caps.use - SLACK_KW).any(axis=1)
    return bool((short & ~on & ~near.closed[: near.slots]).any())


@lru_cache(maxsize=8)
def _pairs(slots: int) -> tuple[Index, Index]:
    return np.triu_indices(slots, 1)


def _fit(near: Near, on: Bools, one: Index, two: Index) -> Bools:
    """Tell which exchanges keep all caps, without help that is not counted on, (n,)."""
    room_kw, drawn_kw = near.caps.room_kw, near.caps.use @ on.T
    left_kw = room_kw[:, :, None] - drawn_kw[:, None, :]  # (caps, slot, set)
    fits, differ = np.all(left_kw >= -SLACK_KW, axis=0), np.any(on[one] ^ on[two], axis=1)
    return np.asarray(fits[one, two] & fits[two, one] & differ)


def _change(near: Near, on: Bools, one: Index, two: Index) -> Array:
    """Price exchanges, but for starts, (n,)."""
    change = on[two].astype(float) - on[one]  # in the first slot, (n, relays)
    heat_kw = on @ near.case.power_kw
    power = near.power_cost(np.broadcast_to(heat_kw[:, None], (len(heat_kw), near.slots)))
    # a set's power in another slot: rows are sets, columns slots
    cost = power[two, one] + power[one, two] - power[one, one] - power[two, two]
    cost += (change * (near.later_cost.T[one] - near.later_cost.T[two])).sum(axis=1)
    level, weights = near.levels(on.T), near.weights
    moved = level + ((weights[one] - weights[two])[:, None] * change).astype(int)
    each = np.arange(on.shape[1])
    cost += (near.remainder_cost[each, moved] - near.remainder_cost[each, level]).sum(axis=1)
    relay, room, answer = near.pairs
    rise = (answer[:, :, one] - answer[:, :, two]).transpose(2, 0, 1) * change[:, relay, None]
    air_c = near.air_c(on).T
    for pair, at in enumerate(room.tolist()):
        heated = np.nonzero(room == at)[0]
        if pair == heated[0]:
            warmer = air_c[at] + rise[:, heated].sum(axis=1)
            rooms = np.full(len(one) + 1, at)
            felt = near.discomfort_of(np.vstack([warmer, air_c[at]]).T, rooms)
            cost += felt[:-1] - felt[-1]
    return np.asarray(cost)


def _first_allowed(near: Near, on: Bools, one: Index, two: Index, cost: Array) -> int | None:
    """Find the best exchange that saves and that dwell and rests allow."""
    for best in np.argsort(cost).tolist():
        if cost[best] > -_LEAST_GAIN:
            return None
        after = on.copy()
        after[[one[best], two[best]]] = on[[two[best], one[best]]]
        bits, turned = bits_of(after.T), np.nonzero(on[one[best]] ^ on[two[best]])[0]
        starts = near.start_cost @ (_starts(near, after) - _starts(near, on))
        kept = all(near.allowed(m, bits[[m]])[0] for m in turned.tolist())
        if kept and cost[best] + starts < -_LEAST_GAIN:
            return int(best)
    return None


def _starts(near: Near, on: Bools) -> Array:
    before = np.vstack([near.on_before, on[:-1]])
    return np.asarray((on & ~before).sum(axis=0), dtype=float)
