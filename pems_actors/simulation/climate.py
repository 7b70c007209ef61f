"""The weather of a typical year, carried to the house's place, and what its roofs make of it.

Beam (DNI) and diffuse light (DHI) are taken from the typical year at the same solar time; the
global light on the ground follows from the sun's height over the house. So the three always agree.
Computed in blocks of 16 UTC days and remembered. The roofs' power needs pvlib and is computed only
when it is asked for: the twin lives by it, a forecast of the weather does without.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pems_actors.data import typical_weather
from pems_actors.domain.house import House, InverterModel, Roof, Site
from pems_actors.domain.units import HOUR_S
from pems_actors.physics.solar import Sky, pv_potential_kw
from pems_actors.physics.sun import sun_at
from pems_actors.simulation.calendars import seconds_of_year
from pems_actors.simulation.series import QUARTERS, quarter_middles

Array = npt.NDArray[np.float64]

BLOCK_DAYS = 16
_RECORDED_LONGITUDE_DEG = 8.0
_STAMP_H = 0.1  # irradiance was taken just after its stamp: the year's centroid is solar noon then


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """Quarter-hour means of one block, shape (96 · 16,) each."""

    outdoor_c: Array
    ghi_w_m2: Array
    dni_w_m2: Array
    dhi_w_m2: Array
    wind_m_s: Array
    cos_zenith: Array


@dataclass(frozen=True, slots=True)
class Climate:
    """What decides the weather of a house: its place, its roofs, and how much warmer it is."""

    site: Site
    roofs: tuple[Roof, ...]
    inverter: InverterModel
    shift_k: float = 0.0

    @classmethod
    def of(cls, house: House, shift_k: float = 0.0) -> Climate:
        """Take the place and the roofs of a house."""
        return cls(house.site, house.roofs, house.inverter, shift_k)

    def block(self, day: int) -> Weather:
        """Give the block of 16 days that a UTC day belongs to."""
        return _block(self, day // BLOCK_DAYS)

    def day(self, name: str, day: int) -> Array:
        """Give one series of a UTC day by its name, shape (96,)."""
        return _part(getattr(self.block(day), name), day)

    def pv_day(self, day: int) -> Array:
        """Give what the roofs could give on a UTC day, shape (96,) [kW]."""
        return _part(_roofs_kw(self, day // BLOCK_DAYS), day)

    def usual_day(self, name: str, day: int) -> Array:
        """Give the mean of a series over the block by time of day, shape (96,)."""
        return _usual(self, day // BLOCK_DAYS, name)


def _part(block: Array, day: int) -> Array:
    start = day % BLOCK_DAYS * QUARTERS
    return block[start : start + QUARTERS]


@lru_cache(maxsize=64)
def _block(climate: Climate, number: int) -> Weather:
    at_s = quarter_middles(number * BLOCK_DAYS, BLOCK_DAYS)
    # The same height of the sun comes earlier in the east than where the year was recorded.
    turn_s = (climate.site.longitude_deg - _RECORDED_LONGITUDE_DEG) / 15.0 * HOUR_S
    year_s = seconds_of_year(at_s + turn_s)
    light = year_s - _STAMP_H * HOUR_S
    cos_zenith = sun_at(climate.site, at_s).cos_zenith
    dni = np.where(cos_zenith > 0.0, _recorded("dni_w_m2", light), 0.0)
    dhi = np.where(cos_zenith > 0.0, _recorded("dhi_w_m2", light), 0.0)
    outdoor = _recorded("temp_c", year_s) + climate.shift_k
    ghi = dni * cos_zenith + dhi
    return Weather(outdoor, ghi, dni, dhi, _recorded("wind_m_s", year_s), cos_zenith)


@lru_cache(maxsize=64)
def _usual(climate: Climate, number: int, name: str) -> Array:
    """Average a series over a block by the time of day, shape (96,)."""
    by_day: Array = getattr(_block(climate, number), name).reshape(BLOCK_DAYS, QUARTERS)
    return np.asarray(by_day.mean(axis=0))


@lru_cache(maxsize=64)
def _roofs_kw(climate: Climate, number: int) -> Array:
    seen = _block(climate, number)
    sky = Sky(seen.ghi_w_m2, seen.dni_w_m2, seen.dhi_w_m2, seen.outdoor_c, seen.wind_m_s)
    at_s = quarter_middles(number * BLOCK_DAYS, BLOCK_DAYS)
    return pv_potential_kw(climate.site, climate.roofs, climate.inverter, sky, at_s)


def _recorded(name: str, year_s: Array) -> Array:
    """Read the typical year between its hours; the year is a ring."""
    values = typical_weather()[name]
    hours = year_s / HOUR_S
    return np.asarray(np.interp(hours, np.arange(len(values)), values, period=len(values)))
