"""A trained model laid over the house's own forecast."""

from __future__ import annotations

import pytest

from pems_actors.domain.forecasts import Forecast, LearnedForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.forecasting.learned import LIFE_S, Learned, is_learned
from pems_actors.forecasting.quarters import quarter_of

NOW = 1_700_006_400.0
GRID = TimeGrid.uniform(NOW, 8)
OWN = Forecast("base_load_kw", NOW, GRID, (1.0,) * 8, (0.5,) * 8, (2.0,) * 8, "weekly profile")


def told(p50: float = 3.0, slots: int = 4, model: str = "ridge.1", at_s: float = NOW):
    grid = TimeGrid.uniform(at_s, slots)
    values = ((p50,) * slots, (p50 - 1.0,) * slots, (p50 + 1.0,) * slots)
    return LearnedForecast(model, Forecast("base_load_kw", at_s, grid, *values))


def test_without_a_model_the_house_is_on_its_own():
    assert Learned().over(OWN, NOW) is OWN


def test_a_model_serves_where_it_says_something_and_the_house_beyond():
    forecast = Learned().heard(told()).over(OWN, NOW)
    assert forecast.p50 == (3.0,) * 4 + (1.0,) * 4
    assert forecast.p10 == (2.0,) * 4 + (0.5,) * 4
    assert forecast.p90 == (4.0,) * 4 + (2.0,) * 4
    assert forecast.source == "learned ridge.1"
    assert is_learned(forecast)
    assert not is_learned(OWN)


def test_an_old_issue_serves_no_more():
    learned = Learned().heard(told(slots=96))
    assert is_learned(learned.over(OWN, NOW + LIFE_S))
    assert learned.over(OWN, NOW + LIFE_S + 1.0) is OWN
    assert learned.over(OWN, NOW - 10.0) is OWN  # a clock that was set back


def test_a_withdrawal_counts_at_once():
    assert Learned().heard(told()).heard(LearnedForecast("", None)).over(OWN, NOW) is OWN


def test_what_is_no_forecast_leaves_the_issue_before_it():
    learned = Learned().heard(told())
    assert learned.heard(told(p50=float("nan"))) == learned
    crossing = Forecast("base_load_kw", NOW, GRID, (1.0,) * 8, (2.0,) * 8, (3.0,) * 8)
    assert learned.heard(LearnedForecast("bad.1", crossing)) == learned
    short = Forecast("base_load_kw", NOW, GRID, (1.0,) * 3)
    assert learned.heard(LearnedForecast("bad.1", short)) == learned


def test_what_the_house_takes_more_than_said_is_believed_for_a_while():
    learned = Learned().heard(told(slots=8)).observe(quarter_of(NOW), 5.0)
    p50 = learned.over(OWN, NOW).p50
    assert p50[1] == pytest.approx(3.44, abs=0.01)
    assert p50[7] < p50[1]


def test_no_power_is_told_below_zero():
    learned = Learned().heard(told(p50=0.1, slots=8)).observe(quarter_of(NOW), -5.0)
    assert min(learned.over(OWN, NOW, least=0.0).p10) == 0.0


def test_a_new_issue_knows_the_day_and_needs_no_correction():
    learned = Learned().heard(told(slots=8)).observe(quarter_of(NOW), 5.0)
    assert learned.heard(told(slots=8, model="ridge.2")).over(OWN, NOW).p50[0] == 3.0


def test_a_band_is_wider_where_the_weather_behind_it_is_old():
    forecast = Learned().heard(told()).over(OWN, NOW, wider=1.5)
    assert forecast.p50 == (3.0,) * 4 + (1.0,) * 4
    assert forecast.p10 == (1.5,) * 4 + (0.5,) * 4
    assert forecast.p90 == (4.5,) * 4 + (2.0,) * 4
