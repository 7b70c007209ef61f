"""What it costs that whole switches leave a relay short of its heat, or ahead of it.

The slots that follow make up for what is short as far as their duties leave room: a room that is
heated all the time anyway cannot be made warm again later, and one that is not can. Costates know
only one price for both, so what is dearer than they say is tabulated here. It counts only the hours
that a relay is on in the near slots: the level, in quarter hours, and whether the first slot, which
may be short, is among them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.sequences import Bits, Bools
from pems_actors.optimisation.thermal import AIR, SCREED, simulate

_FOLLOWED_H = 6.0

Levels = NDArray[np.int64]


def level_weights(slots: int) -> Levels:
    """Tell what each near slot's being on adds to the level, (slots,)."""
    weights = np.full(slots, 2, dtype=np.int64)
    weights[:1] = 1
    return weights


def levels_of(bits: Bits) -> Levels:
    """Tell the level of sequences that are written as whole numbers, (n,)."""
    return np.asarray(2 * np.bitwise_count(bits).astype(np.int64) - (bits & 1))


def owed_h(duty: Array, hours: Array, slots: int) -> Array:
    """Tell the hours of its duty that each relay is short of at each level, (relays, levels)."""
    level = np.arange(2 * slots)
    on_h = (level % 2) * hours[0] + (level // 2) * hours[slots - 1]
    return np.asarray((hours[:slots] @ duty[:slots])[:, None] - on_h)


def shortage_cost(case: Case, relaxed: Relaxed, closed: Bools, slots: int) -> Array:
    """Price what each relay is short of, over what costates say of it, (relays, levels).

    Args:
        closed: where a relay may not heat, (K, relays).    slots: how many are near.
    """
    hours = case.stages.hours
    short_h = np.maximum(owed_h(relaxed.duty, hours, slots), 0.0)
    reach = slots + int(np.sum(np.cumsum(hours[slots:]) <= _FOLLOWED_H + 1e-9))
    change = np.zeros((*short_h.shape, reach))  # of duty
    planned_h = hours[:slots] @ relaxed.duty[:slots]
    share = relaxed.duty[:slots] / np.maximum(planned_h, 1e-9)
    change[:, :, :slots] = -short_h[:, :, None] * share.T[:, None, :]
    change[:, :, slots:] = _made_up(relaxed.duty, hours, closed, short_h, slots, reach)
    said = costate(case, relaxed, slots)
    after = slice(slots, reach)
    price = case.power_kw[:, None] * relaxed.power_price[after] * hours[after]
    dearer = np.einsum("mlk,mk->ml", change[:, :, after], price)
    dearer += np.einsum("mlk,mk->ml", change, costate(case, relaxed, reach))
    dearer -= np.einsum("mlk,mk->ml", change[:, :, :slots], said)
    return np.asarray(np.maximum(dearer + _colder(case, relaxed, change, slots), 0.0))


def _made_up(
    duty: Array, hours: Array, closed: Bools, short_h: Array, slots: int, reach: int
) -> Array:
    """Give the duties added in the slots that follow, (relays, levels, slots that follow)."""
    added = np.empty((*short_h.shape, reach - slots))
    for k in range(slots, reach):
        room = np.where(closed[k], 0.0, 1.0 - duty[k])[:, None]
        added[:, :, k - slots] = np.minimum(short_h / hours[k], room)
        short_h = short_h - added[:, :, k - slots] * hours[k]
    return added


def costate(case: Case, relaxed: Relaxed, stages: int) -> Array:
    """Rise of the cost after some stages per duty in each of them, (relays, stages)."""
    rooms, weather, kept = case.rooms, case.weather, case.rooms.kept
    price = np.zeros(kept.shape)
    price[kept] = relaxed.later_price[stages - 1]
    kick = weather.lasting[:stages] * rooms.drive[:, :, SCREED]
    after = np.ones_like(kick)
    for k in range(stages - 2, -1, -1):
        after[k] = after[k + 1] * weather.left[k + 1]
    per_kw = np.einsum("jrm,rm->rj", kick * after, price)
    return np.asarray(case.power_kw[:, None] * (case.share @ per_kw))


def response(case: Case, stages: int) -> Array:
    """Rise of a room's air at each stage's end per kW held in each, (R, end, stage)."""
    rooms, weather = case.rooms, case.weather
    kick, seen = weather.lasting[:stages] * rooms.drive[:, :, SCREED], rooms.to_node[:, AIR]
    rise = np.zeros((len(rooms.names), stages, stages))
    modes = np.zeros((stages, *seen.shape))  # one per stage of heating
    for k in range(stages):
        modes = modes * weather.left[k]
        modes[k] = kick[k]
        rise[:, k, :] = (modes * seen).sum(axis=2).T
    return rise


def _colder(case: Case, relaxed: Relaxed, change: Array, slots: int) -> Array:
    """Price how much colder rooms get after the near slots than the relaxed plan leaves them."""
    reach = change.shape[2]
    emitted = (relaxed.duty[:reach] * case.power_kw) @ case.share
    air = simulate(case.rooms, case.weather, emitted)[slots:, :, AIR]
    spare = np.maximum(air - case.stages.low_c[slots:reach], 0.0)
    per_kh = case.problem.weights.cold_per_kh * case.stages.hours[slots:reach]
    relay, room = np.nonzero(case.share)
    kw = case.power_kw[relay] * case.share[relay, room]
    rise = response(case, reach)[room][:, slots:] * kw[:, None, None]
    fall = -change[relay] @ rise.transpose(0, 2, 1)  # (pairs, levels, stages that follow)
    felt = np.maximum(fall - spare.T[room][:, None, :], 0.0) @ per_kh
    cost = np.zeros(change.shape[:2])
    np.add.at(cost, relay, felt)
    return cost
