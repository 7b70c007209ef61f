"""Battery modes for every slot: what the inverter is told, not what we would like it to do.

A dynamic program over modes and state of charge with the inverter's own behaviour
(`battery_power`), given the loads that rounding left. Modes last at least half an hour; a change
has a small price, raised until a day has no more changes than the inverter's registers bear.
Charge that remains is worth what the relaxed plan's end says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import DAY_S
from pems_actors.optimisation.assembly import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.worth import grid_excess_price
from pems_actors.physics.battery_modes import BatteryFlow, battery_power, battery_power_many

_SOC_POINTS = 33
_CHANGE_SHARE = 0.02  # of the mean price of a kWh, per change of mode
_RAISES = 5
_STOP_STEP = 0.01
_LEAST_RATE_KW = 0.1
_NEVER = 1e7  # per kWh: no charging over the grid limit, whatever it would save later


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to tell the inverter."""

    mode: BatteryMode
    rate_kw: float | None = None


@dataclass(frozen=True, slots=True)
class ModeSlot:
    """The order of one slot and what it leads to."""

    mode: BatteryMode
    rate_kw: float | None
    stop_soc_frac: float | None
    flow: BatteryFlow


@dataclass(frozen=True, slots=True)
class _Table:
    """Cost and following SOC per slot, order and SOC point, each (K, orders, points)."""

    soc: Array
    cost: Array
    after: Array


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
    orders = _orders(case, relaxed)
    table = _tabulate(case, orders, load_kw, grid_limit_kw)
    decide = _decision_slots(case)
    price = _CHANGE_SHARE * max(float(np.abs(case.stages.buy).mean()), 1e-3)
    chosen = _plan(case, orders, table, decide, price)
    for _ in range(_RAISES):
        if _most_changes(case, chosen, orders) <= case.problem.inverter.max_mode_changes_per_day:
            break
        price *= 4.0
        chosen = _plan(case, orders, table, decide, price)
    return tuple(_with_stops(case, load_kw, [orders[a] for a in chosen]))


def _orders(case: Case, relaxed: Relaxed) -> tuple[Order, ...]:
    battery = case.problem.battery
    sell = [Order(BatteryMode.SELL)] if case.stages.export_allowed.any() else []
    return (
        Order(BatteryMode.SELF_USE),
        Order(BatteryMode.HOLD),
        Order(BatteryMode.CHARGE_GRID),
        *_gentle(BatteryMode.CHARGE_GRID, relaxed.charge_kw, battery.max_charge_kw),
        *sell,
        *_gentle(BatteryMode.SELL, relaxed.discharge_kw, battery.max_discharge_kw),
    )


def _gentle(mode: BatteryMode, powers_kw: Array, most_kw: float) -> list[Order]:
    """Suggest the usual rate of the relaxed plan where it is well under the largest."""
    used = powers_kw[powers_kw > _LEAST_RATE_KW]
    rate = round(float(np.median(used)), 1) if used.size else 0.0
    return [Order(mode, rate)] if _LEAST_RATE_KW < rate < 0.9 * most_kw else []


def _tabulate(
    case: Case, orders: tuple[Order, ...], load_kw: Array, grid_limit_kw: Array
) -> _Table:
    """Work out every order at every state of charge, slots of one kind together."""
    problem, stages = case.problem, case.stages
    battery = problem.battery
    low = min(battery.min_soc_frac, problem.state.soc_frac)
    high = max(battery.max_soc_frac, problem.state.soc_frac, low + 1e-6)
    soc = np.linspace(low, high, _SOC_POINTS)
    shape = (len(stages), len(orders), _SOC_POINTS)
    cost, after = np.empty(shape), np.empty(shape)
    buy = stages.buy + problem.weights.import_extra_per_kwh
    wear = battery.wear_per_kwh * problem.weights.wear_factor
    over_price = grid_excess_price(stages, problem.weights)
    for rows, hours, export in _alike(case):
        for a, order in enumerate(orders):
            flows = battery_power_many(
                order.mode,
                stages.pv_kw[rows, None],
                load_kw[rows, None],
                soc[None, :],
                battery,
                problem.inverter,
                problem.limits,
                hours * 3600.0,
                order.rate_kw,
                export_allowed=export,
            )
            grid, over = flows.grid_kw, np.maximum(flows.grid_kw - grid_limit_kw[rows, None], 0.0)
            money = np.maximum(grid, 0.0) * buy[rows, None]
            money -= np.maximum(-grid, 0.0) * stages.sell[rows, None]
            money += np.maximum(flows.battery_kw, 0.0) * wear
            money += over * np.where(flows.battery_kw < 0.0, _NEVER, over_price)
            cost[rows, a] = money * hours
            after[rows, a] = flows.soc_frac
    return _Table(soc, cost, after)


