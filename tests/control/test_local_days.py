"""Every decision with local time, over days of 92, 96 and 100 quarter hours."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.comfort import band_c, is_day, ramped_setpoint_c, rule_target_c
from pems_actors.control.outdoor import MONTH_C, OutdoorBelief
from pems_actors.domain.house import Comfort
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.economics.local_hours import contains, local_hour, local_month
from pems_actors.economics.tariff import Band, Tariff
from pems_actors.forecasting.base_load import BaseLoad
from pems_actors.forecasting.prices import PriceLadder
from pems_actors.forecasting.quarters import days_before, quarter_of, week_quarter

PRAGUE = "Europe/Prague"
ZONE = ZoneInfo(PRAGUE)
SPRING, AUTUMN, PLAIN = date(2026, 3, 29), date(2026, 10, 25), date(2026, 1, 15)
LENGTHS = {SPRING: 92, AUTUMN: 100, PLAIN: 96}
days = st.sampled_from([SPRING, AUTUMN, PLAIN])
hours = st.floats(0.0, 24.0, exclude_max=True)
comforts = st.builds(
    Comfort,
    day_c=st.floats(18.0, 24.0),
    night_c=st.floats(15.0, 24.0),
    day_from_h=hours,
    day_until_h=hours,
    band_k=st.floats(0.2, 1.5),
)
spans = st.lists(st.tuples(st.integers(0, 23), st.integers(1, 24)), max_size=4).map(tuple)


def grid_of(day: date) -> TimeGrid:
    return TimeGrid.local_day(day, ZONE)


def clock_hour(at_s: float) -> float:
    """The wall clock's hour, by the calendar and nothing of ours."""
    shown = datetime.fromtimestamp(at_s, ZONE)
    return shown.hour + shown.minute / 60.0 + shown.second / 3600.0


@pytest.mark.parametrize("day", LENGTHS)
def test_a_local_day_has_its_quarters(day: date) -> None:
    assert len(grid_of(day)) == LENGTHS[day]


@given(days, st.floats(0.0, 1.0, exclude_max=True))
def test_the_local_hour_is_the_wall_clocks(day: date, share: float) -> None:
    grid = grid_of(day)
    at_s = grid.start_s + share * (grid.end_s - grid.start_s)
    assert local_hour(at_s, PRAGUE) == pytest.approx(clock_hour(at_s), abs=1e-3)
    assert local_month(at_s, PRAGUE) == day.month


@given(days, comforts)
def test_the_band_is_a_band_and_follows_the_wall_clock_all_day(day: date, comfort: Comfort) -> None:
    for at_s in grid_of(day).starts_s:
        low_c, high_c = band_c(comfort, at_s, PRAGUE)
        assert low_c < high_c
        setpoint_c = comfort.day_c if is_day(comfort, clock_hour(at_s)) else comfort.night_c
        if is_day(comfort, clock_hour(at_s)):
            assert low_c == pytest.approx(setpoint_c - comfort.band_k)
        assert low_c >= min(comfort.day_c, comfort.night_c) - comfort.band_k - 1e-9


@given(days, comforts)
def test_what_the_rules_aim_at_is_never_deep_under_the_day(day: date, comfort: Comfort) -> None:
    for at_s in grid_of(day).starts_s:
        hour = local_hour(at_s, PRAGUE)
        target_c = rule_target_c(comfort, hour, 3.0)
        assert comfort.day_c - 0.8 - 1e-9 <= target_c
        assert target_c >= ramped_setpoint_c(comfort, hour) - 1e-9


@given(days, spans)
def test_every_quarter_of_a_day_has_one_band_and_the_blocks_of_the_wall_clock(
    day: date, blocks: tuple[tuple[int, int], ...]
) -> None:
    if sum(contains(blocks, q / 4) for q in range(96)) == 96:
        return  # such a tariff is refused
    tariff = Tariff(bands=(Band("NT", 0.3),), blocked_in=frozenset(), blocks=blocks)
    grid = grid_of(day)
    curve = tariff.price_curve(grid, [50.0] * len(grid), grid.start_s, grid.end_s)
    told = [contains(blocks, clock_hour(at_s)) for at_s in grid.starts_s]
    assert list(curve.blocked) == told == [tariff.blocked(at_s) for at_s in grid.starts_s]


@pytest.mark.parametrize(("day", "hours_blocked"), [(SPRING, 4), (AUTUMN, 4), (PLAIN, 4)])
def test_the_reference_tariff_blocks_four_hours_whatever_the_day(day, hours_blocked) -> None:
    tariff = Tariff()
    blocked = sum(tariff.blocked(at_s) for at_s in grid_of(day).starts_s)
    assert blocked * QUARTER_S == hours_blocked * HOUR_S


@given(days, st.integers(1, 9))
def test_the_same_local_time_days_before_is_the_same_wall_clock(day: date, back: int) -> None:
    for at_s in grid_of(day).starts_s[::4]:
        before_s = days_before(quarter_of(at_s), back, PRAGUE) * QUARTER_S
        shift_h = (clock_hour(before_s) - clock_hour(at_s)) % 24.0
        assert shift_h in {0.0, 1.0}  # a local time that was skipped in spring lies an hour later
        assert 0 <= week_quarter(quarter_of(at_s), PRAGUE) < 672


@given(days)
def test_prices_of_last_week_serve_a_day_of_any_length(day: date) -> None:
    grid = grid_of(day)
    week = TimeGrid.uniform(grid.start_s - 8 * 86400.0, 8 * 96)
    ladder = PriceLadder(PRAGUE).observe(week, [float(k % 90) for k in range(768)], grid.start_s)
    spot = ladder.spot(grid, grid.start_s)
    assert len(spot.eur_mwh) == LENGTHS[day]
    assert set(spot.sources) <= {"week_before", "day_before"}
    assert all(0.0 <= price < 90.0 for price in spot.eur_mwh)


@given(days)
def test_a_learned_load_forecasts_every_quarter_of_the_day(day: date) -> None:
    grid, load = grid_of(day), BaseLoad.prior(PRAGUE)
    for at_s in TimeGrid.uniform(grid.start_s - 86400.0, 96).starts_s:
        load = load.observe(at_s + 60.0, 0.4)
    forecast = load.forecast(grid, grid.start_s)
    assert len(forecast.p50) == LENGTHS[day]
    assert all(kw >= 0.0 for kw in forecast.p50)


@given(days)
def test_an_unknown_outdoor_temperature_is_that_of_the_local_month(day: date) -> None:
    grid = grid_of(day)
    for at_s in (grid.start_s, grid.end_s - 1.0):
        assert OutdoorBelief().at(at_s, PRAGUE).temp_c == MONTH_C[day.month - 1]


@given(days, st.floats(0.0, 86400.0))
def test_the_planners_grid_is_whole_over_the_change_of_time(day: date, after_s: float) -> None:
    start_s = grid_of(day).start_s + after_s // 1.0
    grid = TimeGrid.planning(start_s)
    assert all(b > a for a, b in pairwise(grid.edges_s))
    assert all(edge % QUARTER_S == 0.0 for edge in grid.edges_s[1:])
