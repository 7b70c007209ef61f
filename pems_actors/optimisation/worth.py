"""What is left at the end of the horizon is worth something: heat in the house, charge, a limit.

Without these prices a plan would end with cold floors and an empty battery. Heat counts as a
shortfall below the state that holds the comfort band; more than that is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pems_actors.domain.house import BatteryModel
from pems_actors.domain.plan import Weights
from pems_actors.optimisation.grid import Array, Stages
from pems_actors.optimisation.thermal import REFERENCE_C, STRUCTURE, Rooms

_DAY_H = 24.0


@dataclass(frozen=True, slots=True)
class EndWorth:
    """Prices at the end: per kWh of heat missing, per kWh of charge; and the wanted heat.

    `wanted_k` are screed and structure temperatures (2, rooms) above the reference.
    """

    heat_per_kwh: float
    charge_per_kwh: float
    wanted_k: Array


def end_worth(
    rooms: Rooms, stages: Stages, battery: BatteryModel, weights: Weights, disturbance: Array
) -> EndWorth:
    """Price what the horizon leaves behind, from the last day's prices and comfort wishes."""
    last = stages.edges_s[1:] > stages.edges_s[-1] - _DAY_H * 3600.0
    hours = np.where(last, stages.hours, 0.0)
    open_hours = hours * ~stages.blocked
    heating_hours = open_hours if open_hours.sum() > 0.0 else hours
    buy = stages.buy + weights.import_extra_per_kwh
    heat = float(np.average(buy, weights=heating_hours))
    return EndWorth(
        heat_per_kwh=max(heat, 0.0),
        charge_per_kwh=_charge_worth(stages, hours, buy, battery, weights),
        wanted_k=_wanted(rooms, stages, hours, disturbance),
    )


def _charge_worth(
    stages: Stages, hours: Array, buy: Array, battery: BatteryModel, weights: Weights
) -> float:
    """Price a kWh in the battery: what it saves in the hours without enough sun, less wear.

    Where the sun leaves little to be covered, part of a full battery would not be used.
    """
    missing = np.maximum(stages.base_kw - stages.pv_kw, 0.0) * hours
    if missing.sum() <= 0.0:
        return 0.0
    used = min(1.0, float(missing.sum()) / max(battery.capacity_kwh, 1e-9))
    saved = battery.leg_frac * (
        float(np.average(buy, weights=missing)) - battery.wear_per_kwh * weights.wear_factor
    )
    return max(saved * used, 0.0)


def _wanted(rooms: Rooms, stages: Stages, hours: Array, disturbance: Array) -> Array:
    """Find screed and structure that hold the low edge of the band in the last day's weather."""
    air = np.average(stages.low_c, axis=0, weights=hours) - REFERENCE_C
    outdoor = float(np.average(stages.outdoor_c, weights=hours)) - REFERENCE_C
    sun = float(np.average(stages.ghi_w_m2, weights=hours))
    gain = outdoor * rooms.outdoor_kw_k + sun * rooms.solar_kw_per_w_m2
    gain[:, 1] += rooms.internal_kw + disturbance
    to_structure = rooms.g_air_structure
    structure_out = rooms.outdoor_kw_k[:, STRUCTURE]
    balance = np.diag(to_structure + structure_out + rooms.links.sum(axis=1)) - rooms.links
    known = gain[:, STRUCTURE] + to_structure * air
    structure = np.linalg.lstsq(balance, known, rcond=None)[0]
    demand = rooms.outdoor_kw_k[:, 1] * air - gain[:, 1] + to_structure * (air - structure)
    screed = air + np.maximum(demand, 0.0) / np.maximum(rooms.g_screed_air, 1e-9)
    return np.stack([screed, structure])


def grid_excess_price(stages: Stages, weights: Weights) -> float:
    """Price a kWh over the grid limit so dearly that only the base load can cause it."""
    dearest = float(np.abs(stages.buy).max())
    return 50.0 * max(dearest, weights.cold_per_kh, weights.warm_per_kh, 1e-3)
