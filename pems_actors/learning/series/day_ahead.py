"""Rolling day-ahead forecasts as they would have been made: issued at noon, for the next local day.

At an issue a model sees no measured value younger than the issue; published prices are known to
the end of the day of the issue. Models are fitted anew every week on all that was known by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from pems_actors.learning.series.model import SeriesModel
from pems_actors.learning.tables.table import Table

ISSUE_HOUR = 12
REFIT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Issue:
    """One forecast to be made at `at`, knowing the target before `known_until`.

    `hours` are the slots of the next two local days; the first `day_1` of them are the next day.
    """

    at: pd.Timestamp
    known_until: pd.Timestamp
    hours: pd.DatetimeIndex
    day_1: int

    @property
    def end(self) -> pd.Timestamp:
        """Start of the last slot."""
        return self.hours[-1]


def local_midnight(day: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """Find the UTC instant at which a local date begins."""
    naive = pd.Timestamp(day.year, day.month, day.day)
    return naive.tz_localize(timezone, nonexistent="shift_forward", ambiguous=True).tz_convert(
        "UTC"
    )


def issues(
    table: Table, test_from: pd.Timestamp, test_until: pd.Timestamp, *, published: bool = False
) -> Iterator[Issue]:
    """List the noons before each local day from `test_from` to `test_until` (exclusive).

    Args:
        test_from, test_until: naive local dates.
        published: the whole day of the issue is already known, as with auction prices.
    """
    zone, step = table.timezone, table.step
    for day in pd.date_range(test_from, test_until, freq="D", inclusive="left"):
        start, middle, end = (local_midnight(day + pd.Timedelta(days=k), zone) for k in (0, 1, 2))
        noon = (day - pd.Timedelta(days=1) + pd.Timedelta(hours=ISSUE_HOUR)).tz_localize(zone)
        hours = pd.date_range(start, end, freq=step, inclusive="left")
        yield Issue(
            at=noon.tz_convert("UTC"),
            known_until=start if published else noon.tz_convert("UTC"),
            hours=hours,
            day_1=int((hours < middle).sum()),
        )


@runtime_checkable
class ForecastsSeveral(Protocol):
    """A model that makes the forecasts of several issues at once, each from what it knew."""

    def forecast_each(self, table: Table, todo: Sequence[Issue]) -> list[pd.DataFrame]:
        """Make the same forecasts as `forecast` would, one by one."""


def roll(
    model: SeriesModel,
    table: Table,
    todo: Sequence[Issue],
    train_until: pd.Timestamp,
    refit_days: int = REFIT_DAYS,
    said: list[str] | None = None,
) -> pd.DataFrame:
    """Make all forecasts of a test span as they would have been made.

    Args:
        model: not fitted yet, or fitted on rows before `train_until`.
        todo: the issues, in order of time.    train_until: end of the first training, UTC.
        said: takes what the first and the last fit say of themselves.
    Returns: one row per issue and slot: `issued_at`, `day` (1 or 2), `p10 p50 p90 mean`, indexed
        by slot start.
    """
    parts: list[pd.DataFrame] = []
    fitted, first = model, model
    for week in weeks(todo, refit_days):
        known_until = week[0].known_until if parts else min(train_until, week[0].known_until)
        fitted = fitted.fit(table.before(known_until))
        first = fitted if first is model else first
        for issue, told in zip(week, _told(fitted, table, week), strict=True):
            day = np.where(np.arange(len(told)) < issue.day_1, 1, 2)
            mean = told["mean"] if "mean" in told else told["p50"]
            parts.append(told.assign(mean=mean, issued_at=issue.at, day=day))
    if said is not None:
        said += [f"first fit: {each}" for each in first.notes]
        said += [f"last fit: {each}" for each in fitted.notes]
    return pd.concat(parts) if parts else pd.DataFrame()


def weeks(todo: Sequence[Issue], days: int = REFIT_DAYS) -> Iterator[list[Issue]]:
    """Part issues into those that one fit serves."""
    week: list[Issue] = []
    for issue in todo:
        if week and issue.at - week[0].at >= pd.Timedelta(days=days):
            yield week
            week = []
        week.append(issue)
    if week:
        yield week


def _told(model: SeriesModel, table: Table, week: Sequence[Issue]) -> list[pd.DataFrame]:
    """Make the forecasts of one fit, at once where the model can."""
    if isinstance(model, ForecastsSeveral):
        return model.forecast_each(table, week)
    return [
        model.forecast(
            table.as_known(issue.known_until, issue.hours[-1] + table.step), issue.at, issue.hours
        )
        for issue in week
    ]
