"""What the roofs give: irradiance to AC power, by pvlib's equations in plain numpy.

pvlib itself brings pandas and scipy along, so it is the judge in the tests and stays out of the
house's processes. Times are arrays of UTC seconds, meant as the middles of the intervals; all
arrays have shape (n,).

Three irradiances, never mixed up: DNI is the beam on a plane facing the sun, DHI the diffuse and
GHI the global one on the horizontal; `ghi = dni · cos(zenith) + dhi`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import InverterModel, Roof, Site
from pems_actors.physics.sun import Sun, sun_at

Array = npt.NDArray[np.float64]

GAMMA_PER_K = -0.004  # power lost per kelvin of cell temperature, crystalline silicon
ALBEDO = 0.2
_STANDARD_W_M2, _STANDARD_C = 1000.0, 25.0
_SOLAR_W_M2 = 1366.1  # outside of the atmosphere, on average over a year
_LEAST_COS = 0.01745  # of the zenith: lower, the light around the sun would count without bound
_ERBS_COS, _ERBS_ZENITH_DEG = 0.065, 87.0  # a lower sun tells nothing of the share of diffuse light
_CELL_W_M2_K, _CELL_W_S_M3_K = 25.0, 6.84  # heat that a module loses, and more for each m/s of wind


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """Weather that matters to a roof, arrays of one length. Wind in 10 m height."""

    ghi_w_m2: Array
    dni_w_m2: Array
    dhi_w_m2: Array
    temp_c: Array
    wind_m_s: Array | float = 1.5


def split_ghi(ghi_w_m2: Array, sun: Sun, at_s: Array) -> tuple[Array, Array]:
    """Estimate DNI and DHI where only GHI is known.

    Returns: dni, dhi [W/m²].    Source: Erbs et al. 1982, doi:10.1016/0038-092X(82)90302-4.
    """
    ghi = np.asarray(ghi_w_m2, float)
    cosine = np.cos(np.radians(sun.zenith_deg))
    kt = np.clip(ghi / (_beyond_air_w_m2(at_s) * np.maximum(cosine, _ERBS_COS)), 0.0, 1.0)
    middle = 0.9511 - 0.1604 * kt + 4.388 * kt**2 - 16.638 * kt**3 + 12.336 * kt**4
    share = np.where(kt <= 0.22, 1.0 - 0.09 * kt, np.where(kt <= 0.8, middle, 0.165))
    dni = (1.0 - share) * ghi / cosine
    low = (sun.zenith_deg > _ERBS_ZENITH_DEG) | (ghi < 0.0) | (dni < 0.0)
    dni, dhi = np.where(low, 0.0, dni), np.where(low, ghi, share * ghi)
    return np.nan_to_num(dni), np.nan_to_num(dhi)


def roof_irradiance(roof: Roof, sun: Sun, sky: Sky, at_s: Array) -> Array:
    """Compute the irradiance on one roof's plane [W/m²], never negative.

    Beam by geometry, sky diffuse by Hay and Davies, ground reflection from GHI.
    Source: Hay & Davies 1980, "Calculations of the solar radiation incident on an inclined
    surface".
    """
    tilt, zenith = radians(roof.tilt_deg), np.radians(sun.zenith_deg)
    aside = np.radians(sun.azimuth_deg - roof.azimuth_deg)
    facing = cos(tilt) * np.cos(zenith) + sin(tilt) * np.sin(zenith) * np.cos(aside)
    facing = np.clip(facing, 0.0, 1.0)  # cosine of the angle between roof and beam
    dni = np.where(sun.cos_zenith > 0.0, sky.dni_w_m2, 0.0)
    clear = dni / _beyond_air_w_m2(at_s)
    around_sun = clear * facing / np.maximum(np.cos(zenith), _LEAST_COS)
    from_dome = np.maximum((1.0 - clear) * 0.5 * (1.0 + cos(tilt)), 0.0)
    from_ground = ALBEDO * 0.5 * (1.0 - cos(tilt)) * sky.ghi_w_m2
    plane: Array = dni * facing + sky.dhi_w_m2 * (around_sun + from_dome) + from_ground
    return np.maximum(np.nan_to_num(plane), 0.0)


def pv_potential_kw(
    site: Site, roofs: Sequence[Roof], inverter: InverterModel, sky: Sky, at_s: Array
) -> Array:
    """Compute what all roofs together could give, as AC power [kW].

    Not clipped by the inverter's AC limit, because a hybrid inverter still charges its battery
    with what the AC side cannot carry (`battery_modes`).

    Args:
        site, roofs, inverter: the plant.    sky: weather, shape (n,) each.
        at_s: middles of the intervals, UTC seconds, shape (n,).
    Returns: power, shape (n,) [kW].
    Source: cells by Faiman 2008, doi:10.1002/pip.813; PVWatts v5, NREL/TP-6A20-62641.
    """
    if not roofs:
        return np.zeros(len(at_s))
    sun = sun_at(site, at_s)
    total = np.zeros(len(at_s))
    for roof in roofs:
        plane = roof_irradiance(roof, sun, sky, at_s)
        cell_c = sky.temp_c + plane / (_CELL_W_M2_K + _CELL_W_S_M3_K * sky.wind_m_s)
        derating = 1.0 + GAMMA_PER_K * (cell_c - _STANDARD_C)
        total += roof.power_kwp * plane / _STANDARD_W_M2 * derating * (1.0 - roof.losses_frac)
    return np.maximum(total, 0.0) * inverter.efficiency_frac


def ac_power_kw(
    site: Site, roofs: Sequence[Roof], inverter: InverterModel, sky: Sky, at_s: Array
) -> Array:
    """Compute what leaves the inverter for the house when no battery takes part [kW]."""
    return np.minimum(pv_potential_kw(site, roofs, inverter, sky, at_s), inverter.ac_limit_kw)


def _beyond_air_w_m2(at_s: Array) -> Array:
    """Irradiance outside of the atmosphere by the day of the year [W/m²].

    Source: Spencer 1971, "Fourier series representation of the position of the sun".
    """
    angle = 2.0 * pi * (_day_of_year(at_s) - 1) / 365.0
    near = 1.00011 + 0.034221 * np.cos(angle) + 0.00128 * np.sin(angle)
    far = 0.000719 * np.cos(2.0 * angle) + 7.7e-05 * np.sin(2.0 * angle)
    return np.asarray(_SOLAR_W_M2 * (near + far))


def _day_of_year(at_s: Array) -> Array:
    days = (np.asarray(at_s) * 1e9).astype("datetime64[ns]").astype("datetime64[D]")
    return np.asarray((days - days.astype("datetime64[Y]")).astype(int) + 1)
