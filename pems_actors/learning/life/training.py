"""Training: fit each recipe, measure it on days that it has not seen, keep it with its card.

The last days are held back, forecast noon by noon as if they were to come, and compared with the
floor and with the version in use; then the recipe learns from all days and is kept. A recipe that
fails is told and left out: the others, and whatever serves today, are not touched by it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pems_actors.learning.life.card import HorizonError, ModelCard
from pems_actors.learning.life.columns import known_part, source_of, table_of
from pems_actors.learning.life.jobs import TARGETS, Place, Trained, TrainJob
from pems_actors.learning.life.recipes import PERSISTENCE, RECIPES, recipe
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.series.day_ahead import ISSUE_HOUR
from pems_actors.learning.series.model import SeriesModel
from pems_actors.learning.tables.table import Table

LEAST_DAYS = 3.0
HELD_BACK_FRAC = 0.25
HELD_BACK_DAYS = (1.0, 10.0)
AHEAD = pd.Timedelta(hours=48)
HORIZONS: Mapping[str, tuple[float, float]] = {
    "0-24 h": (0.0, 24.0),
    "0-6 h": (0.0, 6.0),
    "6-24 h": (6.0, 24.0),
    "24-48 h": (24.0, 48.0),
}


def train(job: TrainJob) -> Trained:
    """Train what is asked for.

    Raises: ValueError in a sentence for too little history, or a series that there is not.
    """
    table = known_part(table_of(job.history, TARGETS[job.series], job.place.site.timezone))
    return train_on(
        table, job.series, job.place, ModelStore(Path(job.folder)), job.now_s, job.recipes,
        job.present,
    )  # fmt: skip


def train_on(
    table: Table,
    series: str,
    place: Place,
    store: ModelStore,
    now_s: float,
    recipes: Sequence[str] = (),
    present: Mapping[str, str] | None = None,
) -> Trained:
    """Train on a table and keep what came of it; see `train`."""
    if table.days < LEAST_DAYS:
        raise ValueError(
            f"{series}: {table.days:.1f} days are known, {LEAST_DAYS:g} are needed; "
            "the floor serves until then"
        )
    cards, said = [], list(table.notes)
    for name in recipes or RECIPES[series]:
        try:
            card = _train_one(table, series, name, place, store, now_s, (present or {}).get(name))
        except Exception as problem:
            said.append(f"{name} could not be trained ({type(problem).__name__}: {problem})")
        else:
            cards.append(card)
    if not cards:
        raise ValueError(f"{series}: nothing could be trained: {'; '.join(said)}")
    store.prune(series, set((present or {}).values()))
    return Trained(series, tuple(cards), tuple(said))


def _train_one(
    table: Table,
    series: str,
    name: str,
    place: Place,
    store: ModelStore,
    now_s: float,
    present: str | None,
) -> ModelCard:
    began_s = time.process_time()
    untrained = recipe(series, name, place)
    in_use = _in_use(store, series, present)
    errors = measured(table, untrained, in_use)
    fitted = (untrained if in_use is None else in_use[0]).fit(table)  # it may go on from its record
    card = ModelCard(
        series=series,
        recipe=name,
        number=0,
        trained_at_s=now_s,
        source=source_of(table),
        errors=errors,
        took_s=round(time.process_time() - began_s, 3),
        notes=(*table.notes, *fitted.notes),
    )
    return store.save(card, fitted)


def _in_use(
    store: ModelStore, series: str, version: str | None
) -> tuple[SeriesModel, float] | None:
    """The version in use and the end of what it has learned from; None where there is none."""
    if version is None:
        return None
    try:
        return store.revived(series, version), store.card(series, version).source.end_s
    except ValueError:
        return None


def measured(
    table: Table, untrained: SeriesModel, present: tuple[SeriesModel, float] | None = None
) -> tuple[HorizonError, ...]:
    """Fit on the older days and judge the forecasts of the newer ones, by lead time."""
    end = table.index[-1] + table.step
    least, most = HELD_BACK_DAYS
    held = min(most, max(least, HELD_BACK_FRAC * ((end - table.index[0]) / pd.Timedelta(days=1))))
    cut = end - pd.Timedelta(days=held)
    older = table.before(cut)
    if older.days < 1.0:
        return ()
    fitted = untrained.fit(older)
    rivals: dict[str, SeriesModel] = {"mine": fitted, "floor": PERSISTENCE}
    if present is not None and present[1] <= cut.timestamp():
        rivals["present"] = present[0]
    rows = [_issue(table, rivals, at) for at in _noons(cut, end, table.timezone)]
    return _by_horizon(pd.concat(rows)) if rows else ()


def _noons(cut: pd.Timestamp, end: pd.Timestamp, timezone: str) -> list[pd.Timestamp]:
    """Noons from `cut` on that have at least a day after them; `cut` itself where none has."""
    first = cut.tz_convert(timezone).normalize() + pd.Timedelta(hours=ISSUE_HOUR)
    last = end - pd.Timedelta(days=1)
    days = pd.date_range(first, last.tz_convert(timezone), freq="D")
    noons = [each.tz_convert("UTC") for each in days]
    inside = [each for each in noons if cut <= each <= last]
    return inside or ([cut] if cut <= last else [])


def _issue(table: Table, rivals: Mapping[str, SeriesModel], at: pd.Timestamp) -> pd.DataFrame:
    """What every rival says at one issue, beside the truth."""
    at = at.floor(table.step)
    until = min(at + AHEAD, table.index[-1] + table.step)
    hours = pd.date_range(at, until, freq=table.step, inclusive="left")
    known = table.as_known(at, until)
    told = pd.DataFrame({"truth": table.series.reindex(hours)}, index=hours)
    told["lead_h"] = (hours - at) / pd.Timedelta(hours=1)
    for name, model in rivals.items():
        said = model.forecast(known, at, hours)
        told[name] = said["p50"].to_numpy()
        told[f"{name}_low"], told[f"{name}_high"] = said["p10"].to_numpy(), said["p90"].to_numpy()
    return told


def _by_horizon(told: pd.DataFrame) -> tuple[HorizonError, ...]:
    known = told.dropna(subset=["truth"])
    rows = []
    for name, (from_h, until_h) in HORIZONS.items():
        part = known.loc[(known["lead_h"] >= from_h) & (known["lead_h"] < until_h)]
        if len(part):
            rows.append(_error(name, part))
    return tuple(rows)


def _error(horizon: str, part: pd.DataFrame) -> HorizonError:
    def mae(name: str) -> float:
        return float((part["truth"] - part[name]).abs().mean())

    awake = part.loc[(part["truth"] != 0.0) | (part["mine_high"] > 0.0)]
    inside = (awake["truth"] >= awake["mine_low"]) & (awake["truth"] <= awake["mine_high"])
    return HorizonError(
        horizon=horizon,
        rows=len(part),
        mae=mae("mine"),
        rmse=float(np.sqrt(((part["truth"] - part["mine"]) ** 2).mean())),
        floor_mae=mae("floor"),
        coverage=float(inside.mean()) if len(awake) else None,
        present_mae=mae("present") if "present" in part else None,
    )
