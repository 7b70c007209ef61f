"""`pems bench forecast-house`: all predictors trained, and a full forecast of the house timed.

Two years of quarter hours of the twin's surroundings train PV, load and price as a house trains
them. Then the worker process is asked for 48 h of all three: bands, and twenty paths that hang
together over time and between series. `quick` trains on a season.
"""

from __future__ import annotations

import queue
import resource
import tempfile
import time
from dataclasses import replace
from itertools import combinations
from math import nan
from statistics import median
from typing import Any

import numpy as np

import config
from pems_actors.actors.learner_school import MODELS
from pems_actors.bench.report import Target, report
from pems_actors.blueprint import house_from
from pems_actors.domain.house import House
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S, seconds
from pems_actors.learning.life.house_jobs import PATHS, HouseForecastJob, HouseTold
from pems_actors.learning.life.jobs import SERIES, TARGETS, Columns, ForecastJob, Place, TrainJob
from pems_actors.learning.life.past import AHEAD_S, RECENT_S
from pems_actors.simulation.scenario import Scenario
from supervision.worker import ProcessWorker, WorkerDone

START = "2022-01-01T00:00:00Z"
DAYS, QUICK_DAYS = 728.0, 120.0
ASKED_TIMES = 12
_STEP_S = {"load": QUARTER_S, "pv": QUARTER_S, "price": HOUR_S}
_TRUTH = {"load": "base_load_kw", "pv": "pv_kw"}
_WEATHER = {"temp_c": "outdoor_c", "ghi_w_m2": "ghi_w_m2", "dni_w_m2": "dni_w_m2",
            "dhi_w_m2": "dhi_w_m2"}  # fmt: skip
_START_TIMEOUT_S = 120.0


def run(*, quick: bool = False, days: float | None = None) -> dict[str, Any]:
    """Train on so many days, then ask for the whole house."""
    span = days or (QUICK_DAYS if quick else DAYS)
    house, start_s = house_from(config.load(env={}).system), seconds(START)
    world = Scenario.reference(house, start_s, span)
    end_s = start_s + span * DAY_S
    with tempfile.TemporaryDirectory(prefix="pems-house-") as folder:
        place = Place(house.site, house.roofs)
        versions, cpu_s = _trained(world, place, folder, start_s, end_s)
        job = HouseForecastJob(
            tuple(_part(world, house, folder, name, versions[name], end_s) for name in SERIES)
        )
        answers, waited_s = _asked(job)
    told = answers[-1]
    figures = {
        "days": span,
        "train_cpu_s": round(sum(cpu_s.values()), 1),
        **{f"train_cpu_s_{name}": round(value, 1) for name, value in cpu_s.items()},
        "train_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1),
        "forecast_cpu_ms": round(1000.0 * median(each.cpu_s for each in answers), 1),
        "forecast_wall_ms": round(1000.0 * median(waited_s), 1),
        "forecast_first_ms": round(1000.0 * answers[0].cpu_s, 1),
        "paths": min((len(each) for each in told.paths.values()), default=0),
        "broken": {name: dict(each.broken) for name, each in told.told.items() if each.broken},
        **_hanging(told),
    }
    targets = {
        "forecast_cpu_ms": Target("<=", 200.0),
        "paths": Target(">=", PATHS),
        "train_cpu_s": Target("<=", 180.0),
        "train_rss_mb": Target("<=", 1024.0),
    }
    return report("forecast-house", figures, targets)


def _trained(
    world: Scenario, place: Place, folder: str, start_s: float, end_s: float
) -> tuple[dict[str, str], dict[str, float]]:
    """Train all three; gives the version of each and the CPU time it took."""
    from pems_actors.learning.life.training import train  # noqa: PLC0415 - loads everything

    versions, cpu_s = {}, {}
    for name in SERIES:
        history = _columns(world, name, start_s, end_s)
        began_s = time.process_time()
        done = train(TrainJob(name, folder, place, history, end_s, ("ensemble",)))
        cpu_s[name] = time.process_time() - began_s
        versions[name] = done.cards[0].version
    return versions, cpu_s


def _columns(
    world: Scenario, series: str, start_s: float, end_s: float, ahead_s: float = 0.0
) -> Columns:
    """Give what is known of a series, and its weather `ahead_s` beyond."""
    step_s = _STEP_S[series]
    known, more = (round(span / step_s) for span in (end_s - start_s, ahead_s))
    grid = TimeGrid.uniform(start_s, known + more, step_s)
    past = TimeGrid.uniform(start_s, known, step_s)
    truth = world.traded_eur_mwh(past) if series == "price" else world.actual(_TRUTH[series], past)
    columns = {TARGETS[series]: (*truth, *(nan,) * more)}
    if series in _TRUTH:
        columns |= {name: world.actual(field, grid) for name, field in _WEATHER.items()}
    return Columns(start_s, step_s, columns)


def _part(
    world: Scenario, house: House, folder: str, series: str, version: str, end_s: float
) -> ForecastJob:
    place = Place(house.site, house.roofs)
    known = _columns(world, series, end_s - RECENT_S, end_s, AHEAD_S)
    slots = round(AHEAD_S / known.step_s)
    return ForecastJob(series, folder, place, known, end_s, end_s, slots, (version,))


def _asked(job: HouseForecastJob) -> tuple[list[HouseTold], list[float]]:
    """Ask the worker process some times; gives its answers and how long each was waited for.

    Raises: ValueError with the worker's reason if it fails.
    """
    outcomes: queue.Queue[Any] = queue.Queue()
    worker = ProcessWorker(replace(MODELS, start_timeout_s=_START_TIMEOUT_S), outcomes.put)
    answers, waited_s = [], []
    try:
        for ticket in range(ASKED_TIMES + 1):
            began_s = time.monotonic()
            worker.submit(ticket, job)
            done = outcomes.get(timeout=2.0 * _START_TIMEOUT_S)
            if not isinstance(done, WorkerDone):
                raise ValueError(f"the worker failed: {done.reason}")  # noqa: TRY004 - a sentence
            answers.append(done.result)
            waited_s.append(time.monotonic() - began_s)
    finally:
        worker.close()
    return answers, waited_s[1:]  # the first waits for the process to start


def _hanging(told: HouseTold) -> dict[str, float]:
    """How paths hang together: from hour to hour, and between series at the same time."""
    hourly = {
        name: np.array(paths).reshape(len(paths), 48, -1).mean(axis=2)
        for name, paths in told.paths.items()
    }
    figures = {
        f"next_hour_{name}": _together(each[:, :-1], each[:, 1:]) for name, each in hourly.items()
    }
    pairs = combinations(sorted(hourly), 2)
    return figures | {f"{a}_with_{b}": _together(hourly[a], hourly[b]) for a, b in pairs}


def _together(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Correlate the ranks that paths have, over all hours in which both differ."""
    spread = (np.ptp(one, axis=0) > 1e-9) & (np.ptp(other, axis=0) > 1e-9)
    if not spread.any():
        return 0.0
    ranks = [each[:, spread].argsort(axis=0).argsort(axis=0).ravel() for each in (one, other)]
    return round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 3)
