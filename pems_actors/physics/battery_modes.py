"""What a hybrid inverter makes of a battery mode: powers follow from mode, sun, load and SOC.

One pure function serves planner, validator, twin and driver. PV reaches the battery on the DC side,
so only what leaves for the house shares the AC limit. In every mode PV that can neither be used
nor exported charges the battery before it is curtailed. The inverter does not know the import
limit: who orders a grid charge answers for it. `battery_power_many` is the same for arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import BatteryMode, BatteryModel, InverterModel, Limits
from pems_actors.domain.units import HOUR_S

Array = npt.NDArray[np.float64]

# Plain names: an attribute of an enumeration costs a look-up in a function of 1 µs.
_SELF_USE, _HOLD = BatteryMode.SELF_USE, BatteryMode.HOLD
_CHARGE_GRID = BatteryMode.CHARGE_GRID


class BatteryFlow(NamedTuple):
    """Mean powers of one step; `grid_kw + battery_kw + pv_kw == load_kw`. SOC is after it."""

    battery_kw: float
    grid_kw: float
    pv_kw: float  # used: for the house, the battery and the grid
    curtailed_kw: float
    soc_frac: float


class BatteryFlows(NamedTuple):
    """`BatteryFlow` for arrays of one shape."""

    battery_kw: Array
    grid_kw: Array
    pv_kw: Array
    curtailed_kw: Array
    soc_frac: Array


def battery_power(
    mode: BatteryMode,
    pv_kw: float,
    load_kw: float,
    soc_frac: float,
    battery: BatteryModel,
    inverter: InverterModel,
    limits: Limits,
    dt_s: float,
    rate_kw: float | None = None,
    stop_soc_frac: float | None = None,
    export_allowed: bool = True,
) -> BatteryFlow:
    """Compute the powers of one step with constant sun and load.

    - `self_use`: PV serves the load, then the battery; the battery serves the rest of the load.
    - `hold`: the battery rests (battery-first with its stop SOC pinned to the live SOC).
    - `charge_grid`: charges at `rate_kw` up to `stop_soc_frac`, from PV first, else from the grid;
      then it rests.
    - `sell`: discharges at `rate_kw` down to `stop_soc_frac`, for load and grid; then it rests.

    Args:
        mode: what the inverter was told.    pv_kw: what the roofs could give [kW].
        load_kw: all consumption, zero or more [kW].    soc_frac: SOC at the start.
        dt_s: step [s]; the SOC limits bound the mean power over it.
        rate_kw: None means the battery's largest.    stop_soc_frac: None means the SOC window.
        export_allowed: the inverter's export switch.
    Returns: powers, discharge and import positive, and the SOC after the step.
    """
    ac_limit_kw = inverter.ac_limit_kw
    out_kw = load_kw + (limits.export_kw if export_allowed else 0.0)
    out_kw = min(out_kw, ac_limit_kw)  # the most that PV and discharge together can give
    leg = battery.leg_frac
    soc_per_kw = dt_s / HOUR_S / battery.capacity_kwh if battery.capacity_kwh > 0.0 else 0.0

    if mode is _SELF_USE:
        wish_kw = min(ac_limit_kw, load_kw) - pv_kw
        floor = battery.min_soc_frac
    elif mode is _HOLD:
        wish_kw, floor = 0.0, 1.0
    elif mode is _CHARGE_GRID:
        wish_kw, floor = (
            _charge_wish(
                pv_kw + ac_limit_kw, soc_frac, soc_per_kw * leg, rate_kw, stop_soc_frac, battery
            ),
            1.0,
        )
    else:
        wish_kw = min(battery.max_discharge_kw if rate_kw is None else rate_kw, out_kw - pv_kw)
        wish_kw = max(wish_kw, 0.0)
        floor = max(battery.min_soc_frac, stop_soc_frac or 0.0)

    if wish_kw > 0.0:
        power_kw = _most(battery.max_discharge_kw, soc_frac - floor, soc_per_kw / leg)
        power_kw = min(power_kw, wish_kw)
    else:
        power_kw = 0.0
    if power_kw <= 0.0:
        most_kw = _most(battery.max_charge_kw, battery.max_soc_frac - soc_frac, soc_per_kw * leg)
        # PV that finds no other way out charges, whatever the mode wishes.
        power_kw = 0.0 - max(0.0, min(max(-wish_kw, pv_kw - out_kw), most_kw))
    used_kw = min(pv_kw, out_kw - power_kw)
    soc_frac = _soc_after(soc_frac, power_kw, leg, soc_per_kw, battery)
    return BatteryFlow(power_kw, load_kw - power_kw - used_kw, used_kw, pv_kw - used_kw, soc_frac)


def _charge_wish(
    most_kw: float,
    soc_frac: float,
    soc_per_kw: float,
    rate_kw: float | None,
    stop_soc_frac: float | None,
    battery: BatteryModel,
) -> float:
    """Give the (negative) power that reaches the stop SOC at the ordered rate, or rests there."""
    stop = battery.max_soc_frac if stop_soc_frac is None else stop_soc_frac
    rate = battery.max_charge_kw if rate_kw is None else rate_kw
    return -min(most_kw, _most(rate, stop - soc_frac, soc_per_kw))


def _most(limit_kw: float, soc_room_frac: float, soc_per_kw: float) -> float:
    """Give the largest power that uses no more than the SOC room within the step."""
    if soc_room_frac <= 0.0 or soc_per_kw <= 0.0:
        return 0.0
    return min(limit_kw, soc_room_frac / soc_per_kw)


def _soc_after(
    soc_frac: float, power_kw: float, leg_frac: float, soc_per_kw: float, battery: BatteryModel
) -> float:
    """Advance the SOC; the window clips only what rounding would carry over its edge."""
    if power_kw > 0.0:
        return max(soc_frac - power_kw * soc_per_kw / leg_frac, battery.min_soc_frac)
    if power_kw < 0.0:
        return min(soc_frac - power_kw * soc_per_kw * leg_frac, battery.max_soc_frac)
    return soc_frac


def battery_power_many(
    mode: BatteryMode,
    pv_kw: Array | float,
    load_kw: Array | float,
    soc_frac: Array | float,
    battery: BatteryModel,
    inverter: InverterModel,
    limits: Limits,
    dt_s: Array | float,
    rate_kw: float | None = None,
    stop_soc_frac: float | None = None,
    *,
    export_allowed: npt.NDArray[np.bool_] | bool = True,
) -> BatteryFlows:
    """Compute `battery_power` for arrays that broadcast together, one order for all."""
    pv, load, soc = np.broadcast_arrays(
        np.asarray(pv_kw, float), np.asarray(load_kw, float), np.asarray(soc_frac, float)
    )
    ac_limit, leg = inverter.ac_limit_kw, battery.leg_frac
    capacity_kwh = battery.capacity_kwh if battery.capacity_kwh > 0.0 else np.inf
    soc_per_kw = np.asarray(dt_s, float) / HOUR_S / capacity_kwh
    out = np.minimum(ac_limit, load + np.where(export_allowed, limits.export_kw, 0.0))
    floor = battery.min_soc_frac
    match mode:
        case BatteryMode.SELF_USE:
            wish = np.minimum(load, ac_limit) - pv
        case BatteryMode.HOLD:
            wish = np.zeros_like(soc)
        case BatteryMode.CHARGE_GRID:
            stop = battery.max_soc_frac if stop_soc_frac is None else stop_soc_frac
            rate = battery.max_charge_kw if rate_kw is None else rate_kw
            wish = -np.minimum(pv + ac_limit, _most_many(rate, stop - soc, soc_per_kw * leg))
        case BatteryMode.SELL:
            rate = battery.max_discharge_kw if rate_kw is None else rate_kw
            wish = np.maximum(np.minimum(rate, out - pv), 0.0)
            floor = max(floor, stop_soc_frac or 0.0)
    given = _most_many(battery.max_discharge_kw, soc - floor, soc_per_kw / leg)
    given = np.maximum(0.0, np.minimum(given, wish))
    taken = _most_many(battery.max_charge_kw, battery.max_soc_frac - soc, soc_per_kw * leg)
    taken = np.maximum(0.0, np.minimum(np.maximum(-wish, pv - out), taken))
    power = np.where(given > 0.0, given, 0.0 - taken)
    used = np.minimum(pv, out - power)
    after = np.where(
        power > 0.0,
        np.maximum(soc - power * soc_per_kw / leg, battery.min_soc_frac),
        np.minimum(soc - power * soc_per_kw * leg, np.maximum(battery.max_soc_frac, soc)),
    )
    after = np.where(power == 0.0, soc, after)
    return BatteryFlows(power, load - power - used, used, pv - used, after)


def _most_many(limit_kw: float, soc_room_frac: Array, soc_per_kw: Array) -> Array:
    room_kw = np.divide(
        soc_room_frac, soc_per_kw, out=np.zeros_like(soc_room_frac), where=soc_per_kw > 0.0
    )
    return np.minimum(np.maximum(room_kw, 0.0), max(limit_kw, 0.0))
