"""The base load forecaster learns the house's week, and only from what was measured."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S, seconds
from pems_actors.forecasting.base_load import BaseLoad
from pems_actors.forecasting.scores import coverage, mae

PRAGUE = "Europe/Prague"
ZONE = ZoneInfo(PRAGUE)
MONDAY_S = seconds("2026-01-12T00:00:00+01:00")


def habit_kw(at_s: float) -> float:
    """A made-up household: a quiet night, coffee at seven on workdays, a long weekend."""
    when = datetime.fromtimestamp(at_s, ZONE)
    if when.weekday() >= 5:
        return 1.0 if 9 <= when.hour < 22 else 0.2
    return 2.0 if when.hour == 7 else 0.3


def after(days: float, start_s: float = MONDAY_S) -> BaseLoad:
    model = BaseLoad.prior(PRAGUE)
    for k in range(round(days * 96)):
        at_s = start_s + k * QUARTER_S
        model = model.observe(at_s, habit_kw(at_s))
    return model


def test_before_the_first_sample_a_common_household_is_forecast() -> None:
    told = BaseLoad.prior(PRAGUE).forecast(TimeGrid.uniform(MONDAY_S, 96), MONDAY_S)
    assert told.source == "prior"
    assert 8.0 < sum(told.p50) / 4.0 < 14.0  # kWh of a day


def test_after_one_day_the_next_workday_is_known() -> None:
    model = after(1.25)
    day = TimeGrid.uniform(MONDAY_S + 2 * DAY_S, 96)
    told = model.forecast(day, MONDAY_S + 1.25 * DAY_S)
    assert told.source == "daily profile"
    assert told.p50[7 * 4 + 1] > 3 * told.p50[3 * 4]


def test_after_three_weeks_weekends_and_workdays_are_told_apart() -> None:
    model = after(21)
    start_s = MONDAY_S + 21 * DAY_S
    week = TimeGrid.uniform(start_s, 672)
    told = model.forecast(week, start_s)
    truth = [habit_kw(at_s) for at_s in week.starts_s]
    assert told.source == "weekly profile"
    assert (mae(truth, told.p50) or 0.0) < 0.06


@pytest.mark.parametrize("day", [date(2026, 3, 30), date(2026, 10, 26)])
def test_coffee_stays_at_seven_after_the_clocks_were_changed(day: date) -> None:
    grid = TimeGrid.local_day(day, ZONE)
    model = after(14, start_s=grid.start_s - 14 * DAY_S)
    told = model.forecast(grid, grid.start_s)
    peak = max(range(96), key=told.p50.__getitem__)
    assert datetime.fromtimestamp(grid.starts_s[peak], ZONE).hour == 7


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 1, 12), 96)]
)
def test_days_of_any_length_are_forecast_whole(day: date, count: int) -> None:
    grid = TimeGrid.local_day(day, ZONE)
    told = after(8).forecast(grid, grid.start_s)
    assert len(told.p50) == count
    assert all(math.isfinite(value) for value in told.p50)


def test_a_missing_value_teaches_nothing() -> None:
    model = after(2)
    for value in (None, float("nan"), float("inf"), -3.0, 900.0):
        assert model.observe(MONDAY_S + 2 * DAY_S, value) is model


def test_a_silent_day_leaves_the_profile_as_it_was() -> None:
    model = after(7)
    silent = model
    for k in range(96):
        silent = silent.observe(MONDAY_S + 7 * DAY_S + k * QUARTER_S, None)
    assert silent.profile == model.profile


def test_a_party_lifts_the_next_hours_and_not_tomorrow() -> None:
    model = after(14)
    now_s = MONDAY_S + 14 * DAY_S + 20 * HOUR_S
    for k in range(9):
        at_s = now_s + (k - 8) * QUARTER_S
        model = model.observe(at_s, habit_kw(at_s) + 2.0)
    told = model.forecast(TimeGrid.uniform(now_s, 96), now_s)
    assert told.p50[0] > 1.5
    assert told.p50[90] == pytest.approx(habit_kw(now_s + 90 * QUARTER_S), abs=0.15)


def test_the_band_holds_about_eight_of_ten_values() -> None:
    def noisy_kw(k: int) -> float:
        return 0.4 + 0.3 * ((k * 7919) % 101) / 101.0  # spread evenly over 0.4 to 0.7

    model = BaseLoad.prior(PRAGUE)
    for k in range(28 * 96):
        model = model.observe(MONDAY_S + k * QUARTER_S, noisy_kw(k))
    now_s = MONDAY_S + 28 * DAY_S
    grid = TimeGrid.uniform(now_s, 7 * 96)
    told = model.forecast(grid, now_s)
    truth = [noisy_kw(28 * 96 + k) for k in range(7 * 96)]
    assert told.p10 is not None
    assert told.p90 is not None
    assert 0.68 <= (coverage(truth, told.p10, told.p90) or 0.0) <= 0.92


def test_quarters_share_the_energy_of_longer_slots() -> None:
    model = after(10)
    now_s = MONDAY_S + 10 * DAY_S
    fine = model.forecast(TimeGrid.uniform(now_s, 96), now_s)
    coarse = model.forecast(TimeGrid.uniform(now_s, 24, HOUR_S), now_s)
    assert sum(coarse.p50) == pytest.approx(sum(fine.p50) / 4.0)


@given(
    st.lists(
        st.tuples(
            st.floats(MONDAY_S - 40 * DAY_S, MONDAY_S + 40 * DAY_S),
            st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
        ),
        max_size=60,
    ),
    st.floats(MONDAY_S - 400 * DAY_S, MONDAY_S + 400 * DAY_S),
)
def test_no_sequence_of_samples_spoils_a_forecast(
    samples: list[tuple[float, float | None]], now_s: float
) -> None:
    model = BaseLoad.prior(PRAGUE)
    for at_s, value in samples:
        model = model.observe(at_s, value)
    told = model.forecast(TimeGrid.planning(now_s), now_s)
    assert told.p10 is not None
    assert told.p90 is not None
    for low, mean, high in zip(told.p10, told.p50, told.p90, strict=True):
        assert 0.0 <= low <= mean <= high < 200.0
