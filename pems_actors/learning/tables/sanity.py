"""Values that cannot be true: absurd ones, meters in watts, dead columns, zeros that mean nothing.

What is not believed becomes missing; a stretch in the wrong unit is brought back where that is
plain. Each finding is a sentence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.learning.tables.meters import Kind, metered, signed

# how many times the usual range (P5 to P95) a value may lie outside it
_REACH = {"pv": 5.0, "load": 15.0, "price": 40.0, "any": 50.0}
_WATTS_FROM = 150.0  # no house takes more on most of its days [kW]; more is watts
_UNIT_SLIP = 1000.0
_STANDBY_FRAC = 0.05
_DEAD_H = 6.0  # an all-electric house never takes exactly nothing for longer
_WEATHER_RANGE = {
    "temp_c": (-60.0, 60.0),
    "ghi_w_m2": (-50.0, 1600.0),
    "dni_w_m2": (-50.0, 1500.0),
    "dhi_w_m2": (-50.0, 1200.0),
    "wind_m_s": (0.0, 80.0),
}


def checked(
    frame: pd.DataFrame, target: str, kind: Kind, timezone: str, notes: list[str]
) -> pd.DataFrame:
    """Mask what the target cannot have been, and say so."""
    if not target:
        return frame
    values = frame[target].to_numpy(float).copy()
    if not np.isfinite(values).any():
        notes.append(f"{target} has no value at all; the floor model serves")
        return frame
    if kind in {"pv", "load"}:
        values = signed(metered(values, frame.index, target, notes), kind, target, notes)
        values = _unit_slips(values, frame.index, timezone, target, notes)
    values = _absurd(values, kind, target, notes)
    if kind == "load":
        values = _dead_zeros(values, frame.index, target, notes)
    known = values[np.isfinite(values)]
    if len(known) and np.ptp(known) == 0.0:
        notes.append(f"{target} is always {known[0]:g}; a constant teaches nothing")
    if kind in {"pv", "load"} and len(known) and np.quantile(known, 0.95) > _WATTS_FROM:
        notes.append(
            f"{target} goes up to {known.max():.0f}: taken as watts, figures stay in its unit"
        )
    return frame.assign(**{target: values})


def _unit_slips(
    values: npt.NDArray[np.float64], index: pd.Index, timezone: str, target: str, notes: list[str]
) -> npt.NDArray[np.float64]:
    """Bring days back that were written in watts among kilowatts (or the other way round)."""
    dates = pd.DatetimeIndex(index).tz_convert(timezone).normalize()
    days = pd.Series(values, index=dates).groupby(level=0).transform(lambda day: day.quantile(0.9))
    high = days.to_numpy(float)
    usual = float(np.nanmedian(high[high > 0.0])) if (high > 0.0).any() else 0.0
    if usual <= 0.0:
        return values
    ratio = high / usual
    watts = (ratio > _UNIT_SLIP / 10.0) & (ratio < _UNIT_SLIP * 10.0)
    if watts.mean() > 0.5 or not watts.any():
        return values
    days_off = int(pd.Series(watts).groupby(dates).max().sum())
    notes.append(
        f"{days_off} days of {target} are about a thousand times too high: watts, divided by 1000"
    )
    return np.where(watts, values / _UNIT_SLIP, values)


def _absurd(
    values: npt.NDArray[np.float64], kind: Kind, target: str, notes: list[str]
) -> npt.NDArray[np.float64]:
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.05, 0.95])
    room = _REACH[kind] * max(high - low, 1e-3 * abs(high))
    if room <= 0.0:
        return values
    bad = (values > high + room) | (values < low - room)
    if kind in {"pv", "load"}:
        standby = _STANDBY_FRAC * max(high, 0.0)  # what an inverter takes by night
        bad |= values < -0.5 * max(high, 0.0) - 1e-9 if low >= -standby else False
    if not bad.any():
        return values
    worst = values[bad][np.abs(values[bad]).argmax()]
    notes.append(
        f"{int(bad.sum())} values of {target} are absurd (such as {worst:g}) and are masked"
    )
    return np.where(bad, np.nan, values)


def _dead_zeros(
    values: npt.NDArray[np.float64], index: pd.Index, target: str, notes: list[str]
) -> npt.NDArray[np.float64]:
    """Mask long runs of exactly zero in a load that is otherwise hardly ever zero."""
    zero = values == 0.0
    if not zero.any() or zero.mean() > 0.2:
        return values
    step_h = (index[1] - index[0]) / pd.Timedelta(hours=1)
    edges = np.flatnonzero(np.diff(np.r_[0, zero.astype(int), 0]))
    dead = np.zeros(len(values), bool)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        dead[start:end] = (end - start) * step_h >= _DEAD_H
    if not dead.any():
        return values
    notes.append(
        f"{int(dead.sum())} zeros of {target} in long runs mean that nothing was measured: masked"
    )
    return np.where(dead, np.nan, values)


def checked_weather(frame: pd.DataFrame, target: str, notes: list[str]) -> pd.DataFrame:
    """Mask weather that cannot be; leave out columns that are constant or empty."""
    for name in [str(n) for n in frame.columns if n != target and n in _WEATHER_RANGE]:
        values = frame[name].to_numpy(float).copy()
        known = values[np.isfinite(values)]
        if not len(known) or np.ptp(known) == 0.0:
            what = "empty" if not len(known) else f"always {known[0]:g}"
            notes.append(f"{name} is {what} and is left out")
            frame = frame.drop(columns=name)
            continue
        values = _converted(values, name, float(np.quantile(known, 0.98)), notes)
        low, high = _WEATHER_RANGE[name]
        bad = (values < low) | (values > high)
        if bad.any():
            notes.append(
                f"{int(bad.sum())} values of {name} are beyond {low:g} to {high:g}: masked"
            )
        frame = frame.assign(**{name: np.where(bad, np.nan, values)})
    return frame


def _converted(
    values: npt.NDArray[np.float64], name: str, top: float, notes: list[str]
) -> npt.NDArray[np.float64]:
    """Bring kelvins and kW/m² into our units."""
    if name == "temp_c" and top > 200.0:
        notes.append("temp_c is given in kelvin, turned into °C")
        return values - 273.15
    if name.endswith("_w_m2") and 0.0 < top < 3.0:
        notes.append(f"{name} is given in kW/m², turned into W/m²")
        return values * 1000.0
    return values
