"""Quarter hours: the clock by which profiles learn, in local time or in UTC.

A quarter is an integer, the count of quarter hours since the epoch. Local indices repeat for an
hour in autumn and skip one in spring, so that breakfast stays breakfast over daylight saving.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil, isfinite
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pems_actors.domain.forecasts import resample
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import QUARTER_S

QUARTERS_PER_DAY = 96
QUARTERS_PER_WEEK = 7 * QUARTERS_PER_DAY
_NUMBER = (float, int)


def quarter_of(at_s: float) -> int:
    """Count the quarter hours from the epoch to the one that holds `at_s`."""
    return int(at_s // QUARTER_S)


def quarters_over(grid: TimeGrid) -> TimeGrid:
    """Make the grid of whole quarter hours that covers another grid."""
    first = quarter_of(grid.start_s)
    return TimeGrid.uniform(first * QUARTER_S, ceil(grid.end_s / QUARTER_S) - first)


def onto(quarters: TimeGrid, values: tuple[float, ...], grid: TimeGrid) -> tuple[float, ...]:
    """Average quarter hours over the slots of a grid; on their own grid they pass as they are."""
    return values if quarters == grid else resample(quarters, values, grid)


@lru_cache(maxsize=4096)
def week_quarter(quarter: int, timezone: str) -> int:
    """Index of a quarter in the local week: 0 is Monday 00:00, 671 is Sunday 23:45."""
    when = datetime.fromtimestamp(quarter * QUARTER_S, ZoneInfo(timezone))
    return when.weekday() * QUARTERS_PER_DAY + when.hour * 4 + when.minute // 15


@lru_cache(maxsize=8192)
def days_before(quarter: int, days: int, timezone: str) -> int:
    """Find the quarter at the same local time some days before.

    A local time that was skipped in spring gives the quarter an hour later.
    """
    when = datetime.fromtimestamp(quarter * QUARTER_S, ZoneInfo(timezone))
    return quarter_of((when - timedelta(days=days)).timestamp())


def number(value: object) -> float | None:
    """Take a finite number; refuse None, NaN, infinities, truth values and text."""
    if isinstance(value, _NUMBER) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    return None


class QuarterMean(NamedTuple):
    """The mean of the samples of one quarter hour while it fills."""

    quarter: int = -1
    total: float = 0.0
    samples: int = 0

    def add(self, at_s: float, value: float) -> QuarterMean:
        """Take a sample into this quarter, or begin a new one with it."""
        quarter = int(at_s // QUARTER_S)
        if quarter == self.quarter:
            return QuarterMean(quarter, self.total + value, self.samples + 1)
        return QuarterMean(quarter, value, 1)

    @property
    def mean(self) -> float:
        """Mean of the samples so far; only defined when there is one."""
        return self.total / self.samples
