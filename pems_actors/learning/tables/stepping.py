"""Rows at any times become one unbroken, evenly stepped index: sorted, single, gaps as NaN."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

FINEST_S, COARSEST_S = 900, 10_800
_STEPS_S = np.array([60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 86_400])
_LONG_RUN = 12  # rows in a row with a wider step are a coarser stretch, not a series of gaps


def evenly(frame: pd.DataFrame, target: str, notes: list[str]) -> pd.DataFrame:
    """Bring rows onto an even step of 15 min or more; say what was unsorted, double or missing.

    Args:
        frame: floats at UTC instants, in any order.    target: the column whose gaps are told.
    Raises: ValueError if there are less than two rows, or one a day.
    """
    frame = _single(frame, notes)
    if len(frame) < 2:
        raise ValueError("less than two rows with a time; give a history of some days")
    gaps_s = np.diff(frame.index.as_unit("s").asi8)  # type: ignore[attr-defined]
    step_s = _step(gaps_s)
    if step_s > COARSEST_S:
        raise ValueError(f"one row every {step_s / 3600:g} h; give hourly values or finer ones")
    used_s = max(step_s, FINEST_S)
    if used_s != step_s:
        notes.append(f"one row every {step_s} s, averaged over {used_s // 60} min")
    if used_s == step_s:
        frame = _spread(frame, gaps_s, step_s, notes)
    off = frame.index.as_unit("s").asi8 % used_s != 0  # type: ignore[attr-defined]
    if off.any() and used_s == step_s:
        notes.append(
            f"{int(off.sum())} times lie beside the {used_s // 60} min step, averaged into it"
        )
    even = frame.resample(f"{used_s}s").mean()
    _tell_gaps(even, target, notes)
    return even


def _single(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Sort by time, and average what stands twice."""
    if not frame.index.is_monotonic_increasing:
        back = int((np.diff(frame.index.asi8) < 0).sum())  # type: ignore[attr-defined]
        notes.append(f"times are not in order ({back} steps back), sorted")
        frame = frame.sort_index(kind="stable")
    doubled = frame.index.duplicated()
    if doubled.any():
        notes.append(f"{int(doubled.sum())} times stand more than once, averaged")
        frame = frame.groupby(level=0).mean()
    return frame


def _step(gaps_s: npt.NDArray[np.float64]) -> int:
    """Find the usual step, as a usual length [s]."""
    lengths, counts = np.unique(gaps_s, return_counts=True)
    usual = int(lengths[counts.argmax()])
    if counts.max() < 0.5 * len(gaps_s):
        usual = int(np.median(gaps_s))
    return int(_STEPS_S[np.abs(_STEPS_S - usual).argmin()])


def _spread(
    frame: pd.DataFrame, gaps_s: npt.NDArray[np.float64], step_s: int, notes: list[str]
) -> pd.DataFrame:
    """Spread stretches with a coarser step (hours among quarter hours) over their slots."""
    coarse = (gaps_s > step_s) & (gaps_s <= 3600) & (gaps_s % step_s == 0)
    edges = np.flatnonzero(np.diff(np.r_[0, (coarse).astype(int), 0]))
    runs = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)
            if b - a >= _LONG_RUN and len(set(gaps_s[a:b])) == 1]  # fmt: skip
    if not runs:
        return frame
    parts = [frame]
    for a, b in runs:
        for k in range(1, int(gaps_s[a]) // step_s):
            rows = frame.iloc[a : b + 1]
            parts.append(rows.set_axis(rows.index + pd.Timedelta(seconds=k * step_s)))
    whole = pd.concat(parts)
    count = sum(b - a + 1 for a, b in runs)
    notes.append(
        f"{count} rows cover longer steps and are spread over their {step_s // 60} min slots"
    )
    return whole[~whole.index.duplicated()].sort_index()


def _tell_gaps(even: pd.DataFrame, target: str, notes: list[str]) -> None:
    if not target:
        return
    missing = even[target].isna().to_numpy()
    if not missing.any():
        return
    edges = np.flatnonzero(np.diff(np.r_[0, missing.astype(int), 0]))
    lengths = edges[1::2] - edges[::2]
    step_h = (even.index[1] - even.index[0]) / pd.Timedelta(hours=1)
    notes.append(
        f"{int(missing.sum())} of {len(even)} slots of {target} are missing in {len(lengths)} gaps"
        f" (the longest {lengths.max() * step_h:.0f} h); they are masked, never zero"
    )
