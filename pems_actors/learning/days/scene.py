"""What a forecast may look at: days of a sheet as seen from the noon before each target day.

No measured slot younger than the issue can be asked for, so no feature can use one. Weather is
that of the target day as forecast at the issue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from pems_actors.learning.days.calendar import free_flags, holiday_flags, summer_time_flags
from pems_actors.learning.days.grid import DAY, Array, DayGrid, Ints

_AROUND = 8  # days before and after the sheet whose calendar is known, too


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Target days of a sheet as seen from their issues, on the day before each.

    Args:
        grid: the days; rows after an issue may hold anything, they are never looked at.
        target: name of the sheet to forecast.    rows: the target days, shape (n,).
        seen: how many slots of the day of the issue are known at the issue (all for prices).
        guessed: forecasts in the place of days not measured yet, by lag, shape (n, slots).
        shown: what was asked for before.
    """

    grid: DayGrid
    target: str
    rows: Ints
    seen: int
    guessed: dict[int, Array] = field(default_factory=dict)
    shown: dict[int | str, Array] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of every feature: target days, slots."""
        return len(self.rows), self.grid.slots

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Dates of the target days."""
        return self.grid.days[0] + pd.to_timedelta(self.rows, unit="D")

    @property
    def first(self) -> int:
        """The youngest lag [days] that is known in full."""
        return 1 if self.seen >= self.grid.slots else 2

    def lag(self, days: int) -> Array:
        """Show the target some whole days before; of the day before only what is known.

        Raises: ValueError for a day that lies after the issue.
        """
        if days < 1:
            raise ValueError(f"a lag of {days} days is not known at the issue; give 1 or more")
        if days in self.guessed:
            return self.guessed[days]
        if days not in self.shown:
            values = self._rows(self.grid.sheets[self.target], days)
            if days == 1:
                values[:, self.seen :] = np.nan
            values.setflags(write=False)
            self.shown[days] = values
        return self.shown[days]

    def lags(self, days: Iterable[int]) -> Array:
        """Stack several lags, shape (lags, n, slots)."""
        return np.stack([self.lag(k) for k in days])

    def window(self, days: int) -> Array:
        """Stack the youngest whole days, shape (days, n, slots)."""
        return self.lags(range(self.first, self.first + days))

    def weather(self, name: str, days_before: int = 0) -> Array:
        """Show a weather column on the target day or before; all NaN where there is none."""
        sheet = self.grid.sheets.get(name)
        return np.full(self.shape, np.nan) if sheet is None else self._rows(sheet, days_before)

    def has_weather(self, name: str) -> bool:
        """Tell whether a weather column is known on most target days."""
        return name in self.grid.sheets and bool(np.isfinite(self.weather(name)).mean() > 0.5)

    def mark(self, name: str, shift: int = 0) -> Array:
        """Show a calendar mark of the target day, or of a day beside it, shape (n, 1)."""
        key = f"calendar {name}"
        if key not in self.shown:
            grid = self.grid
            self.shown[key] = _marks(grid.days[0], grid.days[-1], grid.timezone)[name]
        marks = self.shown[key]
        at = np.minimum(np.maximum(self.rows + shift + _AROUND, 0), len(marks) - 1)
        return np.asarray(marks[at][:, None])

    def _rows(self, sheet: Array, days_before: int) -> Array:
        at = self.rows - days_before
        values = sheet[np.minimum(np.maximum(at, 0), len(sheet) - 1)]
        values[(at < 0) | (at >= len(sheet))] = np.nan
        return values


@lru_cache(maxsize=16)
def _marks(first: pd.Timestamp, last: pd.Timestamp, timezone: str) -> dict[str, Array]:
    """Mark the days from the first to the last, and those around them."""
    days = pd.date_range(first - _AROUND * DAY, last + _AROUND * DAY, freq="D")
    return {
        "weekday": np.asarray(days.day_of_week, float),
        "year_day": np.asarray(days.day_of_year, float),
        "month": np.asarray(days.month, float),
        "holiday": holiday_flags(days, timezone),
        "free": free_flags(days, timezone),
        "summer_time": summer_time_flags(days, timezone),
    }
