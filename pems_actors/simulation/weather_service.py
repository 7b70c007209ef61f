"""Weather forecasts as a service would issue them: close for tomorrow morning, vague after.

The error belongs to the instant forecast and shrinks as it comes nearer, and a part of it changes
with each issue of the service. Light leans towards what is usual for the season as it gets farther.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.simulation.climate import Climate
from pems_actors.simulation.randomness import smooth_noise
from pems_actors.simulation.series import QUARTERS, day_of, quarter_middles, slot_means

Array = npt.NDArray[np.float64]

ISSUE_S = 6 * HOUR_S
_LEADS_H = (0.0, 6.0, 48.0)
_TEMP_SIGMA_K = (0.25, 0.5, 2.0)
_CLOUD_SIGMA = (0.10, 0.25, 0.50)  # of the logarithm of the light
_USUAL_SHARE = (0.05, 0.15, 0.45)
_OWN_SHARE = 0.6  # of the error's deviation that changes with each issue
_BRIGHTEST_DNI_W_M2 = 950.0


@dataclass(frozen=True, slots=True)
class WeatherService:
    """Forecasts of one climate by one seed."""

    climate: Climate
    seed: int

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast:
        """Issue a forecast for slots; the service updates every 6 h."""
        issued_s = now_s // ISSUE_S * ISSUE_S
        days = range(day_of(grid.start_s), day_of(grid.end_s) + 1)
        series = {day: self._expected(day, now_s, issued_s) for day in days}

        def means(row: int) -> tuple[float, ...]:
            return tuple(slot_means(grid, lambda day: series[day][row]).tolist())

        return WeatherForecast(
            issued_at_s=issued_s,
            grid=grid,
            outdoor_c=means(0),
            ghi_w_m2=means(1),
            dni_w_m2=means(2),
            dhi_w_m2=means(3),
            source="scenario",
        )

    def _expected(self, day: int, now_s: float, issued_s: float) -> Array:
        """Give a day as it is expected: outdoor, ghi, dni, dhi, shape (4, 96)."""
        at_s = quarter_middles(day)
        lead_h = np.maximum(at_s - now_s, 0.0) / HOUR_S
        chill = np.interp(lead_h, _LEADS_H, _TEMP_SIGMA_K) * self._error("temp", day, issued_s)
        haze = np.interp(lead_h, _LEADS_H, _CLOUD_SIGMA) * self._error("cloud", day, issued_s)
        usual = np.interp(lead_h, _LEADS_H, _USUAL_SHARE)
        outdoor = self.climate.day("outdoor_c", day) + chill
        dni = self._mixed("dni_w_m2", day, usual) * np.exp(haze)
        dni = np.minimum(dni, _BRIGHTEST_DNI_W_M2)
        dhi = self._mixed("dhi_w_m2", day, usual) * np.exp(0.3 * haze)
        ghi = dni * self._cos_zenith(day) + dhi
        return np.stack([outdoor, ghi, dni, dhi])

    def _mixed(self, name: str, day: int, usual: Array) -> Array:
        lit = self._cos_zenith(day) > 0.0
        mixed = (1.0 - usual) * self.climate.day(name, day)
        return np.where(lit, mixed + usual * self.climate.usual_day(name, day), 0.0)

    def _cos_zenith(self, day: int) -> Array:
        return self.climate.day("cos_zenith", day)[:QUARTERS]

    def _error(self, name: str, day: int, issued_s: float) -> Array:
        """Draw an error of deviation 1: one part of the instant's own, one of this issue's."""
        lasting = _noise(self.seed, f"{name} at", day)
        issue = self.seed * 1_000_003 + int(issued_s // ISSUE_S)
        passing = _noise(issue, f"{name} is", day)
        return np.asarray((1.0 - _OWN_SHARE**2) ** 0.5 * lasting + _OWN_SHARE * passing)


@lru_cache(maxsize=64)
def _noise(seed: int, stream: str, day: int) -> Array:
    """Draw the noise of one UTC day, shape (96,)."""
    return smooth_noise(seed, stream, quarter_middles(day), 6 * HOUR_S)
