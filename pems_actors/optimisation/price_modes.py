"""Battery modes anew from published prices, while no new plan comes.

The last plan guessed the prices that were not published yet; what it expects of sun and loads
holds on. For those, and for the charge that is really there, the modes are searched again as a
planner searches them: the battery neither saves its charge for a dear hour that does not come, nor
gives it away before one that does.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from pems_actors.domain.events import BatteryStep, EnergyPlan, PowerOutlook
from pems_actors.domain.forecasts import PriceCurve, resample
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.mode_search import ModeSearch
from pems_actors.optimisation.mode_table import NEVER_PER_KWH, SOC_POINTS, ModeTable, Order
from pems_actors.optimisation.modes import CHANGE_SHARE, changes_a_day, regained, stop_of
from pems_actors.physics.battery_modes import battery_power, battery_power_many

LEAST_S = 2 * HOUR_S  # of published prices: for less the last plan's modes will do
_DAY_QUARTERS = round(DAY_S / QUARTER_S)
_ORDERS = tuple(Order(mode) for mode in BatteryMode)


class BatteryNow(NamedTuple):
    """The battery at one instant, and when its mode was changed lately."""

    at_s: float
    soc_frac: float
    mode: BatteryMode
    since_s: float
    changes_s: tuple[float, ...]


class _Ahead(NamedTuple):
    """What is to come, per quarter hour: prices per kWh and powers [kW]."""

    grid: TimeGrid
    buy: Array
    sell: Array
    pv_kw: Array
    load_kw: Array
    charge_per_kwh: float  # the worth of what is left in the end


def modes_by_prices(
    plan: EnergyPlan, prices: PriceCurve, house: House, now: BatteryNow
) -> EnergyPlan | None:
    """Choose the modes of a plan again, from now to where published prices end.

    Returns: the plan with other steps; None if it says too little, or prices end too soon.
    """
    ahead = _ahead(plan, prices, now.at_s)
    if ahead is None or house.battery.capacity_kwh <= 0.0:
        return None
    change_price = CHANGE_SHARE * max(float(np.abs(ahead.buy).mean()), 1e-3)
    search = _search(ahead, _table(ahead, house, now.soc_frac), house, now)
    steps = _steps(ahead, search.cheapest(change_price), house, now.soc_frac)
    end_s = ahead.grid.end_s
    return replace(plan, steps=steps, end_s=end_s, known_until_s=end_s)


def _ahead(plan: EnergyPlan, prices: PriceCurve, now_s: float) -> _Ahead | None:
    outlook: PowerOutlook | None = plan.outlook
    start_s = now_s - now_s % QUARTER_S
    end_s = min(prices.published_until_s, prices.grid.end_s, plan.end_s)
    slots = int((end_s - start_s) // QUARTER_S)
    if outlook is None or start_s < prices.grid.start_s or end_s < now_s + LEAST_S:
        return None
    grid = TimeGrid.uniform(start_s, slots)

    def on_grid(of: TimeGrid, values: tuple[float, ...]) -> Array:
        return np.array(resample(of, values, grid))

    return _Ahead(
        grid,
        on_grid(prices.grid, prices.import_per_kwh),
        on_grid(prices.grid, prices.export_per_kwh),
        np.maximum(on_grid(outlook.grid, outlook.pv_kw), 0.0),
        np.maximum(on_grid(outlook.grid, outlook.load_kw), 0.0),
        resample(outlook.grid, outlook.charge_price_per_kwh, grid)[-1],
    )


def _table(ahead: _Ahead, house: House, soc_frac: float) -> ModeTable:
    """Work out every order at every state of charge, in money and in charge."""
    battery = house.battery
    low, high = min(battery.min_soc_frac, soc_frac), max(battery.max_soc_frac, soc_frac)
    soc = np.linspace(low, max(high, low + 1e-6), SOC_POINTS)
    flows = [
        battery_power_many(
            order.mode, ahead.pv_kw[:, None], ahead.load_kw[:, None], soc, battery,
            house.inverter, house.limits, QUARTER_S, export_allowed=ahead.sell[:, None] >= 0.0,
        )
        for order in _ORDERS
    ]  # fmt: skip
    grid_kw = np.stack([flow.grid_kw for flow in flows], axis=1)
    battery_kw = np.stack([flow.battery_kw for flow in flows], axis=1)
    after = np.stack([flow.soc_frac for flow in flows], axis=1)
    buy, sell = ahead.buy[:, None, None], ahead.sell[:, None, None]
    money = np.where(grid_kw > 0.0, buy, sell) * grid_kw
    money += np.maximum(battery_kw, 0.0) * battery.wear_per_kwh
    charges = np.where(battery_kw < 0.0, NEVER_PER_KWH, 0.0)
    money += np.maximum(grid_kw - house.limits.grid_kw, 0.0) * charges
    missing_kwh = np.maximum(battery.reserve_soc_frac - after, 0.0) * battery.capacity_kwh
    money += missing_kwh * float(np.abs(ahead.buy).mean())
    return ModeTable(soc, money * (QUARTER_S / HOUR_S), after)


def _search(ahead: _Ahead, table: ModeTable, house: House, now: BatteryNow) -> ModeSearch:
    """Set the search up under the limits of changes; a few of the day are left for others."""
    counts = not house.inverter.takes_powers
    most = changes_a_day(house.inverter) if counts else 0
    spent = [at_s for at_s in now.changes_s if at_s > now.at_s - DAY_S]
    return ModeSearch(
        orders=_ORDERS,
        table=table,
        may_change=_may_change(ahead.grid, now.since_s, house.inverter.min_mode_s),
        new_day=frozenset(range(_DAY_QUARTERS, len(ahead.grid), _DAY_QUARTERS)),
        most_changes=most,
        full_worth=ahead.charge_per_kwh * house.battery.capacity_kwh,
        mode=now.mode,
        soc_frac=now.soc_frac,
        changes_left=max(most - len(spent), 0),
        regained=regained(np.array(ahead.grid.starts_s), spent, most),
        counts=counts,
    )


def _may_change(grid: TimeGrid, since_s: float, shortest_s: float) -> tuple[bool, ...]:
    """Mark the quarters in which the mode may change, at least its shortest time apart."""
    may = []
    for start_s in grid.starts_s:
        may.append(start_s - since_s >= shortest_s - 1.0)
        since_s = start_s if may[-1] else since_s
    return tuple(may)


def _steps(
    ahead: _Ahead, orders: list[Order], house: House, soc_frac: float
) -> tuple[BatteryStep, ...]:
    """Write the orders down; a run of charging or selling stops at the charge that it reaches."""
    steps, k, sells = [], 0, ahead.sell >= 0.0
    for (order, allowed), run in groupby(zip(orders, sells.tolist(), strict=True)):
        first, reached = k, []
        for _ in run:
            soc_frac = battery_power(
                order.mode, float(ahead.pv_kw[k]), float(ahead.load_kw[k]), soc_frac,
                house.battery, house.inverter, house.limits, QUARTER_S, export_allowed=allowed,
            ).soc_frac  # fmt: skip
            reached.append(soc_frac)
            k += 1
        steps.append(
            BatteryStep(
                start_s=ahead.grid.starts_s[first],
                mode=order.mode,
                rate_kw=None,
                stop_soc_frac=stop_of(house.battery, order.mode, reached),
                export_allowed=allowed,
                reason=f"{order.mode} by published prices",
                export_reason="by published prices",
            )
        )
    return tuple(steps)
