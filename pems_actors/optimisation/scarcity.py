"""Battery orders where power is short: chosen together with what heating makes of each.

Whole relays leave gaps under the caps, and a battery that helps for whole half hours lets all of
them in or hardly one more. So every order is priced with the relays that fit best beside it: gaps
may charge the battery, and what it gives goes where most fits. A relay is worth what the relaxed
plan says of its heat, slot by slot; who really runs is decided afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from pems_actors.domain.house import BatteryMode, BatteryModel
from pems_actors.optimisation.crowding import Crowd
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.mode_table import ModeTable, Order, mode_table, orders_of
from pems_actors.optimisation.modes import ModeSlot, cheapest_modes
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.program import Index
from pems_actors.optimisation.sequences import Bools
from pems_actors.optimisation.switching import SLACK_KW, Caps, caps_of

_PARTS = (0.25, 0.5, 0.75, 1.0)  # of a gap that may charge the battery
_CHARGES = (0.12, 0.37, 0.62, 0.87)  # quantiles of those
_SELLS = (0.05, 0.35, 0.65, 0.95)  # and of what it takes to let everybody in
_STEP_KW = 0.1
_NOT_THIS = 1e4
_FULL_KW = 0.5  # a relaxed plan with less room than this under a cap is short of power


def modes_where_scarce(
    near: Near, sun_kw: Array, crowd: Crowd | None = None
) -> tuple[ModeSlot, ...]:
    """Choose the battery's orders for what heating would make of each.

    Args:
        sun_kw: what the roofs give without any plan, (K,).    crowd: who is to be on in the near
            slots, and the powers that this needs; None where this is not known.
    """
    case, caps, scarce = near.case, caps_of(near.case, sun_kw), _scarce(near)
    orders = _orders(near, caps, scarce, () if crowd is None else crowd.feed_kw.tolist())
    room_kw = _lifted(caps, [_feed_kw(order, case.problem.battery) for order in orders])
    duty = _scaled(near, caps, room_kw)
    if crowd is None:
        duty[scarce] = _fullest(near, room_kw, scarce).transpose(1, 0, 2)
    else:
        duty[: near.slots] = crowd.on[:, None]
    load_kw = case.stages.base_kw[:, None] + duty @ case.power_kw
    gain = (duty * (_worth(near) * case.stages.hours[:, None])[:, None]).sum(axis=2)
    limit_kw = np.stack([case.grid_limit_kw(duty[:, a]) for a in range(len(orders))], axis=1)
    table = mode_table(case, orders, load_kw, limit_kw)
    cost = table.cost - gain[:, :, None]
    if crowd is not None:
        cost = cost + _other(orders, crowd.feed_kw, len(cost))[:, :, None]
    table = ModeTable(table.soc, cost, table.after)
    return cheapest_modes(case, orders, table, load_kw)


def _scarce(near: Near) -> Index:
    """Find the slots in which the relaxed plan leaves hardly any room under a cap, (n,)."""
    left = near.caps.left(near.relaxed.duty[: near.slots])
    return np.nonzero(np.any(left < _FULL_KW, axis=0))[0]


def _worth(near: Near) -> Array:
    """Tell what an hour of each relay's heat is worth in each slot, (K, relays)."""
    return np.asarray(near.relaxed.heat_price @ near.case.share.T * near.case.power_kw)


def _feed_kw(order: Order, battery: BatteryModel) -> float:
    """Tell what a battery under an order adds to the house's supply, while it can [kW]."""
    if order.mode is BatteryMode.HOLD:
        return 0.0
    if order.mode is BatteryMode.CHARGE_GRID:
        return -(order.rate_kw or battery.max_charge_kw)
    return order.rate_kw or battery.max_discharge_kw


def _lifted(caps: Caps, feeds_kw: list[float]) -> Array:
    """Give the room under caps that a battery lifts, for each of its feeds, (feeds, caps, K)."""
    share = np.where(caps.lift > 0.0, 1.0 / np.maximum(caps.lift, 1.0), 0.0)
    return np.asarray(caps.room_kw + np.outer(feeds_kw, share)[:, :, None])


def _orders(near: Near, caps: Caps, scarce: Index, feeds_kw: Iterable[float]) -> tuple[Order, ...]:
    """List the usual orders, and given powers, or else rates that fill gaps or let everybody in."""
    case, battery = near.case, near.case.problem.battery
    usual = orders_of(case, near.relaxed.charge_kw, near.relaxed.discharge_kw)
    if not case.problem.battery_obeys:
        return usual
    given = {_order_of(feed_kw) for feed_kw in feeds_kw}
    return _in_order({*usual, *(given or _filling(near, caps, scarce, battery))})


def _in_order(orders: set[Order]) -> tuple[Order, ...]:
    rank = list(BatteryMode)
    return tuple(sorted(orders, key=lambda o: (rank.index(o.mode), o.rate_kw or 0.0)))


def _order_of(feed_kw: float) -> Order:
    """Tell the battery to give a power, or to take it where it is less than 0 [kW]."""
    if abs(feed_kw) < _STEP_KW / 2:
        return Order(BatteryMode.HOLD)
    mode = BatteryMode.SELL if feed_kw > 0.0 else BatteryMode.CHARGE_GRID
    return Order(mode, round(abs(feed_kw), 1))


