"""Forecasts to beat, on the same terms as ours: yesterday, last week, and plain boosted trees."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.learning.tables.table import Table

Array = npt.NDArray[np.float64]

LAGS_H = (48, 72, 96, 168, 336)
PRICE_LAGS_H = (24, 48, 72, 168, 336)
_ROUNDS = 100  # what XGBRegressor grows by default


@dataclass(frozen=True, slots=True)
class Persistence:
    """The same time of the youngest day that was known, in steps of one day or one week."""

    name: str = "persistence"
    every_days: int = 1
    notes: tuple[str, ...] = ()
    usual: float = 0.0

    def fit(self, history: Table) -> Persistence:
        """Remember only the median, for where nothing is known."""
        usual = float(history.series.median())
        return replace(self, usual=usual if np.isfinite(usual) else 0.0)

    def forecast(
        self,
        known: Table,
        issued_at: pd.Timestamp,  # noqa: ARG002 - what is known tells all
        hours: pd.DatetimeIndex,
    ) -> pd.DataFrame:
        """Tell the youngest known value at the same time of day, or of the week."""
        told = np.full(len(hours), np.nan)
        for back in range(1, 29 // self.every_days + 1):
            if np.isfinite(told).all():
                break
            older = known.series.reindex(hours - pd.Timedelta(days=back * self.every_days))
            told = np.where(np.isfinite(told), told, older.to_numpy(float))
        return point(hours, np.where(np.isfinite(told), told, self.usual))


@dataclass(frozen=True, slots=True, eq=False)
class PlainBoosted:
    """XGBoost with its defaults on hour, weekday, month, a few lags and the given weather."""

    name: str = "xgboost"
    lags_h: tuple[int, ...] = LAGS_H
    notes: tuple[str, ...] = ()
    usual: float = 0.0
    grown: list[object] = field(default_factory=list, repr=False)

    def fit(self, history: Table) -> PlainBoosted:
        """Grow a hundred trees with the library's defaults on all rows whose truth is known."""
        import xgboost as xgb  # noqa: PLC0415 - heavy, and only where trees are grown

        truth = history.series.to_numpy(float)
        known = np.isfinite(truth)
        if known.sum() < 2:
            return replace(self, grown=[])
        features = self._features(history, history.index)
        booster = xgb.train(
            {"nthread": 1}, xgb.DMatrix(features[known], truth[known], nthread=1), _ROUNDS
        )
        return replace(self, grown=[booster], usual=float(truth[known].mean()))

    def forecast(
        self,
        known: Table,
        issued_at: pd.Timestamp,  # noqa: ARG002 - what is known tells all
        hours: pd.DatetimeIndex,
    ) -> pd.DataFrame:
        """Tell what the trees say; lags that are not known at the issue are missing."""
        if not self.grown:
            return point(hours, np.full(len(hours), self.usual))
        told = self.grown[0].inplace_predict(self._features(known, hours))  # type: ignore[attr-defined]
        return point(hours, np.asarray(told, float))

    def _features(self, table: Table, hours: pd.DatetimeIndex) -> Array:
        local = hours.tz_convert(table.timezone)
        columns = [np.asarray(part, float) for part in (local.hour, local.day_of_week, local.month)]
        columns += [
            table.series.reindex(hours - pd.Timedelta(hours=lag)).to_numpy(float)
            for lag in self.lags_h
        ]
        columns += [table.frame[name].reindex(hours).to_numpy(float) for name in table.weather]
        return np.stack(columns, axis=1)


def point(hours: pd.DatetimeIndex, values: Array) -> pd.DataFrame:
    """Write a forecast that knows no spread."""
    return pd.DataFrame(dict.fromkeys(("p10", "p50", "p90", "mean"), values), index=hours)
