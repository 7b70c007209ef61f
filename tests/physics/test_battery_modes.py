"""Laws of the battery behind its inverter, and what each mode promises."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.house import BatteryMode, BatteryModel, InverterModel, Limits
from pems_actors.physics.battery_modes import battery_power, battery_power_many

BATTERY, INVERTER, LIMITS = BatteryModel(), InverterModel(), Limits()
QUARTER = 900.0

orders = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(BatteryMode),
        "pv_kw": st.floats(0.0, 16.0),
        "load_kw": st.floats(0.0, 25.0),
        "soc_frac": st.floats(0.0, 1.0),
        "dt_s": st.sampled_from([60.0, 900.0, 3600.0]),
        "rate_kw": st.none() | st.floats(0.0, 8.0),
        "stop_soc_frac": st.none() | st.floats(0.0, 1.0),
        "export_allowed": st.booleans(),
    }
)


def flow(mode, pv_kw, load_kw, soc_frac=0.5, dt_s=QUARTER, battery=BATTERY, **order):
    return battery_power(mode, pv_kw, load_kw, soc_frac, battery, INVERTER, LIMITS, dt_s, **order)


@settings(max_examples=300, deadline=None)
@given(order=orders, capacity=st.sampled_from([0.0, 1.0, 10.0]))
def test_power_balances_and_no_limit_of_the_device_is_left(order, capacity):
    battery = replace(BATTERY, capacity_kwh=capacity)
    out = flow(**order, battery=battery)
    pv, load, soc = order["pv_kw"], order["load_kw"], order["soc_frac"]
    assert out.grid_kw + out.battery_kw + out.pv_kw == pytest.approx(load, abs=1e-9)
    assert out.pv_kw + out.curtailed_kw == pytest.approx(pv, abs=1e-9)
    assert out.curtailed_kw >= 0.0
    assert out.pv_kw >= -1e-9
    assert -5.0 - 1e-9 <= out.battery_kw <= 5.0 + 1e-9
    assert -10.0 - 1e-9 <= out.pv_kw + out.battery_kw <= 10.0 + 1e-9
    assert out.grid_kw >= -(10.0 if order["export_allowed"] else 0.0) - 1e-9
    if soc < 0.1:
        assert out.battery_kw <= 0.0
    if soc > 0.9:
        assert out.battery_kw >= 0.0
    assert min(soc, 0.1) <= out.soc_frac <= max(soc, 0.9)
    assert (out.soc_frac > soc) <= (out.battery_kw < 0.0)
    assert (out.soc_frac < soc) <= (out.battery_kw > 0.0)


@settings(max_examples=300, deadline=None)
@given(order=orders)
def test_the_array_form_gives_the_same_figures(order):
    one = flow(**order)
    many = battery_power_many(
        **{**order, "soc_frac": np.array([order["soc_frac"], 0.5])},
        battery=BATTERY,
        inverter=INVERTER,
        limits=LIMITS,
    )
    for name in one._fields:
        assert getattr(many, name)[0] == pytest.approx(getattr(one, name), abs=1e-9), name


@settings(max_examples=100, deadline=None)
@given(order=orders)
def test_nothing_is_curtailed_while_the_battery_could_take_it(order):
    out = flow(**order)
    if out.curtailed_kw > 1e-9:
        full = out.soc_frac >= 0.9 - 1e-9
        assert full or out.battery_kw == pytest.approx(-5.0)


def test_self_use_charges_the_surplus_and_serves_the_deficit():
    assert flow(BatteryMode.SELF_USE, 3.0, 1.0).battery_kw == -2.0
    served = flow(BatteryMode.SELF_USE, 1.0, 3.0)
    assert served.battery_kw == 2.0
    assert served.grid_kw == 0.0


def test_a_round_trip_loses_fifteen_percent():
    charged = flow(BatteryMode.SELF_USE, 2.0, 0.0, dt_s=3600.0, export_allowed=False)
    assert charged.battery_kw == -2.0
    stored = (charged.soc_frac - 0.5) * 10.0
    given_back = flow(
        BatteryMode.SELF_USE, 0.0, stored * BATTERY.leg_frac, charged.soc_frac, 3600.0
    )
    assert given_back.soc_frac == pytest.approx(0.5)
    assert given_back.battery_kw == pytest.approx(2.0 * 0.85)


def test_hold_leaves_the_battery_alone_unless_sun_would_be_lost():
    assert flow(BatteryMode.HOLD, 0.0, 4.0).battery_kw == 0.0
    assert flow(BatteryMode.HOLD, 6.0, 1.0).grid_kw == -5.0
    saved = flow(BatteryMode.HOLD, 6.0, 1.0, export_allowed=False)
    assert saved.battery_kw == -5.0
    assert saved.curtailed_kw == 0.0


def test_a_grid_charge_runs_at_its_rate_and_takes_the_sun_first():
    out = flow(BatteryMode.CHARGE_GRID, 1.0, 0.5, rate_kw=2.44)
    assert out.battery_kw == -2.44
    assert out.grid_kw == pytest.approx(1.94)


def test_a_grid_charge_ends_exactly_at_its_stop_soc():
    out = flow(BatteryMode.CHARGE_GRID, 0.0, 0.5, 0.49, 3600.0, stop_soc_frac=0.5)
    assert out.soc_frac == pytest.approx(0.5)
    rested = flow(BatteryMode.CHARGE_GRID, 0.0, 0.5, 0.6, stop_soc_frac=0.5)
    assert rested.battery_kw == 0.0


def test_selling_stops_at_the_stop_soc_and_at_the_export_limit():
    assert flow(BatteryMode.SELL, 0.0, 1.0, rate_kw=3.0).grid_kw == -2.0
    out = flow(BatteryMode.SELL, 0.0, 0.0, 0.42, 3600.0, stop_soc_frac=0.4)
    assert out.soc_frac == pytest.approx(0.4)
    assert flow(BatteryMode.SELL, 9.0, 0.5).grid_kw == pytest.approx(-9.5)
    assert flow(BatteryMode.SELL, 0.5, 2.0, export_allowed=False).grid_kw == pytest.approx(0.0)


def test_sun_above_the_ac_limit_reaches_the_battery_on_the_dc_side():
    out = flow(BatteryMode.SELF_USE, 13.0, 12.0)
    assert out.battery_kw == -3.0
    assert out.grid_kw == pytest.approx(2.0)
    assert out.pv_kw == 13.0


def test_a_full_battery_and_a_closed_export_curtail_the_sun():
    out = flow(BatteryMode.SELF_USE, 6.0, 1.0, 0.9, export_allowed=False)
    assert out.curtailed_kw == 5.0
    assert out.grid_kw == 0.0
    assert out.soc_frac == 0.9
