"""Local quarter hours survive both daylight saving days."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import seconds
from pems_actors.forecasting.quarters import (
    QuarterMean,
    days_before,
    number,
    quarter_of,
    quarters_over,
    week_quarter,
)

PRAGUE = "Europe/Prague"
SPRING, PLAIN, AUTUMN = date(2026, 3, 29), date(2026, 1, 12), date(2026, 10, 25)


def quarters_of(day: date) -> list[int]:
    return [quarter_of(s) for s in TimeGrid.local_day(day, ZoneInfo(PRAGUE)).starts_s]


@pytest.mark.parametrize(("day", "count"), [(SPRING, 92), (PLAIN, 96), (AUTUMN, 100)])
def test_a_local_day_begins_at_its_first_and_ends_at_its_last_index(day: date, count: int) -> None:
    indices = [week_quarter(q, PRAGUE) % 96 for q in quarters_of(day)]
    assert len(indices) == count
    assert (indices[0], indices[-1]) == (0, 95)
    assert set(indices) == (set(range(96)) - set(range(8, 12)) if count == 92 else set(range(96)))


def test_the_week_begins_on_monday() -> None:
    assert week_quarter(quarters_of(PLAIN)[0], PRAGUE) == 0  # the 12th of January 2026 is a Monday


def test_a_week_before_keeps_the_local_time_over_daylight_saving() -> None:
    noon_after = quarter_of(seconds("2026-03-30T12:00:00+02:00"))
    assert days_before(noon_after, 7, PRAGUE) == quarter_of(seconds("2026-03-23T12:00:00+01:00"))


def test_the_hour_that_spring_skips_is_taken_an_hour_later() -> None:
    half_past_two = quarter_of(seconds("2026-03-30T02:30:00+02:00"))
    assert days_before(half_past_two, 1, PRAGUE) == quarter_of(seconds("2026-03-29T03:30:00+02:00"))


def test_quarters_cover_a_grid_that_begins_between_them() -> None:
    cover = quarters_over(TimeGrid((1000.0, 1801.0)))
    assert cover.edges_s == (900.0, 1800.0, 2700.0)


def test_only_finite_numbers_are_numbers() -> None:
    assert number(3) == 3.0
    refused = (None, True, float("nan"), float("inf"), "3.0", [3.0])
    assert [number(value) for value in refused] == [None] * len(refused)


def test_a_quarter_mean_begins_anew_with_the_next_quarter() -> None:
    filling = QuarterMean().add(0.0, 1.0).add(60.0, 3.0)
    assert (filling.mean, filling.samples) == (2.0, 2)
    assert filling.add(900.0, 7.0) == QuarterMean(1, 7.0, 1)
