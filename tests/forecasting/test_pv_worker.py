"""The worker's job: from roofs and weather to kW per slot, as plain data."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from pems_actors.domain.forecasts import Forecast, WeatherForecast
from pems_actors.domain.house import Roof, Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, seconds
from pems_actors.forecasting.pv import PvScaler
from pems_actors.forecasting.pv_job import PvJob
from pems_actors.forecasting.pv_worker import factory
from pems_actors.forecasting.weather import WeatherLadder

SITE = Site(49.95, 14.60)
ROOFS = (Roof("terrace", 7.0, 35.0, 226.0), Roof("street", 6.5, 35.0, 136.0))
START_S = seconds("2026-04-10T00:00:00Z")


def weather(grid: TimeGrid) -> WeatherForecast:
    return WeatherLadder.of(SITE).forecast(grid, START_S)


def job(grid: TimeGrid) -> PvJob:
    return PvJob(SITE, ROOFS, 13.5, weather(grid))


def test_a_usual_april_day_gives_a_believable_energy() -> None:
    answer = factory()(job(TimeGrid.uniform(START_S, 96)))
    assert len(answer) == 96
    assert answer[0] == answer[-1] == 0.0
    assert 20.0 < sum(answer) / 4.0 < 60.0  # kWh from 13.5 kWp


def test_no_slot_is_over_what_the_inverter_takes_in() -> None:
    small = replace(job(TimeGrid.uniform(START_S, 96)), limit_kw=2.0)
    assert max(factory()(small)) == 2.0


def test_long_slots_carry_the_energy_of_their_quarter_hours() -> None:
    handle = factory()
    hours = job(TimeGrid.uniform(START_S, 24, HOUR_S))
    fine = replace(hours, weather=weather(TimeGrid.uniform(START_S, 96)))
    assert sum(handle(hours)) == pytest.approx(sum(handle(fine)) / 4.0, rel=0.03)


def test_a_source_that_knows_only_global_irradiance_serves_too() -> None:
    grid = TimeGrid.uniform(START_S, 96)
    whole = job(grid)
    dark = (0.0,) * 96
    bare = replace(whole, weather=replace(whole.weather, dni_w_m2=dark, dhi_w_m2=dark))
    handle = factory()
    assert sum(handle(bare)) == pytest.approx(sum(handle(whole)), rel=0.15)


def test_job_and_answer_travel_through_a_pipe_and_into_the_scaler() -> None:
    sent = pickle.loads(pickle.dumps(job(TimeGrid.uniform(START_S, 96))))
    answer = pickle.loads(pickle.dumps(factory()(sent)))
    told = Forecast("pv_kw", START_S, sent.weather.grid, answer)
    model = PvScaler.of(SITE, ROOFS).with_physics(told)
    assert model.forecast(sent.weather.grid, START_S).p50 == pytest.approx(answer, abs=0.05)
