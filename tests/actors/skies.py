"""What the forecasters hear: weather, prices, and sources that fail on demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.time_grid import TimeGrid
from tests.actors.kit import NOON


def weather(
    at_s: float = NOON, outdoor_c: float = 1.0, ghi_w_m2: float = 100.0, hours: int = 50
) -> WeatherForecast:
    grid = TimeGrid.uniform(at_s - at_s % 3600.0, hours, 3600.0)
    flat = (ghi_w_m2,) * hours if ghi_w_m2 else (0.0,) * hours
    dark = (0.0,) * hours
    return WeatherForecast(at_s, grid, (outdoor_c,) * hours, flat, dark, dark, "provider")


@dataclass
class Provider:
    """A weather service: it answers, is silent, or cannot be reached."""

    down: bool = False
    silent: bool = False
    outdoor_c: float = 1.0
    asked: list[float] = field(default_factory=list)

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        self.asked.append(now_s)
        if self.down:
            raise OSError("no route to host")
        dark = (0.0,) * len(grid)
        return (
            None
            if self.silent
            else WeatherForecast(
                now_s, grid, (self.outdoor_c,) * len(grid), dark, dark, dark, "provider"
            )
        )


@dataclass
class Market:
    """A price service: it knows prices up to `until_s`, or cannot be reached."""

    until_s: float = NOON + 12 * 3600.0
    eur_mwh: float = 80.0
    down: bool = False
    asked: list[TimeGrid] = field(default_factory=list)

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        self.asked.append(grid)
        if self.down:
            raise OSError("no route to host")
        return tuple(self.eur_mwh if s < self.until_s else None for s in grid.starts_s)
