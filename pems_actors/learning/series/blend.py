"""How much each member of an ensemble counts: weights from their true errors, recent ones first.

Weights are never negative and sum to one; thin records keep them near equal. The mean is weighed
by squared errors, the median by absolute ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_EQUAL_ROWS = 1000.0  # the pull to equal weights is as strong as this many rows
_TURNS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Weights of the members for the mean and for the median, shape (members,) each."""

    mean: Array
    median: Array

    @classmethod
    def equal(cls, members: int) -> Blend:
        """Trust all members alike."""
        weights = np.full(members, 1.0 / members)
        return cls(weights, weights)

    @classmethod
    def fit(cls, told: Array, truth: Array, weights: Array) -> Blend:
        """Weigh members by their errors.

        Args:
            told: what each said, shape (n, members).    truth: shape (n,).
            weights: how much a row counts, shape (n,).
        """
        usable = np.isfinite(told).mean(axis=0) > 0.5
        keep = np.isfinite(truth) & np.isfinite(told[:, usable]).all(axis=1)
        if keep.sum() < 50 or not usable.any():
            return cls.equal(told.shape[1])
        x, y, w = told[keep][:, usable], truth[keep], weights[keep]
        by_square = _weigh(x, y, w)
        by_size = by_square
        for _ in range(_TURNS):  # absolute errors by reweighted squares
            error = np.abs(y - x @ by_size)
            by_size = _weigh(x, y, w / np.maximum(error, 0.1 * error.mean() + 1e-12))
        return cls(_spread(by_square, usable), _spread(by_size, usable))

    def of(self, told: Array) -> tuple[Array, Array]:
        """Blend what the members say, shape (..., members), into mean and median.

        Who says nothing is left out of that slot; NaN where nobody says anything.
        """
        return _blended(told, self.mean), _blended(told, self.median)


def _blended(told: Array, weights: Array) -> Array:
    known = np.isfinite(told)
    share = np.where(known, weights, 0.0)
    share = np.where(share.sum(axis=-1, keepdims=True) > 1e-9, share, known.astype(float))
    total = share.sum(axis=-1)
    return np.where(
        total > 0.0,
        (share * np.where(known, told, 0.0)).sum(axis=-1) / np.maximum(total, 1e-12),
        np.nan,
    )


def _weigh(x: Array, y: Array, w: Array) -> Array:
    """Find non-negative weights that sum to one, pulled a little to equal ones."""
    from scipy.optimize import nnls  # noqa: PLC0415 - slow to load, and only learners need it

    members = x.shape[1]
    w = w / w.mean()
    root = np.sqrt(w)[:, None]
    error = root * (x - y[:, None])  # weights sum to one, so errors blend as members do
    gram = error.T @ error
    unit = float(np.diag(gram).min()) / len(y)  # of the best: a clockwork is worth following
    gram += np.eye(members) * unit * _EQUAL_ROWS
    # minimise a' G a with a >= 0 and sum a = 1: least squares on the root of G
    values, vectors = np.linalg.eigh(gram)
    half = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    stiff = 1e3 * float(half.max() if half.size else 1.0)
    found, _ = nnls(
        np.vstack([half, np.full((1, members), stiff)]), np.r_[np.zeros(members), stiff]
    )
    return found / found.sum() if found.sum() > 0.0 else np.full(members, 1.0 / members)


def _spread(weights: Array, usable: npt.NDArray[np.bool_]) -> Array:
    full = np.zeros(len(usable))
    full[usable] = weights
    return full
