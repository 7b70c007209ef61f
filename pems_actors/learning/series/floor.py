"""The models that need almost nothing: yesterday again, and the usual week. Others must beat them.

They answer on the first day too; `SeasonalMean` is a real rival where history is short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.learning.tables.table import Table

Array = npt.NDArray[np.float64]

RECENT_DAYS = 42
DAYS_BACK = 10
_LEAST_PER_SLOT = 3
_WEEKEND = 5


@dataclass(frozen=True, slots=True)
class Persistence:
    """The last known day again, at the same time of day; it has no spread."""

    name: str = "persistence"
    notes: tuple[str, ...] = ()

    def fit(self, history: Table) -> Self:
        """Learn nothing."""
        del history
        return self

    def forecast(
        self, known: Table, issued_at: pd.Timestamp, hours: pd.DatetimeIndex
    ) -> pd.DataFrame:
        """Repeat the newest known value of each time of day, looking back ten days."""
        del issued_at
        past = known.series.to_numpy(dtype=float)
        first = known.index[0] if len(past) else hours[0]
        at = np.asarray((hours - first) // known.step, int)
        values = np.full(len(hours), np.nan)
        for back in range(1, DAYS_BACK + 1):
            then = at - back * round(pd.Timedelta(days=1) / known.step)
            inside = (then >= 0) & (then < len(past)) & np.isnan(values)
            values[inside] = past[then[inside]]
        usual = float(np.nanmean(past)) if np.isfinite(past).any() else 0.0
        values = np.nan_to_num(values, nan=usual)
        return pd.DataFrame({"p10": values, "p50": values, "p90": values}, index=hours)


@dataclass(frozen=True, slots=True, eq=False)
class SeasonalMean:
    """Quantiles of the last weeks by local time of day, workdays apart from weekends.

    With `local` false it follows UTC, as the sun does, and all days are alike.
    """

    local: bool = True
    name: str = "seasonal"
    notes: tuple[str, ...] = ()
    table: pd.DataFrame | None = None

    def fit(self, history: Table) -> Self:
        """Collect the quantiles of each time of day."""
        series = history.series.dropna()
        if series.empty:
            return replace(self, table=None, notes=("nothing is known; the floor serves",))
        series = series.loc[series.index >= series.index[-1] - pd.Timedelta(days=RECENT_DAYS)]
        index = pd.DatetimeIndex(series.index)
        kind, slot = self._slots(index, history.timezone)
        rows = pd.DataFrame({"value": series.to_numpy(), "kind": kind, "slot": slot})
        both = pd.concat([rows, rows.assign(kind=2)])  # 2: any day, where a kind is too rarely seen
        grouped = both.groupby(["kind", "slot"])["value"]
        shares = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
        told = pd.DataFrame({name: grouped.quantile(share) for name, share in shares.items()})
        told["count"] = grouped.count()
        days = (index[-1] - index[0]) / pd.Timedelta(days=1)
        return replace(self, table=told, notes=(f"usual days of the last {days:.1f} days",))

    def forecast(
        self, known: Table, issued_at: pd.Timestamp, hours: pd.DatetimeIndex
    ) -> pd.DataFrame:
        """Tell the usual quantiles of each slot; persistence where nothing was learned."""
        floor = Persistence().forecast(known, issued_at, hours)
        if self.table is None:
            return floor
        kind, slot = self._slots(hours, known.timezone)
        own = self.table.reindex(pd.MultiIndex.from_arrays([kind, slot]))
        any_day = self.table.reindex(pd.MultiIndex.from_arrays([np.full(len(slot), 2), slot]))
        seen = own["count"].fillna(0).to_numpy() >= _LEAST_PER_SLOT
        columns = {}
        for name in ("p10", "p50", "p90"):
            values = np.where(seen, own[name].to_numpy(), any_day[name].to_numpy())
            columns[name] = np.where(np.isnan(values), floor[name].to_numpy(), values)
        return pd.DataFrame(columns, index=hours)

    def _slots(self, index: pd.DatetimeIndex, timezone: str) -> tuple[Array, Array]:
        """Kind of day (0 workday, 1 weekend) and quarter hour of it."""
        when = index.tz_convert(timezone) if self.local else index
        kind = (when.day_of_week >= _WEEKEND).astype(int) if self.local else np.zeros(len(index))
        return np.asarray(kind, dtype=float), np.asarray(when.hour * 4 + when.minute // 15, float)
