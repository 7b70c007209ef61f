"""Battery modes for every slot: what the inverter is told, not what we would like it to do.

A dynamic program over orders and state of charge, given the loads that rounding left. Modes last
at least half an hour; a change has a small price, raised until a day has no more changes than the
inverter's registers bear. Charge that remains is worth what the end of the horizon says.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import DAY_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.mode_table import ModeTable, Order, mode_table, orders_of
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.physics.battery_modes import BatteryFlow, battery_power

_CHANGE_SHARE = 0.02  # of the mean price of a kWh, per change of mode
_RAISES = 5
_STOP_STEP = 0.01


@dataclass(frozen=True, slots=True)
class ModeSlot:
    """The order of one slot and what it leads to."""

    mode: BatteryMode
    rate_kw: float | None
    stop_soc_frac: float | None
    flow: BatteryFlow


def battery_modes(
    case: Case, load_kw: Array, grid_limit_kw: Array, relaxed: Relaxed
) -> tuple[ModeSlot, ...]:
    """Choose the mode of every slot and simulate it.

    Args:
        load_kw: base load and heating, (K,).
        grid_limit_kw: most import that main breaker and contract bear in each slot, (K,).
        relaxed: its charging and discharging suggest gentler rates beside the largest.
    Returns: one entry per slot, powers as the inverter would give them.
    """
    orders = orders_of(case, relaxed)
    table = mode_table(case, orders, load_kw, grid_limit_kw)
    decide = _decision_slots(case)
    price = _CHANGE_SHARE * max(float(np.abs(case.stages.buy).mean()), 1e-3)
    chosen = _cheapest(case, orders, table, decide, price)
    for _ in range(_RAISES):
        if _most_changes(case, chosen) <= case.problem.inverter.max_mode_changes_per_day:
            break
        price *= 4.0
        chosen = _cheapest(case, orders, table, decide, price)
    return tuple(_with_stops(case, load_kw, chosen))


def _decision_slots(case: Case) -> NDArray[np.bool_]:
    """Mark the slots in which the mode may change: at least the shortest mode time apart.

    A grid charge under way may be left at once: what it was ordered for may not fit any more.
    """
    problem = case.problem
    shortest = problem.inverter.min_mode_s - 1.0
    last = problem.state.battery_mode_since_s
    if problem.state.battery_mode is BatteryMode.CHARGE_GRID:
        last = -np.inf
    may = np.zeros(len(case.stages), dtype=bool)
    for k, at in enumerate(case.stages.start_s):
        if at - last >= shortest:
            may[k], last = True, at
    return may


def _cheapest(
    case: Case,
    orders: tuple[Order, ...],
    table: ModeTable,
    decide: NDArray[np.bool_],
    change_price: float,
) -> list[Order]:
    """Find the cheapest orders: backward over values, then forward over the real charge."""
    value = np.tile(-_charge_worth(case) * table.soc, (len(orders), 1))
    onward = np.empty_like(table.cost)  # from a slot's beginning, under an order already chosen
    for k in range(len(decide) - 1, -1, -1):
        onward[k] = value = table.cost[k] + table.carried(k, value)
        if decide[k]:
            value = np.minimum(value, value.min(axis=0) + change_price)
    mode, soc = case.problem.state.battery_mode, case.problem.state.soc_frac
    present = np.array([order.mode is mode for order in orders])  # at whatever rate
    now, chosen = 0, []
    for k, may_change in enumerate(decide.tolist()):
        below, share = table.place(soc)
        if may_change or k == 0:
            cost = onward[k, :, below] * (1.0 - share) + onward[k, :, below + 1] * share
            cost[~present] += change_price if may_change else np.inf
            now = int(np.argmin(cost))
            present = np.arange(len(orders)) == now
        chosen.append(orders[now])
        low, high = table.after[k, now, below : below + 2].tolist()
        soc = low + (high - low) * share
    return chosen


def _charge_worth(case: Case) -> float:
    """Price a full battery's charge at the end of the horizon."""
    return case.worth.charge_per_kwh * case.problem.battery.capacity_kwh


def _most_changes(case: Case, chosen: list[Order]) -> int:
    """Count the changes of mode in the fullest 24 hours."""
    modes = [case.problem.state.battery_mode, *(order.mode for order in chosen)]
    starts = case.stages.start_s.tolist()
    at = [start for start, (a, b) in zip(starts, pairwise(modes), strict=True) if a is not b]
    return max((sum(t <= other < t + DAY_S for other in at) for t in at), default=0)


def _with_stops(case: Case, load_kw: Array, orders: list[Order]) -> list[ModeSlot]:
    """Simulate the orders; a run of charging or selling stops at the charge that it reaches."""
    flows = _simulated(case, load_kw, orders, [None] * len(orders))
    soc = [flow.soc_frac for flow in flows]
    stops: list[float | None] = []
    for _, run in groupby(range(len(orders)), key=lambda k: orders[k]):
        slots = list(run)
        stop = _stop(case, orders[slots[0]].mode, [soc[k] for k in slots])
        stops.extend([stop] * len(slots))
    if any(stop is not None for stop in stops):
        flows = _simulated(case, load_kw, orders, stops)
    return [
        ModeSlot(order.mode, order.rate_kw, stop, flow)
        for order, stop, flow in zip(orders, stops, flows, strict=True)
    ]


def _stop(case: Case, mode: BatteryMode, soc: list[float]) -> float | None:
    """Round the far end of a run to whole percents, outwards and inside the window."""
    battery = case.problem.battery
    if mode is BatteryMode.CHARGE_GRID:
        up = np.ceil(max(soc) / _STOP_STEP - 1e-6) * _STOP_STEP
        return min(round(float(up), 2), battery.max_soc_frac)
    if mode is BatteryMode.SELL:
        down = np.floor(min(soc) / _STOP_STEP + 1e-6) * _STOP_STEP
        return max(round(float(down), 2), battery.min_soc_frac)
    return None


def _simulated(
    case: Case, load_kw: Array, orders: list[Order], stops: list[float | None]
) -> list[BatteryFlow]:
    problem, stages = case.problem, case.stages
    pv, load = stages.pv_kw.tolist(), load_kw.tolist()
    allowed = stages.export_allowed.tolist()
    soc, flows = problem.state.soc_frac, []
    for k, order in enumerate(orders):
        flow = battery_power(
            order.mode,
            pv[k],
            load[k],
            soc,
            problem.battery,
            problem.inverter,
            problem.limits,
            problem.grid.durations_s[k],
            order.rate_kw,
            stops[k],
            allowed[k],
        )
        soc = flow.soc_frac
        flows.append(flow)
    return flows
