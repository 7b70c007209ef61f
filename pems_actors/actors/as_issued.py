"""Forecasts as issued, kept beside what came true: without them nobody can judge a forecaster.

One record every six hours for each predictor, of kind `issued.<name>`, as it went to the planner.
"""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import HouseActor
from pems_actors.domain.forecasts import Forecast, WeatherForecast
from pems_actors.domain.units import HOUR_S

EVERY_S = 6 * HOUR_S
KIND = "issued."
_DIGITS = 4


def issue_of(forecast: Forecast) -> dict[str, Any]:
    """Give a forecast as data."""
    return {
        **_grid(forecast),
        "p50": _short(forecast.p50),
        "p10": None if forecast.p10 is None else _short(forecast.p10),
        "p90": None if forecast.p90 is None else _short(forecast.p90),
    }


def weather_issue_of(forecast: WeatherForecast) -> dict[str, Any]:
    """Give a weather forecast as data."""
    return {
        **_grid(forecast),
        "temp_c": _short(forecast.outdoor_c),
        "ghi_w_m2": _short(forecast.ghi_w_m2),
        "dni_w_m2": _short(forecast.dni_w_m2),
        "dhi_w_m2": _short(forecast.dhi_w_m2),
    }


def keep_issue(
    actor: HouseActor, name: str, forecast: Forecast | WeatherForecast, kept: float
) -> float:
    """Keep the first forecast of every six hours.

    Returns: the six hours of the last one kept; hand it in again the next time.
    """
    now = actor.now_s() // EVERY_S
    if now != kept:
        told = issue_of(forecast) if isinstance(forecast, Forecast) else weather_issue_of(forecast)
        actor.keep(f"{KIND}{name}", told)
    return now


def _grid(forecast: Forecast | WeatherForecast) -> dict[str, Any]:
    grid = forecast.grid
    return {
        "issued_at_s": forecast.issued_at_s,
        "source": forecast.source,
        "start_s": grid.start_s,
        "step_s": grid.durations_s[0],
    }


def _short(values: tuple[float, ...]) -> list[float]:
    return [round(value, _DIGITS) for value in values]
