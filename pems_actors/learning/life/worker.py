"""The learning worker: trains models and asks them for forecasts, in a process of its own.

One handler for both jobs; a model once opened is kept. The core never loads what is loaded here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from pems_actors.learning.life.columns import table_of
from pems_actors.learning.life.contest import Band
from pems_actors.learning.life.house_jobs import HouseForecastJob, HouseTold
from pems_actors.learning.life.jobs import (
    LEAST,
    TARGETS,
    ForecastJob,
    LearnJob,
    Told,
    Trained,
    TrainJob,
)
from pems_actors.learning.life.recipes import PERSISTENCE
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.life.training import train
from pems_actors.learning.series.model import BAND, SeriesModel
from pems_actors.learning.series.together import KeepsErrors, Outlook, paths_together
from pems_actors.learning.tables.table import Table

Answer = Trained | Told | HouseTold


def factory() -> Callable[[LearnJob | HouseForecastJob], Answer]:
    """Give the handler of the worker."""
    return handle


def handle(job: LearnJob | HouseForecastJob) -> Answer:
    """Do one job.

    Raises: ValueError in a sentence if there is nothing to train on.
    """
    match job:
        case TrainJob():
            return train(job)
        case HouseForecastJob():
            return tell_house(job)
        case _:
            return tell(job)


def tell_house(job: HouseForecastJob) -> HouseTold:
    """Tell all series, and draw joint paths from the bands of those that could be asked."""
    began_s = time.process_time()
    told = {part.series: tell(part) for part in job.parts}
    outlooks = {}
    for part in job.parts:
        version = part.versions[0] if part.versions else PERSISTENCE.name
        band = told[part.series].rivals.get(version)
        if band is not None:
            outlooks[part.series] = _outlook(part, version, band)
    zone = job.parts[0].place.site.timezone if job.parts else "UTC"
    paths = paths_together(outlooks, zone, job.paths, job.seed) if outlooks else {}
    plain = {name: tuple(map(tuple, drawn.tolist())) for name, drawn in paths.items()}
    return HouseTold(told, plain, time.process_time() - began_s)


def _outlook(job: ForecastJob, version: str, band: Band) -> Outlook:
    step = pd.Timedelta(seconds=job.known.step_s)
    start = pd.Timestamp(job.start_s, unit="s", tz="UTC")
    hours = pd.date_range(start, periods=job.slots, freq=step)
    rows = dict(zip(BAND, (band.p10, band.p50, band.p90), strict=True))
    model = _opened(job.folder, job.series, version) if job.versions else PERSISTENCE
    errors = None
    if isinstance(model, KeepsErrors):
        errors = model.past_errors(job.place.site.timezone)
    return Outlook(pd.DataFrame(rows, index=hours), errors, LEAST.get(job.series, -np.inf))


def tell(job: ForecastJob) -> Told:
    """Ask each version; one that fails is named with its reason, the others are told."""
    known = table_of(job.known, TARGETS[job.series], job.place.site.timezone)
    at = pd.Timestamp(job.issued_at_s, unit="s", tz="UTC")
    hours = pd.date_range(
        pd.Timestamp(job.start_s, unit="s", tz="UTC"), periods=job.slots, freq=known.step
    )
    rivals = {PERSISTENCE.name: _said(PERSISTENCE, known, at, hours)}
    broken = {}
    for version in job.versions:
        try:
            told = _said(_opened(job.folder, job.series, version), known, at, hours)
        except ValueError as problem:  # a sentence
            broken[version] = str(problem)
        except Exception as problem:
            broken[version] = f"{type(problem).__name__}: {problem}"
        else:
            rivals[version] = told
    return Told(job.series, rivals, broken)


@lru_cache(maxsize=24)
def _opened(folder: str, series: str, version: str) -> SeriesModel:
    model: SeriesModel = ModelStore(Path(folder)).revived(series, version)
    return model


def _said(model: SeriesModel, known: Table, at: pd.Timestamp, hours: pd.DatetimeIndex) -> Band:
    """Raises: ValueError if the answer is not whole, finite and in order."""
    told = model.forecast(known, at, hours)
    band = Band.of(*(tuple(told[name].astype(float).tolist()) for name in ("p50", "p10", "p90")))
    if len(band.p50) != len(hours) or not band.sound:
        raise ValueError("it told something that is no forecast")
    return band
