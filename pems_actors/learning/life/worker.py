"""The learning worker: trains models and asks them for forecasts, in a process of its own.

One handler for both jobs; a model once opened is kept. The core never loads what is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from pems_actors.learning.life.columns import table_of
from pems_actors.learning.life.contest import Band
from pems_actors.learning.life.jobs import TARGETS, ForecastJob, LearnJob, Told, Trained, TrainJob
from pems_actors.learning.life.recipes import PERSISTENCE
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.life.training import train
from pems_actors.learning.series.model import SeriesModel
from pems_actors.learning.tables.table import Table


def factory() -> Callable[[LearnJob], Trained | Told]:
    """Give the handler of the worker."""
    return handle


def handle(job: LearnJob) -> Trained | Told:
    """Do one job.

    Raises: ValueError in a sentence if there is nothing to train on.
    """
    return train(job) if isinstance(job, TrainJob) else tell(job)


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
