"""Battery modes that are chosen anew from published prices while the planner is away."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.events import BatteryStep, EnergyPlan, PowerOutlook
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.optimisation.price_modes import LEAST_S, BatteryNow, modes_by_prices
from pems_actors.physics.battery_modes import battery_power
from tests.actors.kit import HOUSE, NOON

SELF, HOLD = BatteryMode.SELF_USE, BatteryMode.HOLD
CHARGE, SELL = BatteryMode.CHARGE_GRID, BatteryMode.SELL
HOURS = TimeGrid.uniform(NOON, 24, HOUR_S)
NOW = BatteryNow(NOON, 0.5, SELF, NOON - HOUR_S, ())
CHEAP, DEAR = 2.0, 8.0


def old_plan(*, load_kw: float = 1.0, pv_kw: float = 0.0, charge: float = 0.0) -> EnergyPlan:
    """A plan of 24 hours that holds the battery all the time, and expects steady powers."""
    step = BatteryStep(NOON, HOLD, None, None, True, "as planned", "as planned")
    outlook = PowerOutlook(HOURS, (pv_kw,) * 24, (load_kw,) * 24, (charge,) * 24)
    end_s = NOON + DAY_S
    return EnergyPlan(NOON - HOUR_S, NOON, Level.PLAN, (step,), end_s, NOON, outlook)


def published(*per_kwh: float, hours: float = 24.0, fee: float = 1.0) -> PriceCurve:
    """Hourly prices from noon on; the last holds; export earns less by a fee."""
    buy = (*per_kwh, *(per_kwh[-1],) * (24 - len(per_kwh)))
    sell = tuple(price - fee for price in buy)
    return PriceCurve(NOON, HOURS, buy, sell, NOON + hours * HOUR_S, (False,) * 24)


def at(plan: EnergyPlan | None, hour: float) -> BatteryStep:
    assert plan is not None
    return [step for step in plan.steps if step.start_s <= NOON + hour * HOUR_S][-1]


def test_charge_is_kept_for_a_dear_hour_that_has_become_known():
    anew = modes_by_prices(old_plan(), published(*(CHEAP,) * 6, *(DEAR,) * 3, CHEAP), HOUSE, NOW)
    assert at(anew, 2.0).mode in {HOLD, CHARGE}
    assert at(anew, 6.5).mode in {SELF, SELL}


def test_what_was_saved_for_a_dear_hour_that_does_not_come_is_given_today():
    saved = old_plan(charge=0.5)
    assert at(saved, 0.0).mode is HOLD
    anew = modes_by_prices(saved, published(DEAR, DEAR, DEAR, CHEAP), HOUSE, NOW)
    assert at(anew, 0.0).mode in {SELF, SELL}


def test_what_charge_is_worth_in_the_end_is_the_last_plans_word():
    flat = published(4.0)
    assert at(modes_by_prices(old_plan(charge=9.0), flat, HOUSE, NOW), 1.0).mode is not SELF
    assert at(modes_by_prices(old_plan(charge=0.0), flat, HOUSE, NOW), 1.0).mode in {SELF, SELL}


def test_a_charge_and_a_sale_stop_at_the_charge_that_they_reach():
    swing = published(*(0.5,) * 4, *(CHEAP,) * 4, *(20.0,) * 2, CHEAP, fee=0.1)
    anew = modes_by_prices(old_plan(), swing, HOUSE, NOW)
    assert anew is not None
    forced = [step for step in anew.steps if step.mode in {CHARGE, SELL}]
    assert forced
    battery = HOUSE.battery
    for step in forced:
        assert step.stop_soc_frac is not None
        assert battery.min_soc_frac <= step.stop_soc_frac <= battery.max_soc_frac


def test_nothing_reaches_beyond_the_published_prices():
    anew = modes_by_prices(old_plan(), published(CHEAP, hours=11.0), HOUSE, NOW)
    assert anew is not None
    assert anew.end_s == anew.known_until_s == NOON + 11.0 * HOUR_S
    assert max(step.start_s for step in anew.steps) < anew.end_s


@pytest.mark.parametrize(
    ("plan", "house", "hours"),
    [
        (replace(old_plan(), outlook=None), HOUSE, 24.0),
        (replace(old_plan(), end_s=NOON + HOUR_S), HOUSE, 24.0),
        (old_plan(), HOUSE, (LEAST_S - 900.0) / HOUR_S),
        (old_plan(), replace(HOUSE, battery=replace(HOUSE.battery, capacity_kwh=0.0)), 24.0),
    ],
    ids=["says nothing of powers", "ends", "prices end", "no battery"],
)
def test_where_too_little_is_known_the_last_plan_stands(plan, house, hours: float):
    assert modes_by_prices(plan, published(CHEAP, hours=hours), house, NOW) is None


def test_a_curve_that_begins_later_is_none_for_now():
    later = NOW._replace(at_s=NOON - 2 * HOUR_S)
    assert modes_by_prices(old_plan(), published(CHEAP), HOUSE, later) is None


def test_a_charge_never_exceeds_the_import_limit():
    limit_kw = HOUSE.limits.grid_kw
    loaded = old_plan(load_kw=limit_kw - 1.0, charge=50.0)
    anew = modes_by_prices(loaded, published(0.1, 0.1, DEAR), HOUSE, NOW)
    assert anew is not None
    assert all(step.mode is not CHARGE for step in anew.steps)


prices_ahead = st.lists(st.floats(-3.0, 12.0), min_size=24, max_size=24)


@settings(max_examples=25, deadline=None)
@given(prices=prices_ahead, soc=st.floats(0.1, 0.9), spent=st.integers(0, 8))
def test_modes_change_as_seldom_as_the_day_still_allows(
    prices: list[float], soc: float, spent: int
):
    changes = tuple(NOON - HOUR_S * k for k in range(spent))
    now = BatteryNow(NOON, soc, SELF, NOON - HOUR_S, changes)
    anew = modes_by_prices(old_plan(pv_kw=0.5), published(*prices), HOUSE, now)
    assert anew is not None
    modes = [SELF, *(step.mode for step in anew.steps)]
    turns = [s.start_s for s, before in zip(anew.steps, modes, strict=False) if s.mode != before]
    assert all(b - a >= HOUSE.inverter.min_mode_s for a, b in pairwise(turns))
    for turn in turns:
        day = [s for s in (*changes, *turns) if turn - DAY_S < s <= turn]
        assert len(day) <= HOUSE.inverter.max_mode_changes_per_day


@settings(max_examples=25, deadline=None)
@given(prices=prices_ahead, soc=st.floats(0.1, 0.9))
def test_it_costs_no_more_than_self_use(prices: list[float], soc: float):
    plan, curve = old_plan(pv_kw=0.5), published(*prices)
    now = NOW._replace(soc_frac=soc)
    anew = modes_by_prices(plan, curve, HOUSE, now)
    alone = replace(plan, steps=(replace(plan.steps[0], mode=SELF),))
    assert anew is not None
    assert spent_on(anew, curve, soc) <= spent_on(alone, curve, soc) + 1.0  # of changes, rounding


def spent_on(plan: EnergyPlan, curve: PriceCurve, soc: float) -> float:
    """Money for 24 hours of a plan's modes, with wear."""
    assert plan.outlook is not None
    battery, cost = HOUSE.battery, 0.0
    for quarter in range(96):
        k, step = quarter // 4, at(plan, quarter / 4)
        flow = battery_power(
            step.mode, plan.outlook.pv_kw[k], plan.outlook.load_kw[k], soc, battery,
            HOUSE.inverter, HOUSE.limits, 900.0, step.rate_kw, step.stop_soc_frac,
            export_allowed=curve.export_per_kwh[k] >= 0.0,
        )  # fmt: skip
        soc = flow.soc_frac
        price = curve.import_per_kwh[k] if flow.grid_kw > 0.0 else curve.export_per_kwh[k]
        cost += (flow.grid_kw * price + max(flow.battery_kw, 0.0) * battery.wear_per_kwh) / 4.0
    return cost
