"""The weather that a place usually has: the floor under every weather forecast, never missing.

Two cosines for the temperature (year and day) and a share of the clear sky for the sun. It is
also the yardstick for nonsense: a forecast far from any climate is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

from pems_actors.domain.house import Site
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.physics.sun import clear_sky_ghi_w_m2, elevation_sine, year_angle

_COLDEST_AFTER_SOLSTICE = 2.0 * pi * 25.0 / 365.0
_WARMEST_SOLAR_H = 15.0
_CLEARNESS_WINTER, _CLEARNESS_SUMMER = 0.35, 0.60
_DIFFUSE_FRAC = 0.6
_LAPSE_K_M = 0.0055


@dataclass(frozen=True, slots=True)
class Climate:
    """Outdoor temperature of a site: yearly mean, yearly and daily amplitude [°C, K]."""

    site: Site
    mean_c: float
    season_k: float
    day_k: float = 4.0

    @classmethod
    def of(cls, site: Site) -> Climate:
        """Guess the climate from latitude and altitude: 8.6 ± 10 °C in Bohemia at 250 m."""
        latitude = abs(site.latitude_deg)
        mean_c = 27.0 - 0.34 * latitude - _LAPSE_K_M * site.altitude_m
        return cls(site, mean_c, season_k=0.2 * latitude)

    def outdoor_c(self, at_s: float) -> float:
        """Usual temperature at an instant [°C]."""
        season = cos(year_angle(at_s) - _COLDEST_AFTER_SOLSTICE)
        north = 1.0 if self.site.latitude_deg >= 0.0 else -1.0
        solar_h = (at_s % DAY_S) / HOUR_S + self.site.longitude_deg / 15.0
        day = cos(2.0 * pi * (solar_h - _WARMEST_SOLAR_H) / 24.0)
        return self.mean_c - north * self.season_k * season + self.day_k * day

    def irradiance_w_m2(self, at_s: float) -> tuple[float, float, float]:
        """Usual global, direct normal and diffuse irradiance at an instant [W/m²]."""
        north = 1.0 if self.site.latitude_deg >= 0.0 else -1.0
        summer = 0.5 - 0.5 * north * cos(year_angle(at_s))
        clearness = _CLEARNESS_WINTER + (_CLEARNESS_SUMMER - _CLEARNESS_WINTER) * summer
        ghi = clearness * clear_sky_ghi_w_m2(self.site, at_s)
        dhi = _DIFFUSE_FRAC * ghi
        return ghi, (ghi - dhi) / max(0.1, elevation_sine(self.site, at_s)), dhi
