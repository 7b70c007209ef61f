"""The world around a simulated house: weather, base load, prices, and what is known of them.

A composite and labelled as one: weather of a typical year by day of year, market prices of 2022
and 2023, the rhythm of a real household; places and years never met. A scenario is the price and
the weather source of a simulated house as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, MINUTE_S, QUARTER_S
from pems_actors.simulation import household, market
from pems_actors.simulation.climate import Climate
from pems_actors.simulation.randomness import generator
from pems_actors.simulation.series import QUARTERS, day_of, quarter_middles, slot_means
from pems_actors.simulation.weather_service import WeatherService

Array = npt.NDArray[np.float64]

MINUTES = 1440
_KEPT_DAYS = 8
_CLOUD_ROUGHNESS = 0.25
_CLOUD_RANGE = (0.4, 1.3)
_CLOUD_MEMORY = 0.7  # from minute to minute


class Conditions(NamedTuple):
    """What surrounds the house during one minute; `pv_kw` is what the roofs could give."""

    outdoor_c: float
    ghi_w_m2: float
    dni_w_m2: float
    dhi_w_m2: float
    pv_kw: float
    base_load_kw: float


@dataclass(frozen=True)
class Scenario:
    """One world, from `start_s` for `days`; it goes on after its end, for a twin that lives on."""

    climate: Climate
    start_s: float
    days: float
    seed: int
    timezone: str

    @classmethod
    def reference(
        cls,
        house: House,
        start_s: float,
        days: float,
        weather_shift_k: float = 0.0,
        seed: int = 0,
    ) -> Scenario:
        """Make the reference scenario for a house.

        Args:
            house: its site and roofs count.    start_s, days: the span meant.
            weather_shift_k: added to every outdoor temperature.    seed: of all roughness.
        """
        climate = Climate.of(house, weather_shift_k)
        return cls(climate, start_s, days, seed, house.site.timezone)

    @property
    def end_s(self) -> float:
        """End of the span meant."""
        return self.start_s + self.days * DAY_S

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what the scenario is made of, for reports."""
        filled = ", ".join(market.filled_days())
        return (
            "composite: typical-year weather (45 N 8 E) by day of year",
            "composite: DE-LU day-ahead prices of 2022 and 2023, weekday by weekday",
            "composite: rhythm of a house near Paris, scaled to a base load of about 0.4 kW",
            f"prices of {filled} are missing; those of the week before stand in",
            f"outdoor temperature shifted by {self.climate.shift_k:+g} K, seed {self.seed}",
        )

    def at(self, at_s: float) -> Conditions:
        """Give the conditions of the minute that an instant lies in."""
        rows = self._minutes.get(int(at_s // DAY_S))
        if rows is None:
            rows = self._make_minutes(day_of(at_s))
        return rows[int(at_s % DAY_S // MINUTE_S)]

    def actual(self, name: str, grid: TimeGrid) -> tuple[float, ...]:
        """Give what a perfect forecast would say: slot means of one of `Conditions`' fields.

        Raises: AttributeError for another name.
        """
        return tuple(slot_means(grid, lambda day: self._quarters(name, day)).tolist())

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Give published prices per slot; None beyond (tomorrow's are known from 13:00 local)."""
        return market.spot_eur_mwh(grid, now_s, self.timezone)

    def traded_eur_mwh(self, grid: TimeGrid) -> tuple[float, ...]:
        """Give prices per slot as they will have been, for settlement and hindsight."""
        return market.traded_eur_mwh(grid)

    def published_until_s(self, now_s: float) -> float:
        """Find where published prices end."""
        return market.published_until_s(now_s, self.timezone)

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast:
        """Give the weather service's forecast of `now_s`."""
        return self._service.forecast(grid, now_s)

    @cached_property
    def _service(self) -> WeatherService:
        return WeatherService(self.climate, self.seed)

    @cached_property
    def _minutes(self) -> dict[int, list[Conditions]]:
        return {}

    def _quarters(self, name: str, day: int) -> Array:
        if name == "base_load_kw":
            return household.base_load_day(self.seed, day)
        if name == "pv_kw":
            return self.climate.pv_day(day)
        return self.climate.day(name, day)

    def _make_minutes(self, day: int) -> list[Conditions]:
        if len(self._minutes) >= _KEPT_DAYS:
            del self._minutes[min(self._minutes)]
        steady = [self._quarters(name, day) for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")]
        base = self._quarters("base_load_kw", day)
        columns = [
            self._outdoor_minutes(day),
            *(np.repeat(series, 15) for series in steady),
            np.repeat(self._quarters("pv_kw", day), 15) * self._clouds(day),
            np.repeat(base, 15) * household.minute_factors(self.seed, day),
        ]
        rows = [Conditions(*row) for row in np.stack(columns, axis=1).tolist()]
        self._minutes[day] = rows
        return rows

    def _outdoor_minutes(self, day: int) -> Array:
        """Join the quarters of three days, so that midnight is no step."""
        quarters = np.concatenate([self._quarters("outdoor_c", day + k) for k in (-1, 0, 1)])
        minutes = day * DAY_S + (np.arange(MINUTES) + 0.5) * MINUTE_S
        return np.asarray(np.interp(minutes, quarter_middles(day - 1, 3), quarters))

    def _clouds(self, day: int) -> Array:
        """Give factors of passing clouds, mean 1 over each quarter; calm when clear or grey."""
        clearness = np.clip(self._quarters("dni_w_m2", day) / 900.0, 0.0, 1.0)
        sigma = np.repeat(_CLOUD_ROUGHNESS * np.sin(np.pi * clearness), 15)
        passing = generator(self.seed, "clouds", day).standard_normal(MINUTES + 8)
        kernel = _CLOUD_MEMORY ** np.arange(9)
        passing = np.convolve(passing, kernel / np.hypot.reduce(kernel), mode="valid")
        factors = np.clip(np.exp(sigma * passing), *_CLOUD_RANGE).reshape(QUARTERS, 15)
        return np.asarray((factors / factors.mean(axis=1, keepdims=True)).reshape(-1))


def quarter_grid(start_s: float, days: float) -> TimeGrid:
    """Make the quarter hours of a span, for `Scenario.actual` and `traded_eur_mwh`."""
    return TimeGrid.uniform(start_s, round(days * DAY_S / QUARTER_S))
