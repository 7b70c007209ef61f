"""Every slot has a price, and each says where it comes from."""

from __future__ import annotations

import math
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S, seconds
from pems_actors.forecasting.prices import FLAT_EUR_MWH, PriceLadder

PRAGUE = "Europe/Prague"
ZONE = ZoneInfo(PRAGUE)
MIDNIGHT_S = seconds("2026-01-14T00:00:00+01:00")
NOON_S = MIDNIGHT_S + 12 * HOUR_S
DAY = TimeGrid.uniform(MIDNIGHT_S, 96)


def wavy(grid: TimeGrid, level: float = 100.0) -> tuple[float, ...]:
    return tuple(level + 30.0 * math.sin(at_s / 5000.0) for at_s in grid.starts_s)


def knowing(*days_back: int, level: float = 100.0) -> PriceLadder:
    ladder = PriceLadder(PRAGUE)
    for back in days_back:
        grid = TimeGrid.uniform(MIDNIGHT_S - back * DAY_S, 96)
        ladder = ladder.observe(grid, wavy(grid, level + back), NOON_S)
    return ladder


def test_published_prices_pass_unchanged_and_end_where_they_end() -> None:
    told = knowing(0).spot(DAY, NOON_S)
    assert told.eur_mwh == pytest.approx(wavy(DAY))
    assert (told.source, set(told.sources)) == ("published", {"published"})
    assert told.published_until_s == DAY.end_s


def test_the_unpublished_tail_is_the_same_day_a_week_before() -> None:
    ladder = knowing(0, 1, 6)
    tomorrow = TimeGrid.uniform(MIDNIGHT_S + DAY_S, 96)
    told = ladder.spot(tomorrow, NOON_S)
    week_before = TimeGrid.uniform(MIDNIGHT_S - 6 * DAY_S, 96)
    assert told.eur_mwh == pytest.approx(wavy(week_before, 106.0))
    assert told.source == "week_before"
    assert told.published_until_s == tomorrow.start_s


def test_without_last_week_the_nearest_day_before_is_taken() -> None:
    told = knowing(0, 1).spot(TimeGrid.uniform(MIDNIGHT_S + DAY_S, 96), NOON_S)
    assert told.eur_mwh == pytest.approx(wavy(DAY))
    assert told.source == "day_before"


def test_without_any_memory_the_price_is_flat() -> None:
    told = PriceLadder(PRAGUE).spot(DAY, NOON_S)
    assert set(told.eur_mwh) == {FLAT_EUR_MWH}
    assert (told.source, told.published_until_s) == ("flat", DAY.start_s)


@pytest.mark.parametrize("absurd", [float("nan"), float("inf"), 10_001.0, -10_001.0, "12"])
def test_an_absurd_price_is_refused_and_flagged_while_its_neighbours_count(absurd: object) -> None:
    prices: list[object] = list(wavy(DAY))
    prices[40] = absurd
    ladder = PriceLadder(PRAGUE).observe(DAY, prices, NOON_S)  # type: ignore[arg-type]  # a broken feed
    told = ladder.spot(DAY, NOON_S)
    assert "1 prices refused" in told.flags[0]
    assert told.sources.count("published") == 95
    assert told.published_until_s == DAY.starts_s[40]


def test_a_day_a_hundred_times_too_dear_is_refused_as_a_wrong_unit() -> None:
    ladder = knowing(0, 1, 2)
    tomorrow = TimeGrid.uniform(MIDNIGHT_S + DAY_S, 96)
    after = ladder.observe(tomorrow, tuple(100.0 * p for p in wavy(DAY)), NOON_S)
    told = after.spot(tomorrow, NOON_S)
    assert "wrong unit" in told.flags[-1]
    assert max(told.eur_mwh) < 200.0
    assert told.source == "day_before"


def test_a_wrong_unit_is_also_seen_on_the_very_first_day() -> None:
    ladder = PriceLadder(PRAGUE).observe(DAY, tuple(100.0 * p for p in wavy(DAY)), NOON_S)
    assert not ladder.known
    assert ladder.flags


def test_negative_prices_and_single_spikes_are_a_market() -> None:
    prices = list(wavy(DAY))
    prices[50], prices[72] = -500.0, 3000.0
    told = knowing(1, 2).observe(DAY, prices, NOON_S).spot(DAY, NOON_S)
    assert (told.eur_mwh[50], told.eur_mwh[72]) == (-500.0, 3000.0)
    assert told.flags == ()


