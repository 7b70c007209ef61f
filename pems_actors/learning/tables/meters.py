"""What a meter really wrote: a count of energy instead of a power, or a power the other way round.

Both look like numbers that can be learned from and are not; each is turned into what was asked for,
with a sentence.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Kind = Literal["pv", "load", "price", "any"]

_FEWEST = 48
_FALLING_FRAC = 0.01  # a count is set back now and then
_RISING_FRAC = 0.2  # the nights of a roof do not count
_NET_FRAC = 0.01


def metered(values: Array, index: pd.Index, target: str, notes: list[str]) -> Array:
    """Turn a count of energy that only ever rises into the mean power of each slot."""
    known = values[np.isfinite(values)]
    steps = np.diff(known)
    if len(known) < _FEWEST or (steps < 0.0).mean() > _FALLING_FRAC:
        return values
    if (steps > 0.0).mean() < _RISING_FRAC:
        return values
    hours = (index[1] - index[0]) / pd.Timedelta(hours=1)
    power = np.append(np.diff(values), np.nan) / hours
    notes.append(
        f"{target} hardly ever falls, from {known[0]:g} to {known[-1]:g}: a count of energy; "
        "its differences are taken as power"
    )
    return np.where(power >= 0.0, power, np.nan)


def signed(values: Array, kind: Kind, target: str, notes: list[str]) -> Array:
    """Turn a generation round that is written as negative; tell a load that is net of one."""
    known = values[np.isfinite(values)]
    below = -float(known[known < 0.0].sum())
    if kind == "pv" and below > float(known[known > 0.0].sum()):
        notes.append(f"{target} is negative by day: what is fed in counts as below 0; turned round")
        return -values
    share = float((known < 0.0).mean())
    if kind == "load" and share > _NET_FRAC:
        notes.append(
            f"{target} is below 0 in {100.0 * share:.0f} % of its rows: net of a generation, and "
            "forecast as such; give the consumption alone for a better one"
        )
    return values
