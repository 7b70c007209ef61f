"""Bands that follow the times: widened where they lately held too rarely, narrowed where too often.

Bands are learned from errors of the past; a first winter or a new habit makes other errors. At each
refit the days since the last one tell, unseen, how often the bands held. In the long run the share
of truths inside goes to what was promised, whatever the errors look like.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WITHIN = 0.8  # from P10 to P90
NARROWEST, WIDEST = 0.5, 2.5
_RATE = 0.12  # per day: a bias is half gone after about two weeks
_MOST_DAYS = 10.0  # that one look back may count as, lest a month of them goes past the mark


def followed(width: float, inside: Array) -> float:
    """Move a width by what its bands held.

    Args:
        width: what all distances were multiplied by.
        inside: share of each day's truths that lay within, shape (days,); NaN where none is known.
    Source: Gibbs & Candès 2021, arXiv:2106.00170.
    """
    known = inside[np.isfinite(inside)]
    if not len(known):
        return width
    missed = (WITHIN - float(known.mean())) * min(len(known), _MOST_DAYS)
    moved = width * float(np.exp(_RATE * missed))
    return min(WIDEST, max(NARROWEST, moved))


def inside_by_day(truth: Array, low: Array, high: Array) -> Array:
    """Give the share of known truths within a band for each day, from shape (days, slots)."""
    known = np.isfinite(truth)
    held = (known & (truth >= low) & (truth <= high)).sum(axis=1)
    count = known.sum(axis=1)
    return np.where(count > 0, held / np.maximum(count, 1), np.nan)
