"""Holes and nonsense in one column: masked, filled where inputs must be known, and told.

What is filled with more than a straight line over a short gap is flagged unknown, so that nobody
learns from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_COLDEST_C, _HOTTEST_C = -45.0, 60.0
_KELVIN_FROM = 200.0
_SPIKE_K = 3.0
_STUCK_H = 48.0
_MOST_KW = 50.0


class Filled(NamedTuple):
    """Values without holes, and where they are only a guess."""

    series: Array
    unknown: Flags


def in_celsius(column: pd.Series[float], name: str, notes: list[str]) -> pd.Series[float]:
    """Turn kelvins into degrees, where only that can be meant."""
    values = column.astype(float)
    if not values.median() > _KELVIN_FROM:
        return values
    notes.append(f"{name} is given in kelvin, turned into °C")
    return values - 273.15


def plausible(column: pd.Series[float]) -> pd.Series[float]:
    """Keep the temperatures that can be."""
    return column.where(column.between(_COLDEST_C, _HOTTEST_C))


def without_nonsense(column: pd.Series[float], name: str, notes: list[str]) -> Array:
    """Mask temperatures that cannot be, lonely spikes, and long standstills."""
    values = column.astype(float)
    absurd = values.notna() & plausible(values).isna()
    values = values.mask(absurd)
    usual = values.rolling(5, center=True, min_periods=3).median()
    spike = (values - usual).abs() > _SPIKE_K
    values = values.mask(spike)
    still = _standstill(values)
    values = values.mask(still)
    for flags, what in ((absurd, "absurd"), (spike, "lonely"), (still, "standing still")):
        if flags.any():
            notes.append(f"{name}: {int(flags.sum())} {what} values masked")
    return _array(values)


def _standstill(values: pd.Series[float]) -> pd.Series[bool]:
    """Find runs of one value that last longer than any room stands still."""
    step_h = (values.index[1] - values.index[0]) / pd.Timedelta(hours=1)
    run = (values != values.shift()).cumsum()
    length = values.groupby(run).transform("size")
    return pd.Series((length * step_h >= _STUCK_H) & values.notna(), values.index)


def implausible_heat(
    column: pd.Series[float], name: str, *, in_kw: bool, notes: list[str]
) -> pd.Series[float]:
    """Mask negative heat, and read watts as kilowatts where only that can be."""
    values = column.astype(float)
    negative = values < 0.0
    if negative.any():
        notes.append(f"{name}: {int(negative.sum())} negative values masked")
        values = values.mask(negative)
    if in_kw and (values > _MOST_KW).sum() > 0.5 * (values > 0.0).sum():
        notes.append(f"{name}: values up to {values.max():g} can only be W; divided by 1000")
        values = values / 1000.0
    limit = _MOST_KW if in_kw else 20.0 * values[values > 0.0].quantile(0.9)
    absurd = values > limit
    if absurd.any():
        notes.append(f"{name}: {int(absurd.sum())} absurd values masked")
        values = values.mask(absurd)
    return values


def filled(column: pd.Series[float], name: str, *, short_h: float, notes: list[str]) -> Filled:
    """Bridge short gaps by a straight line, longer ones by what is usual at that time of day."""
    values = column.astype(float)
    missing = values.isna()
    if not missing.any():
        return Filled(_array(values), missing.to_numpy(bool))
    step_h = (values.index[1] - values.index[0]) / pd.Timedelta(hours=1)
    run = (missing != missing.shift()).cumsum()
    length_h = missing.groupby(run).transform("size") * step_h
    long = missing & (length_h > short_h)
    bridged = values.interpolate(limit_area="inside")
    index = pd.DatetimeIndex(values.index)
    clock = index.hour * 60 + index.minute
    usual = values.groupby(clock).transform("mean").fillna(values.mean())
    near = values.rolling(round(48.0 / step_h), center=True, min_periods=8).mean()
    level = (near - values.mean()).fillna(0.0)
    guess = (usual + level).clip(lower=values.min(), upper=values.max())
    whole = bridged.mask(long | bridged.isna(), guess)
    unknown = long | bridged.isna()
    told = f"{name}: {missing.mean():.1%} missing"
    if unknown.any():
        told += f"; {unknown.sum() * step_h:.0f} h in longer gaps are guessed and not learnt from"
    notes.append(told)
    return Filled(_array(whole), unknown.to_numpy(bool))


def _array(values: pd.Series[float]) -> Array:
    return np.asarray(values.to_numpy(float), np.float64)