def _alike(case: Case) -> Iterator[tuple[NDArray[np.intp], float, bool]]:
    """Group slots of equal length and export permission."""
    hours, export = case.stages.hours, case.stages.export_allowed
    kinds = sorted({(float(h), bool(e)) for h, e in zip(hours, export, strict=True)})
    for length, allowed in kinds:
        yield np.nonzero((hours == length) & (export == allowed))[0], length, allowed


def _decision_slots(case: Case) -> NDArray[np.bool_]:
    """Mark the slots in which the mode may change: at least the shortest mode time apart."""
    problem = case.problem
    shortest = problem.inverter.min_mode_s - 1.0
    last = problem.state.battery_mode_since_s
    may = np.zeros(len(case.stages), dtype=bool)
    for k, at in enumerate(case.stages.start_s):
        if at - last >= shortest:
            may[k], last = True, at
    return may


def _plan(
    case: Case,
    orders: tuple[Order, ...],
    table: _Table,
    decide: NDArray[np.bool_],
    change_price: float,
) -> list[int]:
    """Find the cheapest orders, backward over values, forward over the real state of charge."""
    stages = len(case.stages)
    capacity = case.problem.battery.capacity_kwh
    value = np.tile(-case.worth.charge_per_kwh * capacity * table.soc, (len(orders), 1))
    values = [value]
    for k in range(stages - 1, -1, -1):
        value = table.cost[k] + np.array(
            [np.interp(table.after[k, a], table.soc, value[a]) for a in range(len(orders))]
        )
        if decide[k]:
            value = np.minimum(value, value.min(axis=0) + change_price)
        values.append(value)
    values.reverse()
    return _forward(case, orders, table, decide, change_price, values)


def _forward(
    case: Case,
    orders: tuple[Order, ...],
    table: _Table,
    decide: NDArray[np.bool_],
    change_price: float,
    values: list[Array],
) -> list[int]:
    mode = case.problem.state.battery_mode
    now = next((a for a, order in enumerate(orders) if order.mode is mode), 0)
    soc = case.problem.state.soc_frac
    chosen = []
    for k in range(len(case.stages)):
        after = [float(np.interp(soc, table.soc, table.after[k, a])) for a in range(len(orders))]
        if decide[k]:
            cost = [
                float(np.interp(soc, table.soc, table.cost[k, a]))
                + float(np.interp(after[a], table.soc, values[k + 1][a]))
                + (change_price if a != now else 0.0)
                for a in range(len(orders))
            ]
            now = int(np.argmin(cost))
        chosen.append(now)
        soc = after[now]
    return chosen


def _most_changes(case: Case, chosen: list[int], orders: tuple[Order, ...]) -> int:
    """Count the changes of mode in the fullest 24 hours."""
    modes = [case.problem.state.battery_mode, *(orders[a].mode for a in chosen)]
    at = [
        float(start)
        for start, before, mode in zip(case.stages.start_s, modes, modes[1:], strict=False)
        if mode is not before
    ]
    return max((sum(t <= other < t + DAY_S for other in at) for t in at), default=0)


def _with_stops(case: Case, load_kw: Array, orders: list[Order]) -> list[ModeSlot]:
    """Simulate the orders; a run of charging or selling stops at the charge that it reaches."""
    soc = [flow.soc_frac for flow in _simulated(case, load_kw, orders, [None] * len(orders))]
    stops: list[float | None] = []
    for _, run in groupby(range(len(orders)), key=lambda k: orders[k]):
        slots = list(run)
        stop = _stop(case, orders[slots[0]].mode, [soc[k] for k in slots])
        stops.extend([stop] * len(slots))
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
