"""The sun in plain arithmetic: good to a degree, for priors and for knowing the night.

The exact sun (pvlib) lives in a worker; the core must know day from night without it. A forecast
of sun in the dark is a mistake, whoever made it.
"""

from __future__ import annotations

from math import asin, cos, degrees, exp, pi, radians, sin

from pems_actors.domain.house import Site
from pems_actors.domain.units import DAY_S, HOUR_S

_YEAR_D = 365.2425
_TILT_SINE = sin(radians(23.44))
_ECCENTRICITY = radians(1.914)
_PERIHELION_D = 12.0  # after the solstice
_SINCE_SOLSTICE_D = 10.0  # the epoch's first of January is ten days after the winter solstice


def year_angle(at_s: float) -> float:
    """Angle of the year [rad], 0 at the winter solstice of the northern half."""
    return 2.0 * pi * ((at_s / DAY_S + _SINCE_SOLSTICE_D) % _YEAR_D) / _YEAR_D


def elevation_sine(site: Site, at_s: float) -> float:
    """Sine of the sun's elevation, negative at night; good to half a degree.

    Source: declination with the orbit's eccentricity and the short equation of time, as in Duffie
    & Beckman, "Solar Engineering of Thermal Processes", ch. 1.
    """
    angle = year_angle(at_s)
    orbit = angle + _ECCENTRICITY * sin(angle - 2.0 * pi * _PERIHELION_D / _YEAR_D)
    declination = asin(-_TILT_SINE * cos(orbit))
    equation_min = -9.87 * sin(2.0 * angle) - 7.53 * sin(angle) + 1.5 * cos(angle)
    solar_h = (at_s % DAY_S) / HOUR_S + site.longitude_deg / 15.0 + equation_min / 60.0
    hour_angle = radians(15.0 * (solar_h - 12.0))
    latitude = radians(site.latitude_deg)
    return sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour_angle)


def elevation_deg(site: Site, at_s: float) -> float:
    """Elevation of the sun [°], negative at night."""
    return degrees(asin(max(-1.0, min(1.0, elevation_sine(site, at_s)))))


def clear_sky_ghi_w_m2(site: Site, at_s: float) -> float:
    """Global irradiance on the horizontal under a clear sky [W/m²], 0 at night.

    Source: Haurwitz 1945, "Insolation in relation to cloudiness and cloud density".
    """
    sine = elevation_sine(site, at_s)
    return 1098.0 * sine * exp(-0.057 / sine) if sine > 0.005 else 0.0
