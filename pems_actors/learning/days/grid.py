"""A series as a sheet of local days: one row per date, one column per slot of the day.

Breakfast stays in its column over daylight saving: the hour that is skipped in spring is missing,
the hour that comes twice in autumn is averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.learning.tables.table import Table

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where instants lie in the sheet: the local date of each, and its slot of the day."""

    dates: pd.DatetimeIndex
    slots: Ints

    @classmethod
    def of(cls, index: pd.DatetimeIndex, step: pd.Timedelta, timezone: str) -> Places:
        """Find the places of UTC instants."""
        local = index.tz_convert(timezone).tz_localize(None)
        dates = local.normalize()
        return cls(dates, np.asarray((local - dates) // step, np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class DayGrid:
    """Columns of a table as sheets of shape (days, slots), NaN where nothing is known."""

    days: pd.DatetimeIndex
    sheets: dict[str, Array]
    step: pd.Timedelta
    timezone: str

    @classmethod
    def of(cls, table: Table, extra_days: int = 0) -> DayGrid:
        """Lay a table out, with empty days after its end if asked for."""
        places = Places.of(table.index, table.step, table.timezone)
        days = pd.date_range(places.dates[0], places.dates[-1] + extra_days * DAY, freq="D")
        rows = np.asarray((places.dates - days[0]) // DAY, np.intp)
        shape = (len(days), slots_per_day(table.step))
        sheets = {
            str(name): _sheet(table.frame[name].to_numpy(float), rows, places.slots, shape)
            for name in table.frame.columns
        }
        return cls(days, sheets, table.step, table.timezone)

    @property
    def slots(self) -> int:
        """Count the slots of a day."""
        return slots_per_day(self.step)

    def row_of(self, date: pd.Timestamp) -> int:
        """Find the row of a local date; it may lie outside."""
        return int((date - self.days[0]) // DAY)


def slots_per_day(step: pd.Timedelta) -> int:
    """Count the slots of an ordinary day."""
    return max(1, round(DAY / step))


def _sheet(values: Array, rows: Ints, slots: Ints, shape: tuple[int, int]) -> Array:
    """Average the values that fall onto each place."""
    known = np.isfinite(values)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (rows[known], slots[known]), values[known])
    np.add.at(count, (rows[known], slots[known]), 1.0)
    return np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan)
