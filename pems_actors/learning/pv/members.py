"""The members of the PV ensemble: a plain one, a ridge, boosted trees; and how to blend them.

All speak of power in the target's unit; `scale` (the clear-sky power of a row, with a floor) makes
rows of dawn and noon, summer and winter alike. Weights come from true errors only, drawn towards
usual ones while there are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from scipy.optimize import nnls

from pems_actors.learning.pv.scene import Array

MEMBERS = ("plain", "ridge", "trees")
USUAL = np.array([0.1, 0.5, 0.4])
_RIDGE = 0.004
_TRUST_DAYS = 500.0  # of true errors, before they count as much as the usual weights
_MOST_ROWS = 24_000
_TREES = {
    "max_depth": 3,
    "eta": 0.03,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "min_child_weight": 40.0,
    "lambda": 5.0,
    "tree_method": "hist",
    "max_bin": 128,
    "nthread": 1,
    "seed": 7,
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What the members see of some rows.

    `features` feed the trees, shape (n, k), NaN allowed. `terms` feed the ridge, (n, m), each a
    power. `plain` is the plain member's answer and `scale` the size of each row, both (n,).
    """

    features: Array
    terms: Array
    plain: Array
    scale: Array

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Rows:
        """Keep some rows."""
        return Rows(self.features[rows], self.terms[rows], self.plain[rows], self.scale[rows])

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.plain)


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Fitted members. The ridge and the trees tell what is to be added to the plain one."""

    ridge: Array | None = None
    trees: bytes | None = None

    def tell(self, rows: Rows) -> Array:
        """Give each member's power, shape (n, members), never below 0."""
        ridge = rows.plain if self.ridge is None else rows.plain + rows.terms @ self.ridge
        trees = ridge if self.trees is None else ridge + rows.scale * self._grown(rows)
        return np.maximum(np.stack([rows.plain, ridge, trees], axis=1), 0.0)

    def _grown(self, rows: Rows) -> Array:
        return np.asarray(booster_of(self.trees or b"").inplace_predict(rows.features), float)


@lru_cache(maxsize=8)
def booster_of(trees: bytes) -> xgb.Booster:
    """Load grown trees; those in use stay loaded."""
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(trees))
    return booster


def fit_members(rows: Rows, truth: Array, rounds: int = 250) -> Members:
    """Fit all members to the same rows; `truth` must be known in each."""
    ridge = _ridge(rows, truth)
    left = truth - rows.plain - rows.terms @ ridge
    return Members(ridge, _trees(rows, left, rounds))


def _ridge(rows: Rows, truth: Array) -> Array:
    terms = rows.terms
    size = np.sqrt((terms**2).mean(axis=0)) + 1e-9
    scaled = terms / size
    pull = (_RIDGE * len(scaled) + 50.0) * np.eye(scaled.shape[1])
    found = np.linalg.solve(scaled.T @ scaled + pull, scaled.T @ (truth - rows.plain))
    return np.asarray(found / size)


def _trees(rows: Rows, left: Array, rounds: int) -> bytes:
    kept = slice(None, None, max(1, -(-len(rows) // _MOST_ROWS)))
    scale = rows.scale[kept]
    wanted = left[kept] / scale
    weight = scale**2 / float((scale**2).mean())
    data = xgb.QuantileDMatrix(
        rows.features[kept], wanted, weight=weight, max_bin=_TREES["max_bin"], nthread=1
    )
    return bytes(xgb.train(_TREES, data, rounds).save_raw("ubj"))


def blend_weights(told: Array, truth: Array, weight: Array, rows_per_day: float) -> Array:
    """Find non-negative weights of the members from true errors.

    Errors of one day hang together, so trust grows with days and not with rows.

    Args:
        told: answers made without knowing the truth, (n, members).    truth: (n,).
        weight: how much each row counts, (n,).
    Returns: one weight per member, summing to about 1.
    """
    if len(truth) < 2:
        return USUAL
    root = np.sqrt(weight)[:, None]
    apart = float((weight * told.var(axis=1)).mean())  # how much the choice matters at all
    pull = np.sqrt(_TRUST_DAYS * rows_per_day * apart)
    together = np.sqrt(_TRUST_DAYS * rows_per_day * float((weight * truth**2).mean()))
    count = len(MEMBERS)
    a = np.vstack([told * root, pull * np.eye(count), together * np.ones((1, count))])
    b = np.concatenate([truth * root[:, 0], pull * USUAL, [together]])
    return np.asarray(nnls(a, b)[0])
