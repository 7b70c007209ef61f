"""Means, spreads, extremes over what is known: NaN takes no part, nothing known gives NaN."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def mean_of(values: Array, axis: int = 0, *, keepdims: bool = False) -> Array:
    """Average along an axis."""
    known = np.isfinite(values)
    count = known.sum(axis=axis, keepdims=keepdims)
    total = np.where(known, values, 0.0).sum(axis=axis, keepdims=keepdims)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def spread_of(values: Array, axis: int = 0, *, keepdims: bool = False) -> Array:
    """Standard deviation along an axis."""
    middle = mean_of(values, axis, keepdims=True)
    return np.sqrt(mean_of((values - middle) ** 2, axis, keepdims=keepdims))


def least_of(values: Array, axis: int = 0, *, keepdims: bool = False) -> Array:
    """Smallest value along an axis."""
    low = np.where(np.isfinite(values), values, np.inf).min(axis=axis, keepdims=keepdims)
    return np.where(np.isfinite(low), low, np.nan)


def most_of(values: Array, axis: int = 0, *, keepdims: bool = False) -> Array:
    """Largest value along an axis."""
    return -least_of(-values, axis, keepdims=keepdims)


def median_of(values: Array) -> Array:
    """Median along the first axis."""
    count = np.isfinite(values).sum(axis=0)
    ordered = np.sort(values, axis=0)  # NaN go to the end
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.maximum(count, 1)[None] // 2, axis=0)[0]
    return np.where(count > 0, 0.5 * (low + np.where(np.isfinite(high), high, low)), np.nan)


def share_below(values: Array, share: float) -> Array:
    """Value below which a share of each row lies, shape (rows, 1)."""
    count = np.isfinite(values).sum(axis=1)
    ordered = np.sort(values, axis=1)  # NaN go to the end
    at = np.minimum((share * count).astype(int), np.maximum(count - 1, 0))
    return np.asarray(np.take_along_axis(ordered, at[:, None], axis=1))


def faded_mean(values: Array, half_life: float) -> Array:
    """Average along the first axis, each step counting less than the one before."""
    weights = 0.5 ** (np.arange(len(values)) / half_life)
    known = np.isfinite(values)
    total = np.tensordot(weights, np.where(known, values, 0.0), axes=1)
    count = np.tensordot(weights, known.astype(float), axes=1)
    return np.where(count > 0.0, total / np.maximum(count, 1e-12), np.nan)


def smoothed(values: Array) -> Array:
    """Average each slot of the last axis with its two neighbours, around midnight too."""
    return mean_of(np.stack([np.roll(values, k, axis=-1) for k in (-1, 0, 1)]))
