"""Boosted trees as anyone would grow them: the library's defaults on hour, weekday, month, lags.

They are what others compare themselves with. As a member of the ensemble they keep it from ever
being far behind where a house runs like clockwork, or follows its weather to the letter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import feature
from pems_actors.learning.series.boosted import booster_of

LAG_DAYS = (2, 3, 4, 7, 14)
PRICE_LAG_DAYS = (1, 2, 3, 7, 14)
_ROUNDS = 100
_FEWEST_ROWS = 400
_MOST_ROWS = 40_000


@dataclass(frozen=True, slots=True, eq=False)
class UsualTrees:
    """Trees on nothing but the calendar, some lags and all the weather that is told."""

    name: str = "trees as usual"
    lag_days: tuple[int, ...] = LAG_DAYS
    trees: bytes | None = None
    loaded: list[object] = field(default_factory=list, repr=False)

    def fit(self, scene: Scene, truth: Array) -> UsualTrees:
        """Grow the trees on all slots whose truth is known."""
        x, y = self._inputs(scene), truth.ravel()
        rows = np.flatnonzero(np.isfinite(y))
        if len(rows) < _FEWEST_ROWS:
            return replace(self, trees=None, loaded=[])
        rows = rows[:: -(-len(rows) // _MOST_ROWS)]
        return replace(self, trees=_grown(x[rows], y[rows]), loaded=[])

    def predict(self, scene: Scene) -> Array:
        """Forecast all target days of a scene."""
        if self.trees is None:
            return np.full(scene.shape, np.nan)
        if not self.loaded:
            self.loaded.append(booster_of(self.trees))
        told = self.loaded[0].inplace_predict(self._inputs(scene))  # type: ignore[attr-defined] # a Booster
        return np.asarray(told, float).reshape(scene.shape)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the loaded booster."""
        return UsualTrees, (self.name, self.lag_days, self.trees)

    def _inputs(self, scene: Scene) -> Array:
        shown = [feature(scene, name) for name in ("hour", "weekday", "month")]
        shown += [scene.lag(days) for days in self.lag_days]
        weather = [name for name in scene.grid.sheets if name != scene.target]
        shown += [scene.weather(name) for name in sorted(weather)]
        return np.stack([part.ravel() for part in shown], axis=1)


def _grown(x: Array, y: Array) -> bytes:
    import xgboost as xgb  # noqa: PLC0415 - heavy, and only where trees are grown

    data = xgb.QuantileDMatrix(x, y, nthread=1)
    return bytes(xgb.train({"nthread": 1}, data, _ROUNDS).save_raw("ubj"))
