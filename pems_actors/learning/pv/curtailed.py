"""Which PV samples may be learned from: never one that shows less than the sun gave.

Full battery without export, the limit of the inverter, a plateau under a bright sky, a dead or
snowed-up day: all become missing before anything learns. Optional columns of the history tell the
first: `curtailed` (1 or 0), or `soc_frac` with `export_allowed`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pems_actors.learning.pv.scene import Array, Mask

STATES = ("curtailed", "soc_frac", "export_allowed")
_NEAR_LIMIT_FRAC = 0.98
_NEARLY_FULL_FRAC = 0.02
_FLAT_ROWS_H = 1.0
_FLAT_FRAC = 0.004  # of the peak: steadier than any real sky
_FLAT_BELOW = 0.85  # of what was expected
_DEAD_FRAC = 0.04  # of the expected energy of a day


def told_curtailed(frame: pd.DataFrame, max_soc_frac: float = 0.9) -> Mask:
    """Find rows whose own columns say that the sun's power had nowhere to go."""
    spoiled = np.zeros(len(frame), bool)
    if "curtailed" in frame:
        spoiled |= frame["curtailed"].to_numpy(float) > 0.0
    if "soc_frac" in frame and "export_allowed" in frame:
        full = frame["soc_frac"].to_numpy(float) >= max_soc_frac - _NEARLY_FULL_FRAC
        spoiled |= full & (frame["export_allowed"].to_numpy(float) == 0.0)
    return spoiled


def at_limit(measured: Array, limit: float | None) -> Mask:
    """Find rows at the most that the inverter takes."""
    if limit is None:
        return np.zeros(len(measured), bool)
    return np.asarray(np.nan_to_num(measured) >= _NEAR_LIMIT_FRAC * limit)


def found_limit(measured: Array, clear: Array) -> float | None:
    """Find the limit of an inverter in the flat top of its measurements; None if there is none."""
    known = np.isfinite(measured)
    if known.sum() < 200:
        return None
    top = float(np.quantile(measured[known], 0.999))
    bright = known & (clear > top)
    flat = known & (measured > 0.99 * top)
    if top <= 0.0 or bright.sum() < 60:
        return None
    return top if flat[bright].mean() > 0.25 else None


def plateaus(measured: Array, expected: Array, peak: float, step_h: float) -> Mask:
    """Find stretches steadier than any sky, well below what was expected: a limit from outside."""
    rows = max(3, round(_FLAT_ROWS_H / step_h) + 1)
    series = pd.Series(measured)
    spread = series.rolling(rows).max() - series.rolling(rows).min()
    flat = (spread < _FLAT_FRAC * peak) & (series > 0.05 * peak)
    ends = np.flatnonzero(flat.to_numpy() & (series.to_numpy() < _FLAT_BELOW * expected))
    found = np.zeros(len(measured), bool)
    for end in ends:
        found[end - rows + 1 : end + 1] = True
    return found


def dead_days(measured: Array, expected: Array, days: Array, peak_day: float) -> Mask:
    """Find days on which the roof gave nearly nothing of an energy worth speaking of."""
    known = np.isfinite(measured)
    frame = pd.DataFrame({"got": np.where(known, measured, 0.0), "hoped": expected * known})
    sums = frame.groupby(days).transform("sum")
    dead = (sums["got"] < _DEAD_FRAC * sums["hoped"]) & (sums["hoped"] > peak_day)
    return np.asarray(dead.to_numpy() & known)


def sentences(parts: dict[str, int], rows: int) -> Iterator[str]:
    """Say what was left out of learning."""
    for what, count in parts.items():
        if count:
            yield f"{count} of {rows} samples left out of learning: {what}"
