"""Prices of the reference contract, its hours, and what a planner is shown of them."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import seconds
from pems_actors.economics.tariff import Band, Settlement, Tariff

TARIFF = Tariff()
NIGHT = seconds("2026-01-15T03:30:00+01:00")
HIGH = seconds("2026-01-15T10:30:00+01:00")


def test_import_is_spot_and_distribution_and_tax():
    assert TARIFF.import_per_kwh(40.0, NIGHT) == pytest.approx(1.0 + 0.281)
    assert TARIFF.import_per_kwh(40.0, HIGH) == pytest.approx(1.0 + 0.919)
    assert replace(TARIFF, tax_per_kwh=0.0283).import_per_kwh(0.0, NIGHT) == pytest.approx(0.3093)


def test_export_earns_spot_less_the_fee_and_may_cost():
    assert TARIFF.export_per_kwh(40.0) == pytest.approx(0.65)
    assert TARIFF.export_per_kwh(-40.0) == pytest.approx(-1.35)


@pytest.mark.parametrize("day", [date(2026, 1, 15), date(2026, 3, 29), date(2026, 10, 25)])
def test_heating_is_blocked_four_hours_of_every_local_day(day):
    grid = TimeGrid.local_day(day, ZoneInfo("Europe/Prague"))
    curve = TARIFF.price_curve(grid, [0.0] * len(grid), NIGHT, grid.end_s)
    assert sum(curve.blocked) == 16
    assert max(curve.import_per_kwh) == pytest.approx(0.919)
    assert curve.export_per_kwh[0] == pytest.approx(-0.35)
    assert curve.currency == "CZK"


def test_an_hour_that_no_band_names_falls_to_the_dearest():
    holed = replace(TARIFF, bands=(Band("NT", 0.3, ((0, 20),)), Band("VT", 0.9)))
    evening = seconds("2026-01-15T21:00:00+01:00")
    assert holed.band_at(evening).name == "VT"
    assert holed.blocked(evening)
    assert not holed.blocked(NIGHT)


def test_extra_blocked_hours_may_cross_midnight():
    extra = replace(TARIFF, blocks=((23.0, 1.0),))
    assert extra.blocked(seconds("2026-01-15T00:30:00+01:00"))
    assert not extra.blocked(seconds("2026-01-15T01:00:00+01:00"))


def test_a_slot_partly_blocked_counts_as_blocked_and_costs_its_mean():
    late = replace(TARIFF, bands=(Band("VT", 1.0, ((10.25, 11.25),)), Band("NT", 0.0, ((0, 24),))))
    start = seconds("2026-01-15T10:00:00+01:00")
    curve = late.price_curve(TimeGrid((start, start + 3600.0)), [0.0], start, start)
    assert curve.blocked == (True,)
    assert curve.import_per_kwh[0] == pytest.approx(0.75)


def test_with_profile_settlement_only_the_bands_are_shown():
    grid = TimeGrid.uniform(NIGHT - 1800.0, 12, 3600.0)
    prices = [10.0 * k for k in range(12)]
    curve = replace(TARIFF, settlement=Settlement.PROFILE).price_curve(grid, prices, NIGHT, NIGHT)
    assert len(set(curve.export_per_kwh)) == 1
    assert len({round(price, 9) for price in curve.import_per_kwh}) == 2
    assert curve.export_per_kwh[0] == pytest.approx(55.0 / 40.0 - 0.35)


def test_a_missing_price_is_refused_and_not_taken_for_zero():
    grid = TimeGrid.uniform(NIGHT, 2)
    with pytest.raises(ValueError, match="1 spot prices for 2 slots"):
        TARIFF.price_curve(grid, [10.0, None], NIGHT, NIGHT)


def test_a_tariff_that_never_lets_the_house_be_heated_is_refused():
    with pytest.raises(ValueError, match="blocks heating all day"):
        Tariff(bands=(Band("VT", 0.9),))
    with pytest.raises(ValueError, match="at least one band"):
        Tariff(bands=())
