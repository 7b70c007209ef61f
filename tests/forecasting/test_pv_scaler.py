"""The PV forecaster scales physics by what the roof gives, and always answers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.forecasts import Forecast, WeatherForecast
from pems_actors.domain.house import Roof, Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, MINUTE_S, QUARTER_S, seconds
from pems_actors.forecasting.pv import PvScaler
from pems_actors.physics.sun import clear_sky_ghi_w_m2

SITE = Site(49.95, 14.60)
ROOFS = (Roof("terrace", 7.0, 35.0, 226.0), Roof("street", 6.5, 35.0, 136.0))
PEAK_KW = 13.5
MIDNIGHT_S = seconds("2026-04-10T00:00:00Z")
NOON_S = MIDNIGHT_S + 11 * HOUR_S


def ideal_kw(at_s: float) -> float:
    return PEAK_KW * clear_sky_ghi_w_m2(SITE, at_s) / 1000.0


def physics(issued_s: float, hours: int = 48, share: float = 1.0) -> Forecast:
    grid = TimeGrid.uniform(issued_s, hours * 4)
    values = tuple(share * ideal_kw(at_s + QUARTER_S / 2) for at_s in grid.starts_s)
    return Forecast("pv_kw", issued_s, grid, values)


def fresh() -> PvScaler:
    return PvScaler.of(SITE, ROOFS)


def watched(
    model: PvScaler, start_s: float, hours: float, share: float, *, curtailed: bool = False
) -> PvScaler:
    for k in range(round(hours * 12)):
        at_s = start_s + k * 5 * MINUTE_S
        model = model.observe(at_s, share * ideal_kw(at_s), curtailed=curtailed)
    return model


def energy_kwh(told: Forecast) -> float:
    return sum(p * d for p, d in zip(told.p50, told.grid.durations_s, strict=True)) / HOUR_S


DAY = TimeGrid.uniform(MIDNIGHT_S, 96)


def test_without_worker_and_without_memory_a_cautious_day_is_told() -> None:
    told = fresh().forecast(DAY, MIDNIGHT_S)
    assert told.source == "prior"
    assert 0.2 < energy_kwh(told) / (energy_kwh(physics(MIDNIGHT_S, 24))) < 0.5


def test_night_is_zero_on_every_rung() -> None:
    night = TimeGrid.uniform(MIDNIGHT_S - 2 * HOUR_S, 16)
    learned = watched(
        fresh().with_physics(physics(MIDNIGHT_S - DAY_S)), MIDNIGHT_S - DAY_S, 24, 1.0
    )
    for model in (fresh(), learned):
        told = model.forecast(night, MIDNIGHT_S)
        assert told.source == "night"
        assert (told.p10, told.p50, told.p90) == ((0.0,) * 16,) * 3


def test_a_fresh_answer_of_the_worker_is_used_as_it_is_at_first() -> None:
    told = fresh().with_physics(physics(MIDNIGHT_S)).forecast(DAY, MIDNIGHT_S)
    assert told.source == "physics"
    assert energy_kwh(told) == pytest.approx(energy_kwh(physics(MIDNIGHT_S, 24)), rel=0.02)


def test_a_roof_that_gives_less_is_believed_after_some_sunny_days() -> None:
    model = fresh()
    for day in range(5):
        start_s = MIDNIGHT_S + day * DAY_S
        model = watched(model.with_physics(physics(start_s)), start_s, 24, 0.7)
    now_s = MIDNIGHT_S + 5 * DAY_S
    told = model.with_physics(physics(now_s)).forecast(TimeGrid.uniform(now_s, 96), now_s)
    assert energy_kwh(told) == pytest.approx(0.7 * energy_kwh(physics(now_s, 24)), rel=0.12)


def test_a_cloudy_morning_lowers_the_next_hours_and_not_tomorrow() -> None:
    model = watched(fresh().with_physics(physics(MIDNIGHT_S)), MIDNIGHT_S, 11, 0.3)
    told = model.forecast(TimeGrid.uniform(NOON_S, 4 * 36), NOON_S)
    assert told.p50[0] < 0.5 * ideal_kw(NOON_S)
    assert told.p50[96 + 4] > 0.7 * ideal_kw(NOON_S + DAY_S + HOUR_S)


def test_nothing_is_learned_from_curtailed_samples() -> None:
    model = fresh().with_physics(physics(MIDNIGHT_S))
    after = watched(model, MIDNIGHT_S, 24, 0.2, curtailed=True)
    assert (after.scale, after.climate_kw) == (model.scale, model.climate_kw)


def test_one_curtailed_minute_spoils_its_quarter_hour_only() -> None:
    model = fresh().with_physics(physics(MIDNIGHT_S)).observe(NOON_S, 5.0, curtailed=True)
    model = model.observe(NOON_S + MINUTE_S, 5.0).observe(NOON_S + QUARTER_S, 5.0)
    assert model.scale.measured == 0.0
    assert model.observe(NOON_S + 2 * QUARTER_S, 5.0).scale.measured > 0.0


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -2.0, 99.0])
def test_a_missing_or_absurd_sample_teaches_nothing(value: float | None) -> None:
    model = fresh().with_physics(physics(MIDNIGHT_S))
    assert model.observe(NOON_S, value) is model


def test_an_older_answer_still_counts_by_absolute_time_with_wider_bands() -> None:
    model = fresh().with_physics(physics(MIDNIGHT_S))
    later_s = MIDNIGHT_S + 8 * HOUR_S
    grid = TimeGrid.uniform(NOON_S, 4)
    now, then = model.forecast(grid, MIDNIGHT_S), model.forecast(grid, later_s)
    assert then.source == "last_good"
    assert then.p50 == now.p50
    assert now.p10 is not None
    assert then.p10 is not None
    assert then.p10[0] < now.p10[0]


def sky(source: str, issued_s: float) -> WeatherForecast:
    grid = TimeGrid.uniform(MIDNIGHT_S, 48, HOUR_S)
    return WeatherForecast(issued_s, grid, *((0.0,) * 48,) * 4, source)


@pytest.mark.parametrize(
    ("weather", "rung"),
    [
        (sky("provider", MIDNIGHT_S - 7 * HOUR_S), "physics"),
        (sky("provider", MIDNIGHT_S - 9 * HOUR_S), "last_good"),
        (sky("last_good", MIDNIGHT_S), "last_good"),
        (sky("climatology", MIDNIGHT_S), "climatology"),
    ],
)
def test_physics_is_as_good_as_its_weather_and_old_weather_widens_the_band(
    weather: WeatherForecast, rung: str
) -> None:
    model, grid = fresh().with_physics(physics(MIDNIGHT_S)), TimeGrid.uniform(NOON_S, 4)
    usual, told = model.forecast(grid, MIDNIGHT_S), model.forecast(grid, MIDNIGHT_S, weather)
    assert told.source == rung
    assert told.p50 == usual.p50
    assert told.p10 is not None
    assert usual.p10 is not None
    assert (told.p10[0] < usual.p10[0]) == (rung != "physics")


def test_beyond_the_last_answer_the_last_days_are_told() -> None:
    model = watched(fresh(), MIDNIGHT_S, 48, 0.5)
    told = model.forecast(TimeGrid.uniform(NOON_S + 3 * DAY_S, 4), NOON_S + 3 * DAY_S)
    assert told.source == "climatology"
    assert told.p50[0] == pytest.approx(0.5 * ideal_kw(NOON_S), rel=0.1)


def test_a_tail_beyond_the_answer_does_not_rename_the_coming_day() -> None:
    model = fresh().with_physics(physics(MIDNIGHT_S, hours=30))
    told = model.forecast(TimeGrid.uniform(MIDNIGHT_S, 2 * 96), MIDNIGHT_S)
    assert told.source == "physics"
    assert 0.0 < told.p50[96 + 44] < 0.5 * ideal_kw(NOON_S)  # the cautious prior


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -5.0, 500.0])
def test_an_answer_with_impossible_powers_is_left_aside(bad: float) -> None:
    good = fresh().with_physics(physics(MIDNIGHT_S))
    grid = TimeGrid.uniform(NOON_S, 2)
    assert good.with_physics(Forecast("pv_kw", NOON_S, grid, (1.0, bad))) is good
    assert good.with_physics(Forecast("pv_kw", NOON_S, grid, (1.0,))) is good


samples = st.lists(
    st.tuples(
        st.floats(MIDNIGHT_S - 2 * DAY_S, MIDNIGHT_S + 2 * DAY_S),
        st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 15)),
        st.booleans(),
    ),
    max_size=50,
)


@given(samples, st.floats(MIDNIGHT_S - 5 * DAY_S, MIDNIGHT_S + 5 * DAY_S), st.booleans())
def test_no_sequence_of_samples_spoils_a_forecast(
    heard: list[tuple[float, float | None, bool]],
    now_s: float,
    worker: bool,
) -> None:
    model = fresh().with_physics(physics(MIDNIGHT_S)) if worker else fresh()
    for at_s, value, curtailed in heard:
        model = model.observe(at_s, value, curtailed=curtailed)
    told = model.forecast(TimeGrid.planning(now_s), now_s)
    assert told.p10 is not None
    assert told.p90 is not None
    for low, mean, high in zip(told.p10, told.p50, told.p90, strict=True):
        assert 0.0 <= low <= mean + 1e-9
        assert mean <= high + 1e-9
        assert high <= PEAK_KW + 1e-9
        assert math.isfinite(mean)
