"""`pems bench training`: what it takes to train all predictors on two years of quarter hours.

Each is trained as in the house: one after the other, in a process of its own that then ends. Load,
PV and prices with every recipe that competes; rooms are identified from their own two years, of
which identification takes the last months.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

import config
from pems_actors.bench.report import Target, report
from pems_actors.blueprint import house_from
from pems_actors.domain.house import House
from pems_actors.domain.units import DAY_S, QUARTER_S, seconds
from pems_actors.learning.life import room_worker, worker
from pems_actors.learning.life.jobs import SERIES, TARGETS, WEATHER, Columns, Place, TrainJob
from pems_actors.learning.life.past import WITH_WEATHER
from pems_actors.learning.life.room_jobs import AIR, FAMILY, GHI, HEAT, OUTDOOR, TrainRooms
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw
from pems_actors.simulation.scenario import Scenario, quarter_grid
from pems_actors.simulation.truth import true_model

START, DAYS, QUICK_DAYS = "2021-03-01T00:00:00Z", 730.0, 60.0
NAMES = (*SERIES, FAMILY)
_ACTUAL = {"load_kw": "base_load_kw", "pv_kw": "pv_kw", "temp_c": "outdoor_c"}
_BAND_K, _NOISE_K = 0.3, 0.05


@dataclass(frozen=True, slots=True)
class Took:
    """What one training took: processor time [s] and the most memory of its process [MB]."""

    cpu_s: float
    rss_mb: float
    said: tuple[str, ...]


def run(*, quick: bool = False, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Train, and report processor time and memory.

    Args:
        quick: sixty days instead of two years.    only: some of load, pv, price and rooms.
    Raises: ValueError for a name that there is not.
    """
    strangers = sorted(set(only or ()) - set(NAMES))
    if strangers:
        raise ValueError(f"nothing is called {strangers[0]!r}; give some of {', '.join(NAMES)}")
    house = house_from(config.load(env={}).system)
    span = QUICK_DAYS if quick else DAYS
    took = {name: _trained(name, house, span) for name in NAMES if name in (only or NAMES)}
    figures: dict[str, Any] = {
        "days": span,
        "cpu_s": round(sum(each.cpu_s for each in took.values()), 1),
        "rss_mb": round(max(each.rss_mb for each in took.values()), 1),
        **{f"{name}_cpu_s": round(each.cpu_s, 1) for name, each in took.items()},
        **{f"{name}_rss_mb": round(each.rss_mb, 1) for name, each in took.items()},
    }
    targets = {"cpu_s": Target("<=", 180.0), "rss_mb": Target("<=", 1024.0)}
    said = [f"{name}: {line}" for name, each in took.items() for line in each.said]
    return {**report("training", figures, targets), "log": said}


def _trained(name: str, house: House, days: float) -> Took:
    """Train in a fresh process, as a worker is."""
    scenario = Scenario.reference(house, seconds(START), days)
    with (
        tempfile.TemporaryDirectory(prefix="pems-training-") as folder,
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
    ):
        job = _rooms_job(house, scenario, folder) if name == FAMILY else None
        return pool.submit(_done, job or _series_job(name, house, scenario, folder)).result()


def _done(job: TrainJob | TrainRooms) -> Took:
    began_s = time.process_time()
    told = room_worker.handle(job) if isinstance(job, TrainRooms) else worker.handle(job)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return Took(time.process_time() - began_s, rss_mb, tuple(getattr(told, "said", ())))


def _series_job(name: str, house: House, scenario: Scenario, folder: str) -> TrainJob:
    grid = quarter_grid(scenario.start_s, scenario.days)
    target = TARGETS[name]
    series = {
        target: scenario.traded_eur_mwh(grid)
        if name == "price"
        else scenario.actual(_ACTUAL[target], grid)
    }
    if name in WITH_WEATHER:
        series |= {each: scenario.actual(_ACTUAL.get(each, each), grid) for each in WEATHER}
    place = Place(house.site, house.roofs)
    history = Columns(scenario.start_s, QUARTER_S, series)
    return TrainJob(name, folder, place, history, scenario.start_s + scenario.days * DAY_S)


def _rooms_job(house: House, scenario: Scenario, folder: str) -> TrainRooms:
    """Let the true house live with plain thermostats, a quarter hour at a time."""
    truth, random = HouseDynamics(true_model(house.model, 0)), np.random.default_rng(0)
    grid = quarter_grid(scenario.start_s, scenario.days)
    outdoor, ghi = scenario.actual("outdoor_c", grid), scenario.actual("ghi_w_m2", grid)
    full_kw = heat_shares_kw(house.model, house.relays).sum(axis=1)
    by_name = {room.name: room.comfort.day_c for room in house.rooms}
    wished = np.array([by_name[name] for name in truth.names])
    temps, heat_kw, rooms = truth.steady_temps(wished, outdoor[0]), 0.0 * wished, truth.rooms
    air, heat = np.empty((len(grid), rooms)), np.empty((len(grid), rooms))
    for k in range(len(grid)):
        air[k] = temps[rooms : 2 * rooms] + random.normal(0.0, _NOISE_K, rooms)
        swing = np.where(heat_kw > 0.0, _BAND_K, -_BAND_K)
        heat_kw = heat[k] = np.where(air[k] < wished + swing, full_kw, 0.0)
        temps = truth.step(temps, heat_kw, outdoor[k], ghi[k], QUARTER_S)
    series = {OUTDOOR: outdoor, GHI: ghi}
    series |= {f"{AIR}{n}": tuple(air[:, k].round(1)) for k, n in enumerate(truth.names)}
    series |= {f"{HEAT}{n}": tuple(heat[:, k]) for k, n in enumerate(truth.names)}
    now_s = scenario.start_s + scenario.days * DAY_S
    return TrainRooms(folder, house.model, Columns(scenario.start_s, QUARTER_S, series), now_s)
