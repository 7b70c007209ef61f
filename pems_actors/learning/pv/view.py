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

from pems_actors.learning.features.roofs import NEAR_MIN, beside
from pems_actors.learning.pv.members import Rows
from pems_actors.learning.pv.physics import Plant, power
from pems_actors.learning.pv.recent import Longs, Recent, starts_of
from pems_actors.learning.pv.scene import Array, Scene

Look = Literal["weather", "sky"]

LONG_DAYS = 300.0  # from here on the season itself is a feature
_SCALE_FLOOR = 0.02  # of the peak
_OWN = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_c", "wind_m_s")
_USUAL_SKY = 0.6
_PHYSICS_PAST = ("last_3d", "last_7d", "last_30d", "hour_7d", "hour_21d")


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


def features_of(
    look: Look, seen: View, past: Mapping[str, Array], at: Longs, lead: Array
) -> dict[str, Array]:
    """Compute what the trees see, by the names of `features.roofs`; other columns come after."""
    if look == "weather":
        named = {name: np.asarray(series, np.float64)[at] for name, series in _lights(seen).items()}
        named |= {name: past[name] for name in _PHYSICS_PAST}
        named["wind"] = seen.seen.wind_m_s[at]
        long = {**_sun(seen, at), **_season(seen, at), "warm": seen.warm[at]}
        return named | (long if seen.long else {})
    clear: dict[str, Array] = {"clear_share": seen.clear[at] / max(seen.plant.peak, 1e-9)}
    named = {**past, **clear, **_sun(seen, at), "days_ahead": lead, "warm": seen.warm[at]}
    return named | (_season(seen, at) if seen.long else {})


def _season(seen: View, at: Longs) -> dict[str, Array]:
    angle = 2.0 * np.pi * np.asarray(seen.index.day_of_year, float)[at] / 365.25
    return {"season_sin": np.sin(angle), "season_cos": np.cos(angle)}


def _sun(seen: View, at: Longs) -> dict[str, Array]:
    middle = seen.seen.zenith_deg.shape[1] // 2
    return {
        "sun_elevation": seen.seen.elevation_deg[at],
        "sun_azimuth": seen.seen.azimuth_deg[at, middle],
    }


def _lights(seen: View) -> dict[str, pd.Series[float]]:
    """Show the light of each row of the view, and of those around it, against a clear sky's."""
    light, share = pd.Series(seen.seen.clearness), pd.Series(seen.expected / seen.scale)
    hour = max(1, round(3600.0 / seen.step_s))
    moves = {round(minutes / 60.0 * hour): beside(minutes) for minutes in NEAR_MIN}
    named = {"physics_share": share, "light": light}
    named |= {name: light.shift(-k) for k, name in sorted(moves.items()) if k}
    for h in (1, 3):
        around = light.rolling(_odd(h * hour), center=True, min_periods=1)
        named[f"light_mean_{h}h"] = around.mean()
    for h in (2, 6):
        around = light.rolling(_odd(h * hour), center=True, min_periods=2)
        named[f"light_std_{h}h"] = around.std()
    smooth = share.rolling(_odd(hour), center=True, min_periods=1).mean()
    return {
        **named,
        "physics_share_1h": smooth,
        "light_day": light.groupby(seen.days).transform("mean"),
    }


def _stacked(named: Mapping[str, Array], seen: View, at: Longs) -> Array:
    return np.stack([*named.values(), *seen.extras[at].T], axis=1)


def _sky_rows(seen: View, past: dict[str, Array], at: Longs, lead: Array) -> Rows:
    named = features_of("sky", seen, past, at, lead)
    clear, smooth = seen.clear[at], past["hour_21d"]
    near = np.where(lead > 1.0, 0.0, 1.0)
    shares = [
        *(value - smooth for value in past.values()),
        *(near * (past[name] - smooth) for name in ("last_1d", "last_3d", "cut_day")),
        np.ones_like(clear),
        named["clear_share"],
        np.nan_to_num((named["warm"] - 15.0) / 15.0),
        *(_season(seen, at).values() if seen.long else ()),
        *np.nan_to_num(seen.extras[at]).T,
    ]
    terms = np.stack([share * clear for share in shares], axis=1)
    return Rows(_stacked(named, seen, at), terms, smooth * clear, seen.scale[at])


def _weather_rows(seen: View, past: dict[str, Array], at: Longs) -> Rows:
    named = features_of("weather", seen, past, at, np.ones(len(at)))
    power_at, clear_at = seen.expected[at], seen.clear[at]
    bright = np.nan_to_num(named["light"], nan=0.7)
    weather = [np.nan_to_num(named[n]) for n in ("light_day", "light_std_2h", "light_std_6h")]
    smooth = np.nan_to_num(named["physics_share_1h"]) - named["physics_share"]
    terms = [
        power_at,
        power_at * bright,
        power_at * power_at / max(seen.plant.peak, 1e-9),
        clear_at * bright,
        clear_at * bright * bright,
        seen.scale[at] * smooth,
        *(power_at * value for value in weather),
        *(clear_at * value for value in weather),
        *(power_at * (past[name] - 1.0) for name in _PHYSICS_PAST),
        power_at * np.nan_to_num((seen.warm[at] - 15.0) / 15.0),
        *(power_at * value for value in np.nan_to_num(seen.extras[at]).T),
    ]
    return Rows(_stacked(named, seen, at), np.stack(terms, axis=1), power_at, seen.scale[at])


def _odd(rows: float) -> int:
    return 2 * int(rows // 2) + 1
