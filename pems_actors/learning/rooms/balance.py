"""Physics that identification must agree with: what goes into a room leaves it.

Over days, mean heat, sun and people equal the loss by UA times the mean difference, plus what goes
to neighbours and into the masses; for each room roughly, for the whole house firmly. Knows means
only, no time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pems_actors.learning.rooms.network import KINDS, Array, Layout

ROOM_SD, HOUSE_SD = 0.12, 0.05
_EPS = 1e-4
_LEAST_DROP_K = 2.0


class Means(NamedTuple):
    """Means over a record, per set and room: (sets, R); `outdoor_c` is for all, (1, 1).

    So is `ghi_w_m2`, unless blinds keep some of it out. `rise_k_h` is how fast the rooms warmed
    over all of it; rest_c (sets, R) is NaN without a rest.
    """

    heat: Array
    air_c: Array
    rest_c: Array
    rise_k_h: Array
    outdoor_c: Array
    ghi_w_m2: Array


def anchors(
    layout: Layout, means: Means, usual_kw: Array
) -> Callable[[Array], tuple[Array, Array]]:
    """Make residuals of the balances, in deviations, and their slopes by the parameters.

    usual_kw: heat that a room usually takes, (sets, R): errors are judged as parts of it.
    """

    def residual(theta: Array, means: Means, usual: Array) -> Array:
        wrong = _surplus_kw(layout, theta, means)
        rooms = wrong / (ROOM_SD * usual)
        if layout.rooms == 1:
            return rooms
        house = wrong.sum(axis=1, keepdims=True) / (HOUSE_SD * usual.sum(axis=1, keepdims=True))
        return np.concatenate([rooms, house], axis=1)

    def both(theta: Array) -> tuple[Array, Array]:
        here = residual(theta, means, usual_kw)
        slopes = np.empty((*here.shape, layout.count))
        for one in range(len(theta)):
            beside = theta[one] + _EPS * np.eye(layout.count)
            own = Means(*(each if len(each) == 1 else each[[one]] for each in means))
            changed = residual(beside, own, usual_kw[[one]])
            slopes[one] = ((changed - here[one]) / _EPS).T
        return here, slopes

    return both


def losses_kw_k(layout: Layout, theta: Array) -> Array:
    """Steady loss of each room to the outdoors, (sets, R) [kW/K]."""
    v = layout.values(theta)[:, : KINDS * layout.rooms].reshape(len(theta), layout.rooms, KINDS)
    return np.asarray(v[..., 5] + v[..., 4] * v[..., 6] / (v[..., 4] + v[..., 6]))


def _surplus_kw(layout: Layout, theta: Array, means: Means) -> Array:
    """What comes into air and screed minus what leaves and stays, per room, (sets, R).

    The structures, which nobody measures, are where means settle.
    """
    values = layout.values(theta)
    v = values[:, : KINDS * layout.rooms].reshape(len(theta), layout.rooms, KINDS)
    sun = v[..., 7] / 2000.0 * means.ghi_w_m2
    lost = v[..., 5] * (means.air_c - means.outdoor_c)
    inside = v[..., 9] * means.heat + v[..., 8] + sun
    stored = (v[..., 0] + v[..., 1]) * means.rise_k_h
    into = v[..., 4] * (means.air_c - _structure_c(layout, values, v, sun, means))
    return np.asarray(inside - lost - stored - into)


def _structure_c(layout: Layout, values: Array, v: Array, sun: Array, means: Means) -> Array:
    """Find where structures settle between air, outdoors and neighbours, (sets, R)."""
    sets, r = v.shape[:2]
    own = np.arange(r)
    matrix = np.zeros((sets, r, r))
    matrix[:, own, own] = v[..., 4] + v[..., 6]
    pull = v[..., 4] * means.air_c + v[..., 6] * means.outdoor_c + sun
    pull = pull - v[..., 2] * means.rise_k_h
    if layout.rest:
        matrix[:, own, own] += values[:, -r:]
        pull = pull + values[:, -r:] * means.rest_c
    for k, (one, other) in enumerate(layout.links):
        g = values[:, KINDS * r + k]
        for here, there in ((one, other), (other, one)):
            matrix[:, here, here] += g
            matrix[:, here, there] -= g
    return np.asarray(np.linalg.solve(matrix, pull[:, :, None])[:, :, 0])


def usual_heat_kw(loss_kw_k: Array, means: Means) -> Array:
    """Heat that rooms are believed to take, to judge errors by, (sets, R)."""
    drop = np.maximum(np.abs(means.air_c - means.outdoor_c), _LEAST_DROP_K)
    return np.asarray(loss_kw_k * drop)
