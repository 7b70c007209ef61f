"""What the roofs give: irradiance to AC power, by pvlib.

The only file that needs pvlib, and it imports it when called: pvlib brings pandas and scipy along,
which belong into workers and the twin's process, not into the core; where the sun stands is known
without it (`sun`). Times are arrays of UTC seconds, meant as the middles of the intervals; all
arrays have shape (n,).

Three irradiances, never mixed up: DNI is the beam on a plane facing the sun, DHI the diffuse and
GHI the global one on the horizontal; `ghi = dni · cos(zenith) + dhi`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import InverterModel, Roof, Site
from pems_actors.physics.sun import Sun, sun_at

Array = npt.NDArray[np.float64]

GAMMA_PER_K = -0.004  # power lost per kelvin of cell temperature, crystalline silicon
ALBEDO = 0.2
_STANDARD_W_M2, _STANDARD_C = 1000.0, 25.0


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
    from pvlib.irradiance import erbs  # noqa: PLC0415 - see the module's docstring

    parts = erbs(np.asarray(ghi_w_m2), sun.zenith_deg, _day_of_year(at_s))
    return np.nan_to_num(np.asarray(parts["dni"])), np.nan_to_num(np.asarray(parts["dhi"]))


def clear_sky(site: Site, at_s: Array) -> Sky:
    """Compute the irradiance of a cloudless sky (simplified Solis), at 10 °C.

    Source: Ineichen 2008, doi:10.1016/j.solener.2007.09.004.
    """
    from pvlib.clearsky import simplified_solis  # noqa: PLC0415 - see the module's docstring

    clear = simplified_solis(90.0 - sun_at(site, at_s).zenith_deg)
    ghi, dni, dhi = (np.nan_to_num(np.asarray(clear[name])) for name in ("ghi", "dni", "dhi"))
    return Sky(ghi, dni, dhi, np.full(len(ghi), 10.0))


def roof_irradiance(roof: Roof, sun: Sun, sky: Sky, at_s: Array) -> Array:
    """Compute the irradiance on one roof's plane [W/m²], never negative.

    Beam by geometry, sky diffuse by Hay and Davies, ground reflection from GHI.
    """
    from pvlib import irradiance  # noqa: PLC0415 - see the module's docstring

    parts = irradiance.get_total_irradiance(
        roof.tilt_deg,
        roof.azimuth_deg,
        sun.zenith_deg,
        sun.azimuth_deg,
        np.where(sun.cos_zenith > 0.0, sky.dni_w_m2, 0.0),
        sky.ghi_w_m2,
        sky.dhi_w_m2,
        dni_extra=irradiance.get_extra_radiation(_day_of_year(at_s)),
        albedo=ALBEDO,
        model="haydavies",
    )
    plane: Array = np.nan_to_num(np.asarray(parts["poa_global"], float))
    return np.maximum(plane, 0.0)


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
    from pvlib.temperature import faiman  # noqa: PLC0415 - see the module's docstring

    sun = sun_at(site, at_s)
    total = np.zeros(len(at_s))
    for roof in roofs:
        plane = roof_irradiance(roof, sun, sky, at_s)
        cell_c = np.asarray(faiman(plane, sky.temp_c, sky.wind_m_s))
        derating = 1.0 + GAMMA_PER_K * (cell_c - _STANDARD_C)
        total += roof.power_kwp * plane / _STANDARD_W_M2 * derating * (1.0 - roof.losses_frac)
    return np.maximum(total, 0.0) * inverter.efficiency_frac


def ac_power_kw(
    site: Site, roofs: Sequence[Roof], inverter: InverterModel, sky: Sky, at_s: Array
) -> Array:
    """Compute what leaves the inverter for the house when no battery takes part [kW]."""
    return np.minimum(pv_potential_kw(site, roofs, inverter, sky, at_s), inverter.ac_limit_kw)


def _day_of_year(at_s: Array) -> Array:
    days = (np.asarray(at_s) * 1e9).astype("datetime64[ns]").astype("datetime64[D]")
    return np.asarray((days - days.astype("datetime64[Y]")).astype(int) + 1)