def test_a_feed_that_falls_silent_leaves_the_good_prices() -> None:
    ladder = knowing(0)
    silent = ladder.observe(DAY, (None,) * 96, NOON_S)
    assert silent.known == ladder.known


def test_a_series_of_the_wrong_length_is_refused_with_a_sentence() -> None:
    ladder = knowing(0).observe(DAY, wavy(DAY)[:50], NOON_S)
    assert "50 prices for 96 slots" in ladder.flags[0]


def test_hourly_prices_hold_for_their_four_quarters() -> None:
    hours = TimeGrid.uniform(MIDNIGHT_S, 24, HOUR_S)
    told = PriceLadder(PRAGUE).observe(hours, wavy(hours), NOON_S).spot(DAY, NOON_S)
    assert told.eur_mwh[4:8] == (wavy(hours)[1],) * 4


def test_a_slot_of_the_plan_carries_the_mean_of_its_quarters() -> None:
    ladder = knowing(0)
    grid = TimeGrid((MIDNIGHT_S + 300.0, MIDNIGHT_S + QUARTER_S, MIDNIGHT_S + HOUR_S))
    told = ladder.spot(grid, NOON_S)
    prices = wavy(DAY)
    assert told.eur_mwh == pytest.approx((prices[0], sum(prices[1:4]) / 3.0))


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 3, 30), 96)]
)
def test_a_day_after_a_change_of_clocks_is_filled_by_local_time(day: date, count: int) -> None:
    grid = TimeGrid.local_day(day, ZONE)
    ladder = PriceLadder(PRAGUE)
    for back in range(7, 0, -1):
        past = TimeGrid.local_day(date.fromordinal(day.toordinal() - back), ZONE)
        ladder = ladder.observe(past, wavy(past), grid.start_s)
    told = ladder.spot(grid, grid.start_s)
    assert len(told.eur_mwh) == count
    week_before = TimeGrid.local_day(date.fromordinal(day.toordinal() - 7), ZONE)
    assert told.source == "week_before"
    assert told.eur_mwh[0] == pytest.approx(wavy(week_before)[0])
    assert told.eur_mwh[-1] == pytest.approx(wavy(week_before)[-1])


def test_prices_older_than_nine_days_are_forgotten() -> None:
    ladder = knowing(20, 8)
    assert min(ladder.known) * QUARTER_S >= NOON_S - 9 * DAY_S


offers = st.lists(
    st.tuples(
        st.integers(-900, 900),
        st.lists(
            st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
            min_size=1,
            max_size=12,
        ),
    ),
    max_size=10,
)


@given(offers, st.integers(-2000, 2000))
def test_no_sequence_of_offers_leaves_a_slot_without_a_sane_price(
    given_offers: list[tuple[int, list[float | None]]], shift: int
) -> None:
    ladder = PriceLadder(PRAGUE)
    for first, prices in given_offers:
        grid = TimeGrid.uniform(MIDNIGHT_S + first * QUARTER_S, len(prices))
        ladder = ladder.observe(grid, prices, NOON_S)
    grid = TimeGrid.planning(NOON_S + shift * 60.0)
    told = ladder.spot(grid, NOON_S)
    assert len(told.eur_mwh) == len(told.sources) == len(grid)
    assert all(abs(price) <= 10_000.0 + 1e-6 for price in told.eur_mwh)
    assert told.published_until_s >= grid.start_s


def test_what_the_market_has_not_told_is_said_with_what_serves_instead() -> None:
    assert PriceLadder(PRAGUE).lacking(NOON_S) == (
        "no price is published for now; a flat 100 EUR/MWh serves"
    )
    assert knowing(7).lacking(NOON_S).endswith("those of a week ago serve")
    assert knowing(3).lacking(NOON_S).endswith("those of another day serve")


def test_a_day_that_is_known_is_enough_until_the_next_one_should_be_out() -> None:
    today = TimeGrid.local_day(date(2026, 1, 15), ZONE)
    tomorrow = TimeGrid.local_day(date(2026, 1, 16), ZONE)
    ladder = PriceLadder(PRAGUE).observe(today, wavy(today), NOON_S)
    at_four_s = today.start_s + 16 * HOUR_S
    assert ladder.lacking(at_four_s - 1.0) == ""
    assert ladder.lacking(at_four_s) == "tomorrow's prices are not out yet"
    assert ladder.observe(tomorrow, wavy(tomorrow), NOON_S).lacking(at_four_s) == ""
