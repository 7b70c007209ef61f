"""The PV physics, run in a worker process because pvlib brings pandas along.

A job is plain data, and so is the answer. The core learns on top of it what this very roof gives
(`pv.PvScaler`).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from pems_actors.domain.forecasts import resample
from pems_actors.domain.house import InverterModel
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import QUARTER_S
from pems_actors.forecasting.pv_job import PvJob
from pems_actors.forecasting.quarters import onto, quarters_over
from pems_actors.physics.solar import Array, Sky, pv_potential_kw, split_ghi
from pems_actors.physics.sun import sun_at


def factory() -> Callable[[PvJob], tuple[float, ...]]:
    """Load pvlib once and give the handler of the worker."""
    import_module("pvlib")
    return handle


def handle(job: PvJob) -> tuple[float, ...]:
    """Compute the mean PV potential of each slot of the job's weather [kW].

    The sun is followed per quarter hour also where slots are longer. It is what the roofs could
    give: export limits and a full battery are the planner's business.
    """
    grid = job.weather.grid
    quarters = quarters_over(grid)
    middles = np.array(quarters.starts_s) + QUARTER_S / 2.0
    sky = _sky(job, quarters, middles)
    power = pv_potential_kw(job.site, job.roofs, InverterModel(), sky, middles)
    power = np.minimum(power, job.limit_kw)
    return onto(quarters, tuple(power.tolist()), grid)


def _sky(job: PvJob, quarters: TimeGrid, middles: Array) -> Sky:
    """Bring the weather onto quarter hours; split the global irradiance where only it is known."""
    weather = job.weather
    ghi, dni, dhi, temp = (
        np.array(resample(weather.grid, values, quarters))
        for values in (weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2, weather.outdoor_c)
    )
    if not dni.any() and not dhi.any():
        dni, dhi = split_ghi(ghi, sun_at(job.site, middles), middles)
    return Sky(ghi, dni, dhi, temp)
