"""Settlement: the same energy, priced as the contract says, and wear as its formula says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.units import seconds
from pems_actors.economics.costs import CostTerms, Metered, metered, settle, slot_cost
from pems_actors.economics.tariff import Netting, Settlement, Tariff
from pems_actors.economics.wear import start_cost, wear_per_kwh

TARIFF = Tariff()
NIGHT = seconds("2026-01-15T03:00:00+01:00")


def quarter(k, import_kwh, spot, export_kwh=0.0):
    return Metered(NIGHT + 900.0 * k, 900.0, import_kwh, export_kwh, 0.0, spot)


def test_terms_add_up_to_what_was_paid():
    terms = CostTerms(10.0, 4.0, 1.0, 0.5) + CostTerms(1.0, 1.0, 0.0, 0.0)
    assert terms.total == pytest.approx(11.0 - 5.0 + 1.5)


def test_a_quarter_hour_contract_pays_each_quarter_at_its_price():
    rows = [quarter(0, 1.0, 0.0), quarter(1, 0.0, 400.0)]
    assert settle(rows, TARIFF).import_cost == pytest.approx(0.281)


def test_an_hourly_contract_pays_the_mean_of_the_hour():
    rows = [quarter(0, 1.0, 0.0), quarter(1, 0.0, 400.0), quarter(4, 1.0, 40.0)]
    hourly = replace(TARIFF, settlement=Settlement.HOUR)
    assert settle(rows, hourly).import_cost == pytest.approx(5.0 + 0.281 + 1.281)


@given(shift=st.permutations(range(8)))
def test_with_profile_settlement_shifting_by_spot_price_earns_nothing(shift):
    profile = replace(TARIFF, settlement=Settlement.PROFILE)
    energy = [0.1 * k for k in range(8)]
    plain = settle([quarter(k, energy[k], 50.0 * k) for k in range(8)], profile)
    moved = settle([quarter(k, energy[shift[k]], 50.0 * k) for k in range(8)], profile)
    assert moved.total == pytest.approx(plain.total)


def test_netting_per_phase_bills_import_and_export_at_once():
    phases = (2.0, -1.0, -1.0)
    summed = metered(NIGHT, 3600.0, 0.0, 0.0, 40.0, Netting.SUM, phases)
    apart = metered(NIGHT, 3600.0, 0.0, 0.0, 40.0, Netting.PER_PHASE, phases)
    assert (summed.import_kwh, summed.export_kwh) == (0.0, 0.0)
    assert (apart.import_kwh, apart.export_kwh) == (2.0, 2.0)
    assert settle([apart], TARIFF).total > settle([summed], TARIFF).total
    with pytest.raises(ValueError, match="power of each phase"):
        metered(NIGHT, 3600.0, 0.0, 0.0, 40.0, Netting.PER_PHASE)


@given(grid_kw=st.floats(-10, 20), battery_kw=st.floats(-5, 5), spot=st.floats(-200, 800))
def test_a_planned_slot_costs_what_the_meter_will_say(grid_kw, battery_kw, spot):
    planned = slot_cost(
        grid_kw,
        battery_kw,
        TARIFF.import_per_kwh(spot, NIGHT),
        TARIFF.export_per_kwh(spot),
        900.0,
        wear_per_kwh=1.0,
        starts_cost=0.01,
    )
    billed = settle([metered(NIGHT, 900.0, grid_kw, battery_kw, spot)], TARIFF, 1.0, 0.01)
    assert planned.total == pytest.approx(billed.total)
    assert planned.wear == pytest.approx(max(battery_kw, 0.0) / 4)


def test_wear_is_the_price_over_all_kilowatt_hours_of_a_life():
    assert wear_per_kwh(60_000.0, 10.0, 6000.0, end_of_life_frac=1.0) == pytest.approx(1.0)
    assert wear_per_kwh(54_000.0, 10.0, 6000.0, 0.8) == pytest.approx(1.0)
    assert wear_per_kwh(54_000.0, 10.0, 6000.0, 0.8, calendar_frac=0.5) == pytest.approx(0.5)
    assert start_cost(500.0, 100_000.0) == pytest.approx(0.005)


def test_wear_without_a_life_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        wear_per_kwh(1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="maker's number"):
        start_cost(1.0, 0.0)
