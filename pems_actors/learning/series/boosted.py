"""Boosted trees over the feature registry, in units of the recent level: regimes may change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scale import least_width, level_and_width
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import REGISTRY, matrix

_MOST_ROWS = 40_000
_FEWEST_ROWS = 400
_FEW_ROWS = 5000
_FAR = 10.0  # widths from the level; more is a spike that should not lead the trees

FEATURES = (
    *("slot", "weekday", "free", "free_tomorrow", "free_yesterday", "holiday", "bridge"),
    *("free_run", "lag_1d", "lag_2d", "lag_3d", "lag_7d", "lag_8d", "lag_14d"),
    *("lag_2d_1h_before", "lag_2d_1h_after", "lag_7d_1h_before", "lag_7d_1h_after"),
    *("smooth_3d", "smooth_7d", "mean_14d", "smooth_28d", "median_28d", "std_7d", "std_28d"),
    *("min_7d", "max_7d", "faded_2d", "faded_7d", "faded_21d", "weekday_mean_2w"),
    *("weekday_mean_4w", "weekday_mean_8w", "kind_mean_14d", "kind_smooth_28d"),
    *("kind_smooth_56d", "day_mean_1d", "day_mean_2d", "day_mean_7d", "day_min", "day_max"),
    *("day_std", "night_mean", "morning_mean", "noon_mean", "evening_mean", "last_1h", "last_3h"),
    *("last_6h", "last_24h", "today_against_usual", "level_7d", "level_28d", "level_trend"),
    *("standby", "last_year_7d"),
)
PLAIN_FEATURES = (
    *("hour", "weekday", "month", "free", "year_day", "lag_1d", "lag_2d", "lag_3d", "lag_4d"),
    *("lag_7d", "lag_14d", "kind_mean_28d", "level_7d"),
)
_WEATHER = (
    *("temp_c", "temp_c_day", "temp_c_change", "temp_c_slow", "heating_degrees"),
    *("ghi_w_m2", "ghi_w_m2_day", "wind_m_s", "wind_m_s_day"),
)
_PLAIN_FAMILIES = ("calendar", "weather")  # not in the unit of the series
_DIFFERENCES = ("level_trend", "trend_7d_28d", "today_against_usual", "peak_slot")
_SETTINGS = {
    "max_depth": 4,
    "eta": 0.075,
    "subsample": 0.7,
    "colsample_bytree": 0.3,
    "tree_method": "hist",
    "seed": 11,
    "nthread": 1,  # the other core belongs to the house
}
_PLAIN = {"max_depth": 6, "eta": 0.1, "colsample_bytree": 0.8, "min_child_weight": 5}


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """Boosted trees whose measured features and truth are distances from the recent level.

    `plain` ones take everything as it is and cut finer: they know a clockwork when they see one.
    """

    name: str
    objective: str = "reg:squarederror"
    rounds: int = 100
    plain: bool = False
    features: tuple[str, ...] = FEATURES
    least: float = 0.0  # narrowest width that is believed
    trees: bytes | None = None
    loaded: list[object] = field(default_factory=list, repr=False)

    def fit(self, scene: Scene, truth: Array) -> Boosted:
        """Grow the trees on all slots whose truth is known."""
        told = (n for n in _WEATHER if _known(scene, n))
        names = (*(PLAIN_FEATURES if self.plain else FEATURES), *told)
        fresh = replace(self, features=names, least=least_width(truth), trees=None, loaded=[])
        x, centre, width = fresh.inputs(scene)
        y = ((truth - centre) / width).ravel()
        y = y if self.plain else np.clip(y, -_FAR, _FAR)
        rows = np.flatnonzero(np.isfinite(y))
        if len(rows) < _FEWEST_ROWS:
            return fresh
        if len(rows) > _MOST_ROWS:
            rows = np.sort(np.random.default_rng(5).choice(rows, _MOST_ROWS, replace=False))
        return replace(fresh, trees=self._grown(x[rows], y[rows]))

    def _grown(self, x: Array, y: Array) -> bytes:
        import xgboost as xgb  # noqa: PLC0415 - heavy, and only where trees are grown

        leaf = 20 if len(y) < _FEW_ROWS else 60
        settings = _SETTINGS | {"objective": self.objective, "min_child_weight": leaf}
        settings |= _PLAIN if self.plain else {}
        data = xgb.QuantileDMatrix(x, y, nthread=1)
        return bytes(xgb.train(settings, data, self.rounds).save_raw("ubj"))

    def predict(self, scene: Scene) -> Array:
        """Forecast all target days of a scene."""
        if self.trees is None:
            return np.full(scene.shape, np.nan)
        if not self.loaded:
            self.loaded.append(booster_of(self.trees))
        x, centre, width = self.inputs(scene)
        told = self.loaded[0].inplace_predict(x)  # type: ignore[attr-defined] # a Booster
        return np.asarray(centre + width * np.asarray(told, float).reshape(scene.shape))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the loaded booster."""
        state = (self.name, self.objective, self.rounds, self.plain, self.features)
        return Boosted, (*state, self.least, self.trees)

    def inputs(self, scene: Scene) -> tuple[Array, Array, Array]:
        """Give the features, and the level and width in whose units they are."""
        x = matrix(scene, self.features)
        if self.plain:
            return x, np.zeros((len(scene.rows), 1)), np.ones((len(scene.rows), 1))
        centre, width = level_and_width(scene, self.least)
        measured = np.array([REGISTRY[n].family not in _PLAIN_FAMILIES for n in self.features])
        spreads = np.array(["std" in n or n in _DIFFERENCES for n in self.features])
        c, w = (np.repeat(part, scene.shape[1])[:, None] for part in (centre, width))
        return np.where(measured, (x - np.where(spreads, 0.0, c)) / w, x), centre, width


def booster_of(trees: bytes) -> object:
    """Load grown trees."""
    import xgboost as xgb  # noqa: PLC0415 - heavy, and only where trees were grown

    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(trees))
    return booster


def _known(scene: Scene, name: str) -> bool:
    return bool(np.isfinite(REGISTRY[name].of(scene)).mean() > 0.5)
