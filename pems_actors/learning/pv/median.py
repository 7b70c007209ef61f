"""How far the median lies from the mean: under a broken sky most hours are better than their mean.

The mean is what squared errors want; the median is what a quantile forecast promises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from pems_actors.learning.pv.members import booster_of
from pems_actors.learning.pv.scene import Array

_FEWEST_ROWS = 1000
_ROUNDS = 60
_TREES = {
    "objective": "reg:quantileerror",
    "quantile_alpha": 0.5,
    "max_depth": 3,
    "eta": 0.1,
    "subsample": 0.8,
    "min_child_weight": 60.0,
    "base_score": 0.0,
    "tree_method": "hist",
    "nthread": 1,
    "seed": 7,
}


@dataclass(frozen=True, slots=True, eq=False)
class Median:
    """The step from mean to median, in sizes of a row; none where too little was learned."""

    trees: bytes | None = None

    @classmethod
    def fit(cls, features: Array, error: Array, weight: Array) -> Median:
        """Learn from true errors of the mean, all of shape (n, ...)."""
        if len(error) < _FEWEST_ROWS:
            return cls()
        data = xgb.QuantileDMatrix(features, error, weight=weight, nthread=1)
        return cls(bytes(xgb.train(_TREES, data, _ROUNDS).save_raw("ubj")))

    def tell(self, features: Array) -> Array:
        """Give the steps, shape (n,)."""
        if self.trees is None:
            return np.zeros(len(features))
        return np.asarray(booster_of(self.trees).inplace_predict(features), float)
