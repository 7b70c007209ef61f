"""Where the sun stands, in plain arithmetic: good to 0.02° between 1950 and 2050.

The one sun of the project. Knows no library but numpy, so that the core can tell day from night
and the simulated sky can be lit without pvlib, which only turns light into power (`solar`).
Instants are UTC seconds. Floats, because most who ask want one instant; arrays go one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import asin, atan2, cos, degrees, exp, pi, radians, sin

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import Site
from pems_actors.domain.units import DAY_S

Array = npt.NDArray[np.float64]

_J2000_S = 946_728_000.0  # noon of 2000-01-01, from where astronomers count days
_LOWEST_COS = 0.02  # below about 1° over the horizon the beam is lost in the landscape


@dataclass(frozen=True, slots=True, eq=False)
class Sun:
    """Where the sun stands: zenith (without refraction) and compass azimuth [degrees]."""

    zenith_deg: Array
    azimuth_deg: Array

    @property
    def cos_zenith(self) -> Array:
        """Cosine of the zenith angle, 0 while the sun is down."""
        cosine = np.cos(np.radians(self.zenith_deg))
        return np.where(cosine > _LOWEST_COS, cosine, 0.0)


def sun_at(site: Site, at_s: Array) -> Sun:
    """Find the sun's position over a site, `at_s` and both angles of shape (n,)."""
    here = site.latitude_deg, site.longitude_deg
    angles = np.array([_towards_sun(*here, s) for s in np.asarray(at_s, float).tolist()])
    east, north, up = angles.reshape(-1, 3).T
    zenith = np.degrees(np.arccos(np.clip(up, -1.0, 1.0)))
    return Sun(zenith, np.degrees(np.arctan2(east, north)) % 360.0)


def elevation_sine(site: Site, at_s: float) -> float:
    """Sine of the sun's elevation, negative at night."""
    return _towards_sun(site.latitude_deg, site.longitude_deg, at_s)[2]


def elevation_deg(site: Site, at_s: float) -> float:
    """Elevation of the sun [°], negative at night."""
    return degrees(asin(max(-1.0, min(1.0, elevation_sine(site, at_s)))))


def clear_sky_ghi_w_m2(site: Site, at_s: float) -> float:
    """Global irradiance on the horizontal under a clear sky [W/m²], 0 at night.

    Source: Haurwitz 1945, "Insolation in relation to cloudiness and cloud density".
    """
    sine = elevation_sine(site, at_s)
    return 1098.0 * sine * exp(-0.057 / sine) if sine > 0.005 else 0.0


def year_angle(at_s: float) -> float:
    """Angle of the year [rad, 0 to 2π], 0 at the winter solstice of the northern half."""
    return (_ecliptic_longitude((at_s - _J2000_S) / DAY_S) + 0.5 * pi) % (2.0 * pi)


@lru_cache(maxsize=2048)
def _towards_sun(
    latitude_deg: float, longitude_deg: float, at_s: float
) -> tuple[float, float, float]:
    """Point from a place to the sun: a unit vector to the east, the north and the zenith.

    Remembered, because each forecast asks for most instants of the one before it.

    Source: the Astronomical Almanac's short formulas, as in Michalsky 1988, "The Astronomical
    Almanac's algorithm for approximate solar position", doi:10.1016/0038-092X(88)90045-X.
    """
    day = (at_s - _J2000_S) / DAY_S
    longitude = _ecliptic_longitude(day)
    tilt = radians(23.439 - 4e-7 * day)
    declination = asin(sin(tilt) * sin(longitude))
    ascension = atan2(cos(tilt) * sin(longitude), cos(longitude))
    sidereal_deg = 280.46062 + 360.98564737 * day + longitude_deg
    hour = radians(sidereal_deg % 360.0) - ascension
    latitude = radians(latitude_deg)
    to_equator, to_pole = cos(declination) * cos(hour), sin(declination)
    return (
        -cos(declination) * sin(hour),
        to_pole * cos(latitude) - to_equator * sin(latitude),
        to_pole * sin(latitude) + to_equator * cos(latitude),
    )


def _ecliptic_longitude(day: float) -> float:
    """How far the earth has come on its orbit, as the sun's longitude [rad]; 0 in spring."""
    anomaly = radians(357.528 + 0.9856003 * day)
    mean_deg = 280.460 + 0.9856474 * day
    return radians(mean_deg + 1.915 * sin(anomaly) + 0.020 * sin(2.0 * anomaly))
