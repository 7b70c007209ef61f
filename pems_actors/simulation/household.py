"""What the people of a simulated house use besides heating: a real load's rhythm, scaled.

The recorded house heats partly by electricity, so its load is divided by its own monthly mean;
what remains is when people cook, wash and sleep. Quarters and minutes get seeded roughness that
leaves the hour's energy as it is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pems_actors.data import household_load
from pems_actors.domain.units import HOUR_S
from pems_actors.simulation.calendars import moved_into
from pems_actors.simulation.randomness import generator
from pems_actors.simulation.series import QUARTERS, quarter_middles

Array = npt.NDArray[np.float64]

STANDBY_KW = 0.12
ACTIVE_KW = 0.28  # mean above standby
_MONTH_H = 28 * 24
_WEEK_H = 7 * 24
_QUARTER_ROUGHNESS = 0.35
_MINUTE_ROUGHNESS = 0.30


@lru_cache(maxsize=256)
def base_load_day(seed: int, day: int) -> Array:
    """Give the quarter-hour means of one UTC day, shape (96,) [kW]."""
    table = household_load()
    moved = moved_into(quarter_middles(day), table.start_s, table.end_s)
    hours = ((moved - table.start_s) // HOUR_S).astype(int)
    rough = generator(seed, "base quarters", day).lognormal(0.0, _QUARTER_ROUGHNESS, (24, 4))
    rough /= rough.mean(axis=1, keepdims=True)
    return np.asarray(STANDBY_KW + ACTIVE_KW * _activity()[hours] * rough.reshape(QUARTERS))


def minute_factors(seed: int, day: int) -> Array:
    """Give factors per minute whose mean over each quarter is 1, shape (1440,)."""
    rough = generator(seed, "base minutes", day).lognormal(0.0, _MINUTE_ROUGHNESS, (QUARTERS, 15))
    rough /= rough.mean(axis=1, keepdims=True)
    return np.asarray(rough.reshape(-1))


@lru_cache(maxsize=1)
def _activity() -> Array:
    """Turn the recorded load into activity with a mean of 1 over every month."""
    load = household_load()["load_kw"].copy()
    for hour in np.flatnonzero(np.isnan(load)):
        load[hour] = load[hour - _WEEK_H]  # rising order, so that longer gaps fill themselves
    padded = np.pad(load, _MONTH_H // 2, mode="reflect")
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    month_mean = (sums[_MONTH_H:] - sums[:-_MONTH_H])[: len(load)] / _MONTH_H
    return np.asarray(load / month_mean)
