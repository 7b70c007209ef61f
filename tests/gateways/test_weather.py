"""The weather service's answer is read with its two traps in mind."""

from __future__ import annotations

import json

import pytest

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, MINUTE_S, seconds
from pems_actors.gateways.http_feed import FeedError
from pems_actors.gateways.weather import CachedWeather, OpenMeteoClient, parse_forecast

SITE = Site(49.95, 14.60, altitude_m=400.0)
START_S = seconds("2026-01-15T00:00:00Z")
GRID = TimeGrid.uniform(START_S, 48)


def answer(hours: int = 72, **changed: list[object]) -> bytes:
    hourly: dict[str, list[object]] = {
        "time": [int(START_S + k * HOUR_S) for k in range(hours)],
        "temperature_2m": [float(k) for k in range(hours)],
        "shortwave_radiation": [10.0 * k for k in range(hours)],
        "direct_radiation": [777.0] * hours,
        "direct_normal_irradiance": [5.0 * k for k in range(hours)],
        "diffuse_radiation": [2.0 * k for k in range(hours)],
    }
    hourly.update(changed)
    return json.dumps({"latitude": 49.95, "hourly": hourly}).encode()


def test_irradiance_is_the_mean_of_the_hour_before_its_stamp() -> None:
    told = parse_forecast(answer(), START_S)
    assert told.grid.start_s == START_S
    assert len(told.grid) == 71
    assert told.ghi_w_m2[:2] == (10.0, 20.0)
    assert told.dhi_w_m2[:2] == (2.0, 4.0)


def test_the_beam_is_direct_normal_and_not_direct_on_the_horizontal() -> None:
    assert parse_forecast(answer(), START_S).dni_w_m2[:2] == (5.0, 10.0)


def test_temperature_is_the_mean_of_both_ends_of_the_hour() -> None:
    assert parse_forecast(answer(), START_S).outdoor_c[:2] == (0.5, 1.5)


def test_missing_values_at_the_end_shorten_the_forecast() -> None:
    temps: list[object] = [1.0] * 50 + [None] * 22
    told = parse_forecast(answer(temperature_2m=temps), START_S)
    assert told.grid.end_s == START_S + 49 * HOUR_S


def test_slightly_negative_irradiance_is_night() -> None:
    assert parse_forecast(answer(shortwave_radiation=[-0.2] * 72), START_S).ghi_w_m2[0] == 0.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"hourly": {"time": [1' + b"0" * 400 + b"]}}",
        b"<html></html>",
        b"{}",
        b'{"hourly": {}}',
        b'{"error": true, "reason": "daily limit"}',
        answer(hours=6),
        answer(temperature_2m=[None] * 72),
        answer(temperature_2m=["warm"] * 72),
        answer(temperature_2m=[float("nan")] * 72),
        answer(diffuse_radiation=[1.0] * 71),
        answer(time=[int(START_S + k * 900) for k in range(72)]),
    ],
)
def test_what_is_no_forecast_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(FeedError, match="forecast"):
        parse_forecast(body, START_S)


def test_the_client_asks_in_utc_for_what_roofs_and_rooms_need() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return answer()

    told = OpenMeteoClient(SITE, fetch).forecast(GRID, START_S)
    assert told is not None
    assert told.source == "open-meteo"
    assert "latitude=49.9500&longitude=14.6000&elevation=400" in asked[0]
    assert "direct_normal_irradiance" in asked[0]
    assert "timeformat=unixtime" in asked[0]
    assert "timezone=UTC" in asked[0]


def test_a_forecast_that_ends_before_the_grid_is_none() -> None:
    late = TimeGrid.uniform(START_S + 100 * HOUR_S, 4)
    assert OpenMeteoClient(SITE, lambda _: answer()).forecast(late, START_S) is None


class Service:
    """A source that can break; it counts the calls."""

    def __init__(self) -> None:
        self.broken: FeedError | None = None
        self.calls = 0

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        self.calls += 1
        if self.broken:
            raise self.broken
        return OpenMeteoClient(SITE, lambda _: answer()).forecast(grid, now_s)


def test_the_service_is_asked_every_half_hour() -> None:
    service = Service()
    cache = CachedWeather(service)
    for minute in range(120):
        cache.forecast(GRID, START_S + minute * MINUTE_S)
    assert service.calls == 4


def test_the_last_good_forecast_outlives_a_broken_service_and_keeps_its_time() -> None:
    service = Service()
    cache = CachedWeather(service)
    good = cache.forecast(GRID, START_S)
    service.broken = FeedError("the service is down")
    later = cache.forecast(GRID, START_S + HOUR_S)
    assert later is good
    assert cache.last_error == "the service is down"


def test_a_broken_service_is_asked_less_and_less() -> None:
    service = Service()
    service.broken = FeedError("down")
    cache = CachedWeather(service)
    for minute in range(60):
        assert cache.forecast(GRID, START_S + minute * MINUTE_S) is None
    assert 4 <= service.calls <= 8


def test_a_clock_set_back_does_not_silence_the_feed() -> None:
    service = Service()
    cache = CachedWeather(service)
    cache.forecast(GRID, START_S + 10 * HOUR_S)
    cache.forecast(GRID, START_S)
    assert service.calls == 2