def _other(orders: tuple[Order, ...], feed_kw: Array, slots: int) -> Array:
    """Price all orders but those of given powers, up to the last that is not nothing, (K, orders).

    A table of charge is coarse, and relays count on each of these powers.
    """
    until = int(np.max(np.nonzero(feed_kw)[0], initial=-1)) + 1
    price = np.zeros((slots, len(orders)))
    for k, each_kw in enumerate(feed_kw[:until].tolist()):
        price[k] = _NOT_THIS
        price[k, orders.index(_order_of(each_kw))] = 0.0
    return price


def _filling(near: Near, caps: Caps, scarce: Index, battery: BatteryModel) -> tuple[Order, ...]:
    """List rates that fill gaps or let everybody in."""
    helps = caps.lift > 0.0
    per_kw = caps.lift[helps, None]
    room_kw = caps.room_kw[:, scarce]
    by_worth_per_kw = _tried(near, caps.room_kw[None], scarce)[0, :, 0]
    left = room_kw - caps.use @ by_worth_per_kw.T
    gap = (per_kw * left[helps]).min(axis=0)
    missing = (per_kw * (caps.use.sum(axis=1)[:, None] - room_kw)[helps]).max(axis=0)
    gaps = np.outer(_PARTS, gap).ravel()
    return (
        *_rated(BatteryMode.CHARGE_GRID, gaps, _CHARGES, battery.max_charge_kw, np.floor),
        *_rated(BatteryMode.SELL, missing, _SELLS, battery.max_discharge_kw, np.ceil),
    )


def _rated(
    mode: BatteryMode,
    powers_kw: Array,
    at: tuple[float, ...],
    most_kw: float,
    whole: Callable[[Array], Array],
) -> list[Order]:
    """Make orders of some quantiles of powers, in steps of a register."""
    useful = powers_kw[(powers_kw > _STEP_KW) & (powers_kw < most_kw)]
    if not useful.size:
        return []
    rates = whole(np.quantile(useful, at, method="nearest") / _STEP_KW - SLACK_KW) * _STEP_KW
    return [Order(mode, rate) for rate in set(rates.round(1).tolist()) if rate > 0.0]


def _scaled(near: Near, caps: Caps, room_kw: Array) -> Array:
    """Give the relaxed duties as far as they fit under each set of caps, (K, sets, relays).

    Args:
        room_kw: room under each cap, (sets, caps, K).
    """
    duty = near.relaxed.duty
    need_kw = np.maximum(caps.use @ duty.T, SLACK_KW)
    share = np.minimum((np.maximum(room_kw, 0.0) / need_kw).min(axis=1), 1.0)
    return np.asarray(duty[:, None] * share.T[:, :, None])


def _fullest(near: Near, room_kw: Array, at: Index) -> Bools:
    """Find relays that fit under caps and are worth most together, (sets, n, relays).

    Args:
        room_kw: room under each cap, (sets, caps, slots or more).    at: slots to look at, (n,).
    """
    tried = _tried(near, room_kw, at)
    best = np.argmax((tried * _worth(near)[at][:, None]).sum(axis=3), axis=2)
    return np.take_along_axis(tried, best[:, :, None, None], axis=2)[:, :, 0]


def _tried(near: Near, room_kw: Array, at: Index) -> Bools:
    """List relays that fit together, (sets, n, tries, relays).

    By what they are worth per kW, then by what they are worth; with everybody and without each.
    """
    worth = _worth(near)[at]
    keys = np.stack([worth / near.case.power_kw, worth])
    turns = np.argsort(-keys, axis=2, kind="stable")  # (rankings, n, relays)
    return _entered(near, room_kw[:, :, at], turns, at)


def _entered(near: Near, room_kw: Array, turns: Index, at: Index) -> Bools:
    """Let relays in by their turns while they fit, first all and then without each.

    Args:
        room_kw: room under each cap in the slots looked at, (sets, caps, n).
        turns: relays in order, (rankings, n, relays).    at: the slots themselves, (n,).
    Returns: who is in, (sets, n, rankings x (1 + relays), relays).
    """
    rankings, n, relays = turns.shape
    may_bind = (room_kw < near.caps.use.sum(axis=1)[:, None]).any(axis=(0, 2))
    room_kw, use, must = room_kw[:, may_bind], near.caps.use[may_bind], near.commitments.on[at]
    free = (_worth(near)[at] > 0.0) & ~(must | near.commitments.off[at] | near.closed[at])
    tries = (len(room_kw), n, rankings, relays + 1)
    on = np.broadcast_to(must[:, None, None], (*tries, relays)).copy()
    first = (room_kw - use @ must.T).transpose(1, 0, 2) + SLACK_KW
    left = np.broadcast_to(first[..., None, None], (len(use), *tries)).copy()
    slot, ranking = np.arange(n)[:, None], np.arange(rankings)
    for m in turns.transpose(2, 1, 0):  # (n, rankings)
        needed = use[:, m][:, None, :, :, None]
        enters = (left >= needed).all(axis=0) & free[slot, m][..., None]
        enters[:, slot, ranking, m + 1] = False
        on[:, slot, ranking, :, m] |= enters.transpose(1, 2, 0, 3)
        left -= enters * needed
    return on.reshape(len(room_kw), n, rankings * (relays + 1), relays)
