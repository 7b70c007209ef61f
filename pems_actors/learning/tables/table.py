"""A clean series table: evenly stepped in UTC, missing is NaN, and sentences about what was done.

Everything that learns reads one of these. How anyone's CSV becomes one is told in `reading`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns over an unbroken, evenly stepped UTC index (starts of the intervals).

    `frame` holds floats, NaN where nothing is known. `target` names the column to be forecast, ""
    where there is none. Weather columns are called `temp_c`, `ghi_w_m2`, `dni_w_m2`, `dhi_w_m2`,
    `wind_m_s`. Powers are interval means. Nobody writes into `frame`.
    """

    frame: pd.DataFrame
    target: str
    timezone: str = "Europe/Prague"
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> pd.Timedelta:
        """Length of an interval."""
        index = self.frame.index
        return pd.Timedelta(index[1] - index[0]) if len(index) > 1 else pd.Timedelta(hours=1)

    @property
    def index(self) -> pd.DatetimeIndex:
        """Starts of the intervals, UTC."""
        return pd.DatetimeIndex(self.frame.index)

    @property
    def series(self) -> pd.Series[float]:
        """The column to be forecast."""
        return self.frame[self.target]

    @property
    def weather(self) -> tuple[str, ...]:
        """Names of the columns that are forecast for us by others."""
        return tuple(str(name) for name in self.frame.columns if name != self.target)

    @property
    def rows(self) -> int:
        """Count the rows whose target is known."""
        return int(self.series.notna().sum())

    @property
    def days(self) -> float:
        """Days of history whose target is known."""
        return self.rows * self.step / pd.Timedelta(days=1)

    def before(self, end: pd.Timestamp) -> Table:
        """Keep the rows that start before `end`."""
        return replace(self, frame=self.frame.loc[self.frame.index < end])

    def as_known(self, target_until: pd.Timestamp, weather_until: pd.Timestamp) -> Table:
        """Hide the target from `target_until` on and everything from `weather_until` on."""
        frame = self.frame.loc[self.frame.index < weather_until].copy()
        if self.target:
            frame.loc[frame.index >= target_until, self.target] = float("nan")
        return replace(self, frame=frame)

    def noted(self, sentences: Iterable[str]) -> Table:
        """Add sentences about what was seen and done."""
        return replace(self, notes=(*self.notes, *sentences))
