"""Paths of several series at once, that go wrong together as they did before.

A bright morning is bright for the roof and cheap on the market, a cold week is long. Each model
keeps its past errors by local day; the errors of the same past days, moved into today's bands, are
the paths (`quantiles.scenarios`). Where models share no past their paths are independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from pems_actors.learning.days.grid import DAY, Array, DayGrid, Ints, Places
from pems_actors.learning.series.quantiles import LEVELS, scenarios
from pems_actors.learning.tables.table import Table

_MOST_DAYS = 200  # the newest: a season or two
_FEWEST_DAYS = 10
_KNOWN_FRAC = 0.25  # of the slots of a day, which is all that a winter sun lights


@dataclass(frozen=True, slots=True, eq=False)
class PastErrors:
    """What came true minus the median a day ahead: local dates, and a sheet (days, slots)."""

    days: pd.DatetimeIndex
    sheet: Array

    @classmethod
    def of(cls, errors: pd.Series[float], step: pd.Timedelta, timezone: str) -> PastErrors:
        """Lay errors out by day; `errors` is indexed by slot start, UTC, and may have holes."""
        index = pd.date_range(errors.index[0], errors.index[-1], freq=step)
        table = Table(errors.reindex(index).to_frame("error"), "error", timezone)
        grid = DayGrid.of(table)
        return cls(grid.days, grid.sheets["error"])

    @classmethod
    def sorted(cls, days: pd.DatetimeIndex, sheet: Array) -> PastErrors:
        """Put days that are known one by one onto a whole calendar."""
        every = pd.date_range(days.min(), days.max(), freq="D")
        rows = every.get_indexer(days)
        whole = np.full((len(every), sheet.shape[1]), np.nan)
        whole[rows] = sheet
        return cls(every, whole)

    @property
    def told(self) -> pd.DatetimeIndex:
        """Days of which enough is known."""
        enough = np.isfinite(self.sheet).mean(axis=1) > _KNOWN_FRAC
        return pd.DatetimeIndex(self.days[enough])

    def along(self, begin: pd.DatetimeIndex, ahead: Ints, slots: Ints) -> Array:
        """Follow the errors from some days on, shape (len(begin), len(slots)).

        Args:
            ahead: days between the first day and each slot.    slots: place of each in its day.
        """
        rows = np.asarray((begin - self.days[0]) // DAY, int)[:, None] + ahead[None, :]
        held = self.sheet[np.clip(rows, 0, len(self.sheet) - 1), slots]
        return np.where((rows >= 0) & (rows < len(self.sheet)), held, np.nan)


@runtime_checkable
class KeepsErrors(Protocol):
    """A model that remembers how wrong it was."""

    def past_errors(self, timezone: str) -> PastErrors | None:
        """Give its errors on days that it had not seen; None if it has none yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """A forecast to draw paths from: its band (`p10 p50 p90` by slot start), and past errors."""

    told: pd.DataFrame
    errors: PastErrors | None
    least: float = -np.inf


def paths_together(
    outlooks: Mapping[str, Outlook], timezone: str, count: int = 20, seed: int = 1
) -> dict[str, Array]:
    """Draw joint paths of all series.

    Args:
        outlooks: by series, at least one; each over evenly spaced slots of its own.
    Returns: per series paths of shape (count, slots); path k of all series is one past day.
    """
    known = {name: look.errors for name, look in outlooks.items() if look.errors is not None}
    shared, past = _shared(list(known.values())), {}
    places = {name: _places(look, timezone) for name, look in outlooks.items()}
    today = min(place.dates[0] for place in places.values())
    if len(shared) >= _FEWEST_DAYS:
        for name, errors in known.items():
            ahead = np.asarray((places[name].dates - today) // DAY, int)
            past[name] = errors.along(shared, ahead, places[name].slots)
    bands = {
        name: {
            level: look.told[column].to_numpy(float)
            for level, column in zip(LEVELS, ("p10", "p50", "p90"), strict=True)
        }
        for name, look in outlooks.items()
    }
    drawn = scenarios(bands, past, count, seed)
    return {name: np.maximum(paths, outlooks[name].least) for name, paths in drawn.items()}


def _places(look: Outlook, timezone: str) -> Places:
    hours = pd.DatetimeIndex(look.told.index)
    return Places.of(hours, pd.Timedelta(hours[1] - hours[0]), timezone)


def _shared(all_errors: list[PastErrors]) -> pd.DatetimeIndex:
    """List the newest days of which all models know their errors."""
    if not all_errors:
        return pd.DatetimeIndex([])
    days = [errors.told for errors in all_errors]
    return reduce(lambda one, other: one.intersection(other), days)[-_MOST_DAYS:]
