"""What the PV ensemble looks at: the rows of a table as features, terms and expectations.

Two looks. `weather`: physics with the weather's light is the expectation, and what physics misses
is learned. `sky`: without any light told, clear sky is the measure, and its share is learned from
the last days, the season and whatever else the table holds. Measured power enters only through
`Recent`, so nothing younger than the cut is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pems_actors.learning.pv.members import Rows
from pems_actors.learning.pv.physics import Plant, power
from pems_actors.learning.pv.recent import Longs, Recent, starts_of
from pems_actors.learning.pv.scene import Array, Scene

Look = Literal["weather", "sky"]

LONG_DAYS = 300.0  # from here on the season itself is a feature
_SCALE_FLOOR = 0.02  # of the peak
_OWN = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_c", "wind_m_s")
_USUAL_SKY = 0.6
_NEAR_H = (-2.0, -1.0, -0.5, -0.25, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All rows of a table, with sun, sky and expectations; measured power is cleaned already."""

    index: pd.DatetimeIndex
    step_s: float
    timezone: str
    seen: Scene
    plant: Plant
    expected: Array  # physics with the weather's light
    clear: Array  # physics under a clear sky
    extras: Array  # other columns of the table, (rows, k)
    warm: Array
    long: bool

    @property
    def starts_s(self) -> Array:
        """Starts of the rows, UTC seconds."""
        return starts_of(self.index)

    @property
    def scale(self) -> Array:
        """The size of each row, (rows,)."""
        return np.maximum(self.clear, _SCALE_FLOOR * self.plant.peak)

    @property
    def days(self) -> Array:
        """Local day of each row, as a number."""
        local = self.index.tz_convert(self.timezone).tz_localize(None)
        return np.asarray(local.as_unit("s").asi8 // 86400)


def view(
    frame: pd.DataFrame,
    extras: Mapping[str, float],
    step: pd.Timedelta,
    timezone: str,
    seen: Scene,
    plant: Plant,
    long: bool,
) -> View:
    """Look at a frame whose scene is known; `extras` are other columns and their usual sizes."""
    others = [frame[name].to_numpy(float) / size for name, size in extras.items()]
    return View(
        pd.DatetimeIndex(frame.index),
        step.total_seconds(),
        timezone,
        seen,
        plant,
        power(seen, plant),
        power(seen, plant, clear=True),
        np.stack(others, axis=1) if others else np.empty((len(frame), 0)),
        frame["temp_c"].to_numpy(float) if "temp_c" in frame else np.full(len(frame), np.nan),
        long,
    )


def extras_of(frame: pd.DataFrame, target: str, leave: tuple[str, ...]) -> dict[str, float]:
    """Name the columns that are neither power, light nor state, with their usual sizes."""
    known = {target, *_OWN, *leave}
    names = [str(name) for name in frame.columns if name not in known]
    sizes = {name: float(frame[name].abs().max()) for name in names}
    return {name: size for name, size in sizes.items() if size > 0.0}


def recent_of(look: Look, seen: View, measured: Array) -> Recent:
    """Sum up the past against what this look expects."""
    expected = seen.expected if look == "weather" else seen.clear
    told = np.where(seen.seen.known, measured, np.nan) if look == "weather" else measured
    usual = 1.0 if look == "weather" else _USUAL_SKY
    return Recent.of(seen.starts_s, seen.step_s, told, expected, seen.plant.peak, usual)


def rows_of(
    look: Look, seen: View, recent: Recent, at: Longs, cut_s: Array, midnight_s: Array, lead: Array
) -> Rows:
    """Give the members their rows.

    Args:
        at: numbers of the wanted rows.    cut_s, midnight_s: what each of them may know.
        lead: days between the day of the cut and the day of the row.
    """
    past = recent.features(seen.starts_s[at], cut_s, midnight_s)
    if look == "weather":
        return _weather_rows(seen, past, at)
    return _sky_rows(seen, past, at, lead)


def _season(seen: View, at: Longs) -> list[Array]:
    angle = 2.0 * np.pi * np.asarray(seen.index.day_of_year, float)[at] / 365.25
    return [np.sin(angle), np.cos(angle)]


def _place(seen: View, at: Longs) -> list[Array]:
    middle = seen.seen.zenith_deg.shape[1] // 2
    return [seen.seen.elevation_deg[at], seen.seen.azimuth_deg[at, middle]]


def _sky_rows(seen: View, past: dict[str, Array], at: Longs, lead: Array) -> Rows:
    clear, warm = seen.clear[at], seen.warm[at]
    season = _season(seen, at)
    extras = seen.extras[at]
    features = [
        *past.values(),
        clear / max(seen.plant.peak, 1e-9),
        *_place(seen, at),
        lead,
        warm,
        *extras.T,
        *(season if seen.long else ()),
    ]
    smooth = past["hour_21d"]
    near = np.where(lead > 1.0, 0.0, 1.0)
    shares = [
        *(value - smooth for value in past.values()),
        *(near * (past[name] - smooth) for name in ("last_1d", "last_3d", "cut_day")),
        np.ones_like(clear),
        clear / max(seen.plant.peak, 1e-9),
        np.nan_to_num((warm - 15.0) / 15.0),
        *(season if seen.long else ()),
        *np.nan_to_num(extras).T,
    ]
    terms = np.stack([share * clear for share in shares], axis=1)
    return Rows(np.stack(features, axis=1), terms, smooth * clear, seen.scale[at])


def _weather_rows(seen: View, past: dict[str, Array], at: Longs) -> Rows:
    told, clear, scale = seen.expected, seen.clear, seen.scale
    light = pd.Series(seen.seen.clearness)
    share = pd.Series(told / scale)
    hour = max(1, round(3600.0 / seen.step_s))
    middle = {h: light.rolling(_odd(h * hour), center=True, min_periods=1).mean() for h in (1, 3)}
    spread = {h: light.rolling(_odd(h * hour), center=True, min_periods=2).std() for h in (2, 6)}
    smooth = share.rolling(_odd(hour), center=True, min_periods=1).mean()
    day = light.groupby(seen.days).transform("mean")
    moves = sorted({round(h * hour) for h in _NEAR_H} - {0})
    features = [
        series.to_numpy()[at]
        for series in (
            share,
            light,
            *(light.shift(-k) for k in moves),
            *middle.values(),
            *spread.values(),
            smooth,
            day,
        )
    ]
    features += [past[name] for name in ("last_3d", "last_7d", "last_30d", "hour_7d", "hour_21d")]
    features += [seen.seen.wind_m_s[at], *seen.extras[at].T]
    if seen.long:
        features += [*_place(seen, at), *_season(seen, at), seen.warm[at]]
    power_at, clear_at = told[at], clear[at]
    bright = np.nan_to_num(light.to_numpy()[at], nan=0.7)
    weather = [np.nan_to_num(series.to_numpy()[at]) for series in (day, *spread.values())]
    terms = [
        power_at,
        power_at * bright,
        power_at * power_at / max(seen.plant.peak, 1e-9),
        clear_at * bright,
        clear_at * bright * bright,
        scale[at] * (np.nan_to_num(smooth.to_numpy()[at]) - share.to_numpy()[at]),
        *(power_at * value for value in weather),
        *(clear_at * value for value in weather),
        *(power_at * (past[name] - 1.0) for name in ("last_3d", "last_7d", "last_30d")),
        *(power_at * (past[name] - 1.0) for name in ("hour_7d", "hour_21d")),
        power_at * np.nan_to_num((seen.warm[at] - 15.0) / 15.0),
        *(power_at * value for value in np.nan_to_num(seen.extras[at]).T),
    ]
    return Rows(np.stack(features, axis=1), np.stack(terms, axis=1), power_at, scale[at])


def _odd(rows: float) -> int:
    return 2 * int(rows // 2) + 1
