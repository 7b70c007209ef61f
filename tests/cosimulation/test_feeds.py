"""What a plant gives of prices and weather is what the house counts with."""

from __future__ import annotations

from pems_actors.cosimulation.feeds import GivenTariff, GivenWeather
from pems_actors.cosimulation.observation import read_observation
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.economics.tariff import Tariff
from pems_actors.forecasting.prices import PriceLadder

NOW_S = seconds("2024-01-08T05:00:00Z")
GRID = TimeGrid.uniform(NOW_S, 8)


def seen(**more):
    return read_observation({"seq": 0, "time": "2024-01-08T05:00:00Z", **more}, ())


def prices(**changes):
    told = {
        "start": "2024-01-08T05:00:00Z", "step_s": 3600,
        "import_per_kwh": [4.0, 6.5], "export_per_kwh": [1.5, -0.5], **changes,
    }  # fmt: skip
    return seen(prices=told).prices


def curve(tariff, grid=GRID):
    """As the prices actor makes it: what was published goes through its ladder."""
    ladder = PriceLadder(tariff.timezone)
    ladder = ladder.observe(grid, tariff.book.spot_eur_mwh(grid, NOW_S), NOW_S)
    spot = ladder.spot(grid, NOW_S)
    return tariff.price_curve(grid, spot.eur_mwh, NOW_S, spot.published_until_s, spot.source)


def test_given_prices_come_back_as_they_were_and_nothing_is_added() -> None:
    tariff = GivenTariff.over(Tariff(tax_per_kwh=9.0))
    assert tariff.book.take(prices(), NOW_S)
    told = curve(tariff)
    assert [round(p, 9) for p in told.import_per_kwh] == [4.0] * 4 + [6.5] * 4
    assert [round(p, 9) for p in told.export_per_kwh] == [1.5] * 4 + [-0.5] * 4
    assert told.published_until_s == NOW_S + 2 * HOUR_S


def test_without_given_prices_the_tariff_of_the_house_stands() -> None:
    usual = Tariff(tax_per_kwh=9.0)
    spot = (100.0,) * len(GRID)
    given = GivenTariff.over(usual).price_curve(GRID, spot, NOW_S, NOW_S)
    assert given == usual.price_curve(GRID, spot, NOW_S, NOW_S)
    assert min(given.import_per_kwh) > 9.0


def test_hours_that_the_tariff_blocks_stay_blocked_with_given_prices() -> None:
    day = TimeGrid.uniform(NOW_S, 96)
    tariff = GivenTariff.over(Tariff())
    before = curve(tariff, day).blocked
    tariff.book.take(prices(), NOW_S)
    assert curve(tariff, day).blocked == before
    assert any(before)


def test_a_price_that_is_not_out_is_not_published_and_filled_from_the_day_before() -> None:
    tariff = GivenTariff.over(Tariff())
    tariff.book.take(prices(start="2024-01-07T05:00:00Z"), NOW_S)
    tariff.book.take(prices(import_per_kwh=[5.0, None], export_per_kwh=[2.0, None]), NOW_S)
    assert tariff.book.spot_eur_mwh(GRID, NOW_S)[4:] == (None,) * 4
    told = tariff.book.export_per_kwh(GRID, NOW_S)
    assert [round(p, 9) for p in told] == [2.0] * 4 + [-0.5] * 4


def test_the_same_prices_again_are_no_news() -> None:
    book = GivenTariff.over(Tariff()).book
    assert book.take(prices(), NOW_S)
    assert not book.take(prices(), NOW_S)
    assert not book.take(None, NOW_S)


def test_the_newest_forecast_counts_until_it_is_over() -> None:
    weather = GivenWeather()
    assert weather.forecast(GRID, NOW_S) is None
    told = {"start": "2024-01-08T05:00:00Z", "step_s": 3600, "outdoor_c": [1.0], "ghi_w_m2": [0]}
    assert weather.take(seen(weather_forecast=told).weather)
    assert weather.forecast(GRID, NOW_S).outdoor_c == (1.0,)
    assert not weather.take(None)
    assert weather.forecast(GRID, NOW_S + DAY_S) is None
