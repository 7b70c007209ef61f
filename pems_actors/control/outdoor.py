"""The outdoor temperature as it can best be believed: sensor, last value, forecast, month.

Unknown never means full heat, and never none: every rung gives a number, and says which it is.
"""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from typing import NamedTuple

from pems_actors.domain.events import Outdoor
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.readings import OutdoorReading, Quality
from pems_actors.domain.units import HOUR_S
from pems_actors.economics.local_hours import local_month

FRESH_S = 1800.0
HELD_S = 2 * HOUR_S
# a cautious (cold) month in Central Europe [°C], January first
MONTH_C = (-3.0, -2.0, 2.0, 7.0, 12.0, 15.0, 17.0, 16.0, 12.0, 7.0, 2.0, -2.0)


class OutdoorBelief(NamedTuple):
    """The last good sensor value and the last forecast heard."""

    sensor_c: float | None = None
    sensor_at_s: float = -inf
    forecast: WeatherForecast | None = None

    def heard(self, reading: OutdoorReading | None) -> OutdoorBelief:
        """Take a sensor value if it is one: a number between -50 and 60 °C."""
        if reading is None or reading.temp_c is None or not -50.0 <= reading.temp_c <= 60.0:
            return self
        return OutdoorBelief(reading.temp_c, reading.at_s, self.forecast)

    def at(self, now_s: float, timezone: str) -> Outdoor:
        """Give the best belief at an instant, from the first rung that holds."""
        age_s = now_s - self.sensor_at_s
        if self.sensor_c is not None and age_s <= FRESH_S:
            return Outdoor(self.sensor_c, Quality.GOOD, "sensor")
        if self.sensor_c is not None and age_s <= HELD_S:
            return Outdoor(self.sensor_c, Quality.STALE, "last sensor value")
        forecast = self.forecast
        if forecast is not None and forecast.grid.start_s <= now_s < forecast.grid.end_s:
            k = bisect_right(forecast.grid.edges_s, now_s) - 1
            return Outdoor(forecast.outdoor_c[k], Quality.ESTIMATED, "forecast")
        month = MONTH_C[local_month(now_s, timezone) - 1]
        return Outdoor(month, Quality.MISSING, "month of the year")
