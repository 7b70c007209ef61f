"""What each order to the inverter costs and leads to, in every slot and at every state of charge.

The inverter's own behaviour (`battery_power`), tabulated once per problem for the search in
`modes`. Overloads by charging are forbidden, other overloads dear; every kWh missing from the
reserve costs as much per hour as a kWh from the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.flexible import resting
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.worth import grid_excess_price
from pems_actors.physics.battery_modes import battery_power_many

SOC_POINTS = 33
_LEAST_RATE_KW = 0.1
_USUAL = {BatteryMode.CHARGE_GRID: (0.3, 0.7), BatteryMode.SELL: (0.3, 0.7, 0.95)}
_UNDER = {BatteryMode.CHARGE_GRID: 0.999, BatteryMode.SELL: 0.9}  # of the largest rate
_CLOSE_KW = 0.3
_NOTHING = 1e-6
_NOT_FOR_CARS = 1e3  # per kWh of discharge while a car is charged
NEVER_PER_KWH = 1e7  # per kWh: no charging over the grid limit, whatever it would save later


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to tell the inverter."""

    mode: BatteryMode
    rate_kw: float | None = None


def orders_of(case: Case, charge_kw: Array, discharge_kw: Array) -> tuple[Order, ...]:
    """List what the inverter could be told; wanted powers, (n,), suggest gentler rates."""
    if not case.problem.battery_obeys:
        return (Order(BatteryMode.SELF_USE),)
    battery, finely = case.problem.battery, case.problem.inverter.takes_powers
    gentle = _every_tenth if finely else _gentle
    sells = case.problem.state.battery_mode is BatteryMode.SELL  # and may have to for a while
    sell = [Order(BatteryMode.SELL)] if sells or case.stages.export_allowed.any() else []
    return (
        Order(BatteryMode.SELF_USE),
        Order(BatteryMode.HOLD),
        Order(BatteryMode.CHARGE_GRID),
        *gentle(BatteryMode.CHARGE_GRID, charge_kw, battery.max_charge_kw),
        *sell,
        *gentle(BatteryMode.SELL, discharge_kw, battery.max_discharge_kw),
    )


def _every_tenth(mode: BatteryMode, powers_kw: Array, most_kw: float) -> list[Order]:
    """List rates for an inverter that may be given another at any time."""
    usual = {order.rate_kw or most_kw for order in _gentle(mode, powers_kw, most_kw)}
    tenths = {round(most_kw * k / 10.0, 2) for k in range(1, 10)}
    return [Order(mode, rate) for rate in sorted(usual | tenths)]


def _gentle(mode: BatteryMode, powers_kw: Array, most_kw: float) -> list[Order]:
    """Suggest usual rates of the relaxed plan where they are under the largest.

    Rounded up, as what was to lift a limit has to be enough for it; charging down as well, as what
    fills the room under a limit must not pass it.
    """
    used = powers_kw[powers_kw > _LEAST_RATE_KW]
    usual = np.quantile(used, _USUAL[mode], method="nearest") if used.size else np.empty(0)
    tenths = np.ceil(usual * 10.0 - _NOTHING)
    if mode is BatteryMode.CHARGE_GRID:
        tenths = np.concatenate([tenths, np.floor(usual * 10.0 + _NOTHING)])
    rates = set((tenths / 10.0).round(1).tolist())
    return [Order(mode, rate) for rate in sorted(rates) if rate < _UNDER[mode] * most_kw]


def offered_kw(orders: tuple[Order, ...], wanted_kw: Array) -> Array:
    """Give what an order makes of a wanted discharge that is close to it, (K,) [kW]."""
    rates = np.array([o.rate_kw for o in orders if o.mode is BatteryMode.SELL and o.rate_kw])
    if not rates.size:
        return wanted_kw
    nearest = rates[np.abs(wanted_kw[:, None] - rates).argmin(axis=1)]
    return np.where(np.abs(wanted_kw - nearest) < _CLOSE_KW, nearest, wanted_kw)


