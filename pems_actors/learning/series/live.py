"""Bands that follow the times: wider after days on which they held too little, else narrower.

Bands are learned from errors of the past; a first winter or a new habit makes other errors. Every
day that is over tells, unseen, how much of it lay inside, and moves the width of the days to come.
In the long run the share of truths inside goes to what was promised, whatever the errors look like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WITHIN = 0.8  # from P10 to P90
NARROWEST, WIDEST = 0.4, 3.0
LOOK_BACK_DAYS = 35  # a model that was not refitted for longer is judged by the newest days
_RATE = 0.25  # per day: a bias is half gone after about eight days


def reach(truth: Array, low: Array, middle: Array, high: Array) -> Array:
    """Say how far truths lie from the middle, in distances to the band's edge on their side.

    A truth is inside a band that is as many times as wide. NaN where the truth is not known.
    """
    error = truth - middle
    edge = np.where(error > 0.0, high - middle, middle - low)
    return np.asarray(np.abs(error) / np.maximum(edge, 1e-12))


def widths(width: float, days: Sequence[Array], behind: int) -> Array:
    """Move a width day by day by what its bands held; a day known in part moves it in part.

    Args:
        width: what all distances were multiplied by before these days.
        days: the reach of each day's truths, NaN where unknown.
        behind: how many days before the target the newest day is that was over at the issue.
    Returns: the width after no day, after the first, ... after all, shape (days + 1,).
    Source: Gibbs & Candès 2021, arXiv:2106.00170.
    """
    after = [width]
    known = [day[np.isfinite(day)] for day in days]
    most = max((len(day) for day in known), default=0)
    for number, day in enumerate(known):
        told = after[max(0, number + 1 - behind)]  # the width that this day was told with
        missed = (WITHIN - float((day <= told).mean())) * len(day) / most if len(day) else 0.0
        moved = after[-1] * float(np.exp(_RATE * missed))
        after.append(min(WIDEST, max(NARROWEST, moved)))
    return np.array(after)
