"""Battery modes for every slot: what the inverter is told, not what we would like it to do.

A dynamic program over orders, state of charge and the changes that a day has left, given the loads
that rounding left. Modes last at least half an hour; every change has a small price too. What was
changed within the last day counts: plan after plan, each with a day's changes of its own, would
change too often. Charge that remains is worth what the end of the horizon says.
An inverter that takes powers is given another in each slot, as it pays.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import BatteryMode, BatteryModel, InverterModel
from pems_actors.domain.units import DAY_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.mode_search import ModeSearch
from pems_actors.optimisation.mode_table import ModeTable, Order, mode_table, orders_of
from pems_actors.physics.battery_modes import BatteryFlow, battery_power

_UNFORESEEN = 2  # changes of a day that are left for a charge that is shed, for a car, for people
CHANGE_SHARE = 0.05  # of the mean price of a kWh, per change of mode
_STOP_STEP = 0.01
_STOP_SPARE = 0.02  # a battery weaker than believed must not stop while relays count on it
_LITTLE_KW = 0.6


@dataclass(frozen=True, slots=True)
class ModeSlot:
    """The order of one slot and what it leads to."""

    mode: BatteryMode
    rate_kw: float | None
    stop_soc_frac: float | None
    flow: BatteryFlow


def battery_modes(
    case: Case, load_kw: Array, grid_limit_kw: Array, charge_kw: Array, discharge_kw: Array
) -> tuple[ModeSlot, ...]:
    """Choose the mode of every slot and simulate it.

    Args:
        load_kw: base load and heating, (K,).
        grid_limit_kw: most import that main breaker and contract bear in each slot, (K,).
        charge_kw, discharge_kw: what is wanted of the battery, (K,); they suggest gentler rates
            beside the largest.
    Returns: one entry per slot, powers as the inverter would give them.
    """
    orders = orders_of(case, charge_kw, discharge_kw)
    found = _cheapest(case, orders, mode_table(case, orders, load_kw, grid_limit_kw))
    return tuple(_with_stops(case, load_kw, _enough(found, discharge_kw)))


def cheapest_modes(
    case: Case, orders: tuple[Order, ...], table: ModeTable, load_kw: Array
) -> tuple[ModeSlot, ...]:
    """Choose the mode of every slot where the load depends on it, (K, orders), and simulate it."""
    found = _cheapest(case, orders, table)
    at = [orders.index(order) for order in found]
    return tuple(_with_stops(case, load_kw[np.arange(len(at)), at], found))


def _cheapest(case: Case, orders: tuple[Order, ...], table: ModeTable) -> list[Order]:
    share = 0.0 if case.problem.inverter.takes_powers else CHANGE_SHARE
    price = share * max(float(np.abs(case.stages.buy).mean()), 1e-3)
    return _search(case, orders, table).cheapest(price)


def _enough(orders: list[Order], wanted_kw: Array) -> list[Order]:
    """Raise each run of selling to the most that is wanted of it, where that is a little more."""
    raised: list[Order] = []
    for order, run in groupby(orders):
        first, count = len(raised), len(list(run))
        if order.mode is BatteryMode.SELL and order.rate_kw is not None:
            wanted = wanted_kw[first : first + count]
            close = wanted[wanted < order.rate_kw + _LITTLE_KW]
            most = np.ceil(close.max(initial=0.0) * 10.0 - 1e-6) / 10.0
            order = replace(order, rate_kw=max(order.rate_kw, round(float(most), 1)))  # noqa: PLW2901
        raised.extend([order] * count)
    return raised


def obeyed(case: Case, load_kw: Array, modes: tuple[ModeSlot, ...]) -> tuple[ModeSlot, ...]:
    """Simulate orders that are already chosen under another load, (K,)."""
    stops = [slot.stop_soc_frac for slot in modes]
    flows = _simulated(case, load_kw, [Order(slot.mode, slot.rate_kw) for slot in modes], stops)
    return tuple(replace(slot, flow=flow) for slot, flow in zip(modes, flows, strict=True))


def _search(case: Case, orders: tuple[Order, ...], table: ModeTable) -> ModeSearch:
    """Set the search for the cheapest orders up."""
    state, counts = case.problem.state, not case.problem.inverter.takes_powers
    most, spent = _budget(case)
    return ModeSearch(
        orders=orders,
        table=table,
        may_change=tuple(decision_slots(case).tolist()),
        new_day=_new_days(case),
        most_changes=most if counts else 0,
        full_worth=case.worth.charge_per_kwh * case.problem.battery.capacity_kwh,
        mode=state.battery_mode,
        soc_frac=state.soc_frac,
        changes_left=changes_left(case) if counts else 0,
        regained=regained(case.stages.start_s, spent, most),
        counts=counts,
    )


def changes_left(case: Case) -> int:
    """Count the changes of mode that may be planned now; as many as slots where powers are told."""
    if case.problem.inverter.takes_powers:
        return len(case.stages)
    most, spent = _budget(case)
    charging = case.problem.state.battery_mode is BatteryMode.CHARGE_GRID  # may have to end early
    return min(max(most - len(spent), int(charging)), most)


def changes_a_day(inverter: InverterModel) -> int:
    """Give the changes of a day that may be planned; a few are left for what nobody foresees."""
    allowed = inverter.max_mode_changes_per_day
    return max(allowed - _UNFORESEEN, min(allowed, 1))


def _budget(case: Case) -> tuple[int, list[float]]:
    """Give the changes that a plan may make in a day, and when those of the last day were."""
    most = changes_a_day(case.problem.inverter)
    since_s = case.stages.start_s[0] - DAY_S
    return most, [at_s for at_s in case.problem.state.battery_changes_s if at_s > since_s]


def _new_days(case: Case) -> frozenset[int]:
    """Find the slots with which another 24 hours begin."""
    day = ((case.stages.start_s - case.stages.start_s[0]) // DAY_S).astype(int)
    return frozenset((np.nonzero(np.diff(day))[0] + 1).tolist())


def regained(start_s: Array, spent_s: list[float], most: int) -> Counter[int]:
    """Tell with which slots how many changes of the past become a day old, those in excess not."""
    counted_s = sorted(spent_s)[max(len(spent_s) - most, 0) :]
    slots = np.searchsorted(start_s, np.array(counted_s) + DAY_S)
    return Counter(slots.tolist())


def decision_slots(case: Case) -> NDArray[np.bool_]:
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


def _with_stops(case: Case, load_kw: Array, orders: list[Order]) -> list[ModeSlot]:
    """Simulate the orders; a run of charging or selling stops at the charge that it reaches."""
    flows = _simulated(case, load_kw, orders, [None] * len(orders))
    soc = [flow.soc_frac for flow in flows]
    stops: list[float | None] = []
    for _, run in groupby(range(len(orders)), key=lambda k: orders[k]):
        slots = list(run)
        stop = stop_of(case.problem.battery, orders[slots[0]].mode, [soc[k] for k in slots])
        stops.extend([stop] * len(slots))
    if any(stop is not None for stop in stops):
        flows = _simulated(case, load_kw, orders, stops)
    return [
        ModeSlot(order.mode, order.rate_kw, stop, flow)
        for order, stop, flow in zip(orders, stops, flows, strict=True)
    ]


def stop_of(battery: BatteryModel, mode: BatteryMode, soc: list[float]) -> float | None:
    """Round the far end of a run to whole percents, outwards and inside the window."""
    if mode is BatteryMode.CHARGE_GRID:
        up = np.ceil(max(soc) / _STOP_STEP - 1e-6) * _STOP_STEP
        return min(round(float(up), 2), battery.max_soc_frac)
    if mode is BatteryMode.SELL:
        down = np.floor(min(soc) / _STOP_STEP + 1e-6) * _STOP_STEP - _STOP_SPARE
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
