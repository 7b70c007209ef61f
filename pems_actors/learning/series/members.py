"""The plain members of the ensembles: a seasonal mean, and exponential smoothing of the level.

A member forecasts whole days from a `Scene`, in its own way, and is frozen once fitted. It may say
NaN where it knows nothing; the ensemble then does without it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
import pandas as pd

from pems_actors.learning.days.averages import mean_of
from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import feature

_SMOOTHED_DAYS = 120


class Member(Protocol):
    """One way to forecast days ahead."""

    @property
    def name(self) -> str:
        """Name, unlike its rivals'."""

    def fit(self, scene: Scene, truth: Array) -> Self:
        """Learn from past target days; `truth` has the shape of the scene, NaN where unknown."""

    def predict(self, scene: Scene) -> Array:
        """Forecast all target days of a scene, shape (days, slots)."""


@dataclass(frozen=True, slots=True)
class Seasonal:
    """The mean of the slot over recent days of the same kind: nothing to fit, hard to beat."""

    feature: str = "kind_smooth_56d"
    name: str = "seasonal"

    def fit(self, scene: Scene, truth: Array) -> Seasonal:  # noqa: ARG002 - nothing to learn
        """Stay as it is."""
        return self

    def predict(self, scene: Scene) -> Array:
        """Forecast all target days of a scene."""
        told = np.array(feature(scene, self.feature))
        for other in ("mean_28d", "level_28d"):
            told = np.where(np.isfinite(told), told, feature(scene, other))
        return told


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Exponential smoothing of the daily level with a week's season, on the usual shape of a day.

    Its rates come from statsmodels; the recursion is run here, to be asked from any day.
    """

    name: str = "smoothing"
    rates: tuple[float, float] = (0.2, 0.05)

    def fit(self, scene: Scene, truth: Array) -> Smoothing:  # noqa: ARG002 - the days suffice
        """Find the rates on the daily means."""
        daily = pd.Series(mean_of(truth, 1)).interpolate(limit_direction="both").to_numpy()[-400:]
        if len(daily) < 28 or not np.isfinite(daily).all() or daily.std() <= 0.0:
            return self
        from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415 - slow to load

        scaled = (daily - daily.mean()) / daily.std()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged is as good as the rates it ended with
            fitted = ExponentialSmoothing(
                scaled, seasonal="add", seasonal_periods=7, initialization_method="heuristic"
            ).fit(minimize_kwargs={"options": {"maxiter": 50}})
        found = (fitted.params["smoothing_level"], fitted.params["smoothing_seasonal"])
        level, season = (float(np.clip(rate, 0.01, 0.6)) for rate in found)
        return replace(self, rates=(level, min(season, 0.3)))

    def predict(self, scene: Scene) -> Array:
        """Forecast all target days of a scene."""
        shape = Seasonal().predict(scene)
        return np.asarray(shape - mean_of(shape, 1, keepdims=True) + self._levels(scene))

    def _levels(self, scene: Scene) -> Array:
        """Run through the days before each target day; shape (days, 1)."""
        oldest = scene.first + _SMOOTHED_DAYS
        lags = range(oldest, scene.first - 1, -1)
        past = mean_of(scene.lags(lags), 2).T
        level, season = mean_of(past, 1), np.zeros((len(past), 7))
        fast, slow = self.rates
        rows = np.arange(len(past))
        weekday = scene.mark("weekday")[:, 0].astype(int)
        for j in range(past.shape[1]):
            day = (weekday - (oldest - j)) % 7
            surprise = past[:, j] - level - season[rows, day]
            known = np.isfinite(surprise)
            level = np.where(known, level + fast * surprise, level)
            season[rows, day] += np.where(known, slow * (1.0 - fast) * surprise, 0.0)
        return np.asarray((level + season[rows, weekday])[:, None])