@dataclass(frozen=True)
class ModeTable:
    """Cost and following SOC per slot, order and SOC point, each (K, orders, points)."""

    soc: Array
    cost: Array
    after: Array

    @cached_property
    def _landing(self) -> tuple[NDArray[np.intp], Array]:
        """Point below the following SOC, counted through all orders, and how far to the next."""
        points = len(self.soc)
        at = (self.after - self.soc[0]) / (self.soc[1] - self.soc[0])
        below = np.clip(at.astype(np.intp), 0, points - 2)
        first = points * np.arange(self.after.shape[1])[:, None]
        return below + first, np.clip(at - below, 0.0, 1.0)

    def place(self, soc_frac: float) -> tuple[int, float]:
        """Find the point below a SOC, and how far it is towards the next."""
        at = (soc_frac - float(self.soc[0])) / float(self.soc[1] - self.soc[0])
        below = min(max(int(at), 0), len(self.soc) - 2)
        return below, min(max(at - below, 0.0), 1.0)

    def carried(self, k: int, value: Array) -> Array:
        """Read values at the end of slot k, (n, orders, points), where each order leads to."""
        below, share = self._landing[0][k], self._landing[1][k]
        flat = value.reshape(len(value), -1)
        low, high = flat.take(below, axis=1), flat.take(below + 1, axis=1)
        return np.asarray(low + (high - low) * share)


def mode_table(
    case: Case, orders: tuple[Order, ...], load_kw: Array, grid_limit_kw: Array
) -> ModeTable:
    """Work out every order at every state of charge.

    Args:
        load_kw: base load and heating.    grid_limit_kw: most import.
            Both are (K,), or (K, orders) where they depend on what is ordered.
    """
    problem, stages = case.problem, case.stages
    low = min(problem.battery.min_soc_frac, problem.state.soc_frac)
    high = max(problem.battery.max_soc_frac, problem.state.soc_frac, low + 1e-6)
    soc = np.linspace(low, high, SOC_POINTS)
    each = np.broadcast_to(load_kw.reshape(len(stages), -1), (len(stages), len(orders)))
    several = [
        battery_power_many(
            order.mode,
            stages.pv_kw[:, None],
            each[:, a, None],
            soc,
            problem.battery,
            problem.inverter,
            problem.limits,
            stages.hours[:, None] * HOUR_S,
            order.rate_kw,
            export_allowed=stages.export_allowed[:, None],
        )
        for a, order in enumerate(orders)
    ]
    battery_kw = np.stack([flows.battery_kw for flows in several], axis=1)
    grid_kw = np.stack([flows.grid_kw for flows in several], axis=1)
    after = np.stack([flows.soc_frac for flows in several], axis=1)
    limit_kw = grid_limit_kw.reshape(len(stages), -1, 1)
    money = _money(case, battery_kw, grid_kw, after, limit_kw)
    if problem.weights.peak_per_kw > 0.0:
        money += _peak(case, grid_kw, each)
    return ModeTable(soc, money, after)


def _peak(case: Case, grid_kw: Array, load_kw: Array) -> Array:
    """Price what a battery draws over the peak that is there without it, (K, orders, points).

    A peak is paid once, however long it lasts; here an hour over it counts for all of it.
    """
    usual_kw = float((load_kw - case.stages.pv_kw[:, None]).max(initial=0.0))
    over_kwh = np.maximum(grid_kw - usual_kw, 0.0) * case.stages.hours[:, None, None]
    return np.asarray(over_kwh * case.problem.weights.peak_per_kw)


def _money(
    case: Case, battery_kw: Array, grid_kw: Array, soc_after: Array, limit_kw: Array
) -> Array:
    """Price powers in every slot, (K, orders, points), under a grid limit that broadcasts."""
    stages, weights, battery = case.stages, case.problem.weights, case.problem.battery
    buy = (stages.buy + weights.import_extra_per_kwh)[:, None, None]
    sell = stages.sell[:, None, None]
    given_price = np.full(len(stages), battery.wear_per_kwh * weights.wear_factor)
    given_price += np.where(resting(case.wants, case.loads_kw), _NOT_FOR_CARS, 0.0)
    money = np.where(grid_kw > 0.0, buy, sell) * grid_kw
    money += np.maximum(battery_kw, 0.0) * given_price[:, None, None]
    over = np.maximum(grid_kw - limit_kw, 0.0)
    if over.any():
        dear = grid_excess_price(stages, weights)
        money += over * np.where(battery_kw < 0.0, NEVER_PER_KWH, dear)
    missing_kwh = np.maximum(battery.reserve_soc_frac - soc_after, 0.0) * battery.capacity_kwh
    money += missing_kwh * np.abs(stages.buy).mean()
    return np.asarray(money * stages.hours[:, None, None])
