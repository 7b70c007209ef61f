"""A linear map from the vector of the last days and the calendar to all slots of the next day."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pems_actors.learning.days.averages import mean_of
from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import feature
from pems_actors.learning.series.ridge import Ridge

_FEWEST_DAYS = 25
_MOSTLY = 0.7  # share of its slots that a day must have to be learned from
_STEEPEST = 6.0  # asinh of the farthest value that is believed
_WEATHER = ("temp_c", "ghi_w_m2", "wind_m_s")


@dataclass(frozen=True, slots=True)
class Look:
    """How a ridge sees a day: the unit of its values, and the weather it knows with usual values.

    `squash` tames spikes by asinh. `profiles` are whole days, counted back from the youngest known.
    """

    middle: float = 0.0
    width: float = 1.0
    squash: bool = False
    weather: tuple[tuple[str, float], ...] = ()
    profiles: tuple[int, ...] = (0, 1, 5)

    def bent(self, values: Array) -> Array:
        """Write values in units."""
        scaled = (values - self.middle) / self.width
        return np.asarray(np.arcsinh(scaled) if self.squash else scaled)

    def straight(self, bent: Array) -> Array:
        """Bring values in units back."""
        scaled = np.sinh(np.clip(bent, -_STEEPEST, _STEEPEST)) if self.squash else bent
        return np.asarray(self.middle + self.width * scaled)

    def inputs(self, scene: Scene) -> Array:
        """Write what is known of each target day as one row."""
        first = scene.first
        lags = {k: self.filled(scene.lag(k), scene) for k in range(first, first + 14)}
        parts = [_by_hour(lags[first + k], scene.grid.slots) for k in self.profiles]
        if first > 1:
            today = self.filled(scene.lag(1), scene)[:, : scene.seen]
            parts += [_by_hour(today, scene.grid.slots), today.mean(axis=1, keepdims=True)]
        parts += [day.mean(axis=1, keepdims=True) for day in lags.values()]
        parts += [lags[first].min(axis=1, keepdims=True), lags[first].max(axis=1, keepdims=True)]
        parts.append(_day_marks(scene))
        parts += [_weather_marks(scene, name, usual) for name, usual in self.weather]
        return np.concatenate(parts, axis=1)

    def filled(self, values: Array, scene: Scene) -> Array:
        """Bend values; where nothing is known put the usual, so that a linear map can go on."""
        for stand_in in ("mean_7d", "mean_28d", "level_28d"):
            if np.isfinite(values).all():
                break
            values = np.where(np.isfinite(values), values, feature(scene, stand_in))
        return self.bent(np.where(np.isfinite(values), values, self.middle))


@dataclass(frozen=True, slots=True)
class DayRidge:
    """A linear map from the last days and the calendar to all slots of the target day at once.

    `days` is its memory (None: all), `squash` tames spikes, `half_life` fades old days.
    """

    name: str
    days: int | None = None
    squash: bool = False
    half_life: float | None = None
    look: Look = Look()
    ridge: Ridge | None = None

    def fit(self, scene: Scene, truth: Array) -> DayRidge:
        """Learn from the days whose truth is mostly known."""
        known = np.isfinite(truth).mean(axis=1) > _MOSTLY
        if self.days is not None:
            known &= scene.rows > scene.rows.max() - self.days
        if known.sum() < _FEWEST_DAYS:
            return replace(self, ridge=None)
        values = truth[np.isfinite(truth)]
        middle = float(np.median(values))
        width = 1.48 * float(np.median(np.abs(values - middle))) or float(values.std()) or 1.0
        weather = tuple((name, _usual(scene, name)) for name in _WEATHER if scene.has_weather(name))
        look = Look(middle, width, self.squash, weather)
        outputs = look.filled(truth, scene)[known]
        weights = None
        if self.half_life is not None:
            rows = scene.rows[known]
            weights = 0.5 ** ((rows.max() - rows) / self.half_life)
        ridge = Ridge.fit(look.inputs(scene)[known], outputs, weights)
        return replace(self, look=look, ridge=ridge)

    def predict(self, scene: Scene) -> Array:
        """Forecast all target days of a scene."""
        if self.ridge is None:
            return np.full(scene.shape, np.nan)
        return self.look.straight(self.ridge.predict(self.look.inputs(scene)))


def _usual(scene: Scene, name: str) -> float:
    return float(np.nanmean(scene.weather(name)))


def _by_hour(values: Array, slots_per_day: int) -> Array:
    """Average slots into hours where they are finer."""
    per_hour = slots_per_day // 24
    if per_hour <= 1:
        return values
    whole = values.shape[1] // per_hour * per_hour
    return np.asarray(values[:, :whole].reshape(len(values), -1, per_hour).mean(axis=2))


def _day_marks(scene: Scene) -> Array:
    weekday = np.eye(7)[scene.mark("weekday")[:, 0].astype(int)]
    names = ("holiday", "holiday_yesterday", "holiday_tomorrow", "bridge")
    waves = ("year_sin_1", "year_cos_1")
    marks = [feature(scene, n)[:, :1] for n in (*names, *waves)]
    return np.concatenate([weekday, *marks], axis=1)


def _weather_marks(scene: Scene, name: str, usual: float) -> Array:
    """Mean of the weather on the target day and the day before, and by parts of the day."""
    target = scene.weather(name)
    parts = (target, scene.weather(name, 1), *np.array_split(target, 4, axis=1))
    marks = np.concatenate([mean_of(part, 1, keepdims=True) for part in parts], axis=1)
    return np.where(np.isfinite(marks), marks, usual)
