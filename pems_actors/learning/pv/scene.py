"""Sun and sky over the intervals of a table, and the light that a tilted plane gets from them.

Long intervals are seen at several instants, because an hour around sunrise is not its middle.
Where only GHI is known it is split (Erbs); where two of GHI, DNI and DHI are known the third
follows; where none is known the row is `dark to us` and only its clear sky can be told. Rows run
along the first axis, instants within a row along the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd
import pvlib
from pvlib.clearsky import simplified_solis

from pems_actors.domain.house import Site
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.physics.solar import ALBEDO, split_ghi
from pems_actors.physics.sun import Sun

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

USUAL_C, USUAL_WIND_M_S = 15.0, 1.5
_IAM_B = 0.05  # of the glass, ASHRAE 93
_CLEARLY_LIGHT = 20.0
_BRIGHTEST = 1.6  # of clear sky, at the edges of clouds
_J2000_S = 946_728_000.0
_LOW_SUN_DEG = 2.0  # nearer to the horizon the beam is lost in the landscape


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Irradiances [W/m²], arrays (rows, instants)."""

    ghi: Array
    dni: Array
    dhi: Array

    def take(self, rows: Mask) -> Light:
        """Keep some rows."""
        return Light(self.ghi[rows], self.dni[rows], self.dhi[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the roofs of a site see in each interval.

    `known` tells in which rows the weather's light is known; in the others `light` is clear sky.
    """

    zenith_deg: Array
    azimuth_deg: Array
    extra_w_m2: Array
    light: Light
    clear: Light
    known: Mask
    temp_c: Array
    wind_m_s: Array

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.zenith_deg)

    @property
    def elevation_deg(self) -> Array:
        """Sun elevation in the middle of each row, shape (rows,)."""
        middle = self.zenith_deg.shape[1] // 2
        return 90.0 - self.zenith_deg[:, middle]

    @property
    def lit(self) -> Mask:
        """Rows with any clear-sky light."""
        return np.asarray(self.clear.ghi.mean(axis=1) > 0.5)

    @property
    def clearness(self) -> Array:
        """GHI against clear sky, shape (rows,); NaN at night and where the light is unknown."""
        clear = self.clear.ghi.mean(axis=1)
        told = self.light.ghi.mean(axis=1) / np.maximum(clear, 1.0)
        return np.where(self.known & (clear > 10.0), np.minimum(told, _BRIGHTEST), np.nan)

    def take(self, rows: Mask) -> Scene:
        """Keep some rows."""
        return Scene(
            self.zenith_deg[rows],
            self.azimuth_deg[rows],
            self.extra_w_m2[rows],
            self.light.take(rows),
            self.clear.take(rows),
            self.known[rows],
            self.temp_c[rows],
            self.wind_m_s[rows],
        )


def scene(site: Site, frame: pd.DataFrame, step: pd.Timedelta, shift_s: float = 0.0) -> Scene:
    """See the sun and the sky over the rows of a frame.

    Args:
        frame: UTC index of starts; weather columns as in `Table`, none of them needed.
        step: length of a row.    shift_s: how much later than told the rows really are.
    """
    index = pd.DatetimeIndex(frame.index)
    step_s = step.total_seconds()
    parts = max(1, ceil(min(step_s, HOUR_S) / QUARTER_S))
    starts = index.as_unit("s").asi8.astype(float) + shift_s
    at_s = (starts[:, None] + (np.arange(parts) + 0.5) * step_s / parts).ravel()
    sun = suns_at(site, at_s)
    shape = (len(index), parts)
    sky = simplified_solis(90.0 - sun.zenith_deg)
    clear = Light(*(np.nan_to_num(sky[name]).reshape(shape) for name in ("ghi", "dni", "dhi")))
    light, known = _light(frame, clear, sun, at_s, max(1, round(HOUR_S / step_s)))
    return Scene(
        sun.zenith_deg.reshape(shape),
        sun.azimuth_deg.reshape(shape),
        _extra(index, parts),
        light,
        clear,
        known,
        _column(frame, "temp_c", USUAL_C),
        _column(frame, "wind_m_s", USUAL_WIND_M_S),
    )


def suns_at(site: Site, at_s: Array) -> Sun:
    """Find the sun at very many instants at once, as `physics.sun.sun_at` does one by one.

    Two years of quarter hours one by one would take longer than all that is learned from them.
    Source: Michalsky 1988, doi:10.1016/0038-092X(88)90045-X.
    """
    day = (at_s - _J2000_S) / DAY_S
    anomaly = np.radians(357.528 + 0.9856003 * day)
    mean = 280.460 + 0.9856474 * day
    longitude = np.radians(mean + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    tilt = np.radians(23.439 - 4e-7 * day)
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    ascension = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    turned = 280.46062 + 360.98564737 * day + site.longitude_deg
    hour, latitude = np.radians(turned % 360.0) - ascension, np.radians(site.latitude_deg)
    equator, pole = np.cos(declination) * np.cos(hour), np.sin(declination)
    east = -np.cos(declination) * np.sin(hour)
    north = pole * np.cos(latitude) - equator * np.sin(latitude)
    up = pole * np.sin(latitude) + equator * np.cos(latitude)
    zenith = np.degrees(np.arccos(np.clip(up, -1.0, 1.0)))
    return Sun(zenith, np.degrees(np.arctan2(east, north)) % 360.0)


def plane_w_m2(seen: Scene, light: Light, tilt_deg: float, azimuth_deg: float) -> Array:
    """Compute what gets through the glass of a tilted plane [W/m²], shape (rows, instants).

    Beam by geometry and the glass's reflection (ASHRAE), sky diffuse by Hay and Davies.
    """
    zenith, azimuth = seen.zenith_deg, seen.azimuth_deg
    beam = np.where(zenith < 90.0 - _LOW_SUN_DEG, light.dni, 0.0)
    aoi = pvlib.irradiance.aoi(tilt_deg, azimuth_deg, zenith, azimuth)
    through = np.where(aoi < 88.0, pvlib.iam.ashrae(aoi, _IAM_B), 0.0)
    sky = pvlib.irradiance.haydavies(
        tilt_deg, azimuth_deg, light.dhi, beam, seen.extra_w_m2, zenith, azimuth
    )
    ground = pvlib.irradiance.get_ground_diffuse(tilt_deg, light.ghi, ALBEDO)
    direct = beam * np.maximum(np.cos(np.radians(aoi)), 0.0) * through
    return np.asarray(np.maximum(np.nan_to_num(direct + np.nan_to_num(sky) + ground), 0.0))


def _extra(index: pd.DatetimeIndex, parts: int) -> Array:
    extra = pvlib.irradiance.get_extra_radiation(np.asarray(index.day_of_year))
    return np.repeat(np.asarray(extra, float)[:, None], parts, axis=1)


def _column(frame: pd.DataFrame, name: str, usual: float) -> Array:
    if name not in frame:
        return np.full(len(frame), usual)
    told = frame[name].to_numpy(float)
    return np.where(np.isfinite(told), told, usual)


def _light(
    frame: pd.DataFrame, clear: Light, sun: Sun, at_s: Array, rows_per_h: int
) -> tuple[Light, Mask]:
    """Spread the weather's irradiance over the instants, and complete it."""
    shape = clear.ghi.shape
    height = np.maximum(sun.cos_zenith.reshape(shape), 0.0)
    ghi, dni, dhi = (
        frame[name].to_numpy(float) if name in frame else np.full(len(frame), np.nan)
        for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
    )
    untold = (ghi > _CLEARLY_LIGHT) & (dni == 0.0) & (dhi == 0.0)  # zeros of one who tells GHI only
    dni, dhi = np.where(untold, np.nan, dni), np.where(untold, np.nan, dhi)
    high = height.mean(axis=1)
    ghi = np.where(np.isfinite(ghi), ghi, dni * high + dhi)
    ghi = _bridged(ghi, clear.ghi.mean(axis=1), rows_per_h)
    known = np.isfinite(ghi)
    spread = _spread(np.where(known, ghi, 0.0), clear.ghi)
    diffuse = np.where(np.isfinite(dhi), dhi, ghi - dni * high)
    erbs_dni, erbs_dhi = (part.reshape(shape) for part in split_ghi(spread.ravel(), sun, at_s))
    told = np.isfinite(diffuse)[:, None]
    part = _spread(np.nan_to_num(np.clip(diffuse, 0.0, None)), clear.dhi)
    part = np.minimum(part, spread)
    beam = np.where(height > 0.03, (spread - part) / np.maximum(height, 0.03), 0.0)
    light = Light(
        np.where(known[:, None], spread, clear.ghi),
        np.where(known[:, None], np.where(told, np.minimum(beam, 1400.0), erbs_dni), clear.dni),
        np.where(known[:, None], np.where(told, part, erbs_dhi), clear.dhi),
    )
    return light, known


def _bridged(ghi: Array, clear: Array, rows_per_h: int) -> Array:
    """Bridge holes of up to an hour between two known rows by the share of clear sky around."""
    if np.isfinite(ghi).all() or not np.isfinite(ghi).any():
        return ghi
    share = pd.Series(np.where(clear > 1.0, ghi / np.maximum(clear, 1.0), np.nan))
    hole = share.isna().to_numpy()
    run = pd.Series(hole).groupby((~hole).cumsum()).transform("sum").to_numpy()
    inside = share.interpolate(limit_area="inside").to_numpy() * clear
    return np.where(np.isfinite(ghi) | (run > rows_per_h), ghi, inside)


def _spread(mean: Array, shape_of: Array) -> Array:
    """Give the instants of a row the shape of clear sky while keeping the row's mean."""
    clear = shape_of.mean(axis=1)
    share = np.where(clear > 1.0, mean / np.maximum(clear, 1.0), 0.0)
    shaped = np.minimum(share, 2.0 * _BRIGHTEST)[:, None] * shape_of
    return np.asarray(np.maximum(shaped, 0.0))
