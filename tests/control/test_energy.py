from dataclasses import replace

import pytest

from pems_actors.control.battery import BatteryView, UserBattery, choose, offered
from pems_actors.control.inverter import choose_export
from pems_actors.domain.events import BatteryStep, EnergyPlan, HouseMode
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid

CHARGE, SELF_USE, HOLD = BatteryMode.CHARGE_GRID, BatteryMode.SELF_USE, BatteryMode.HOLD


def step(start_s: float, mode: BatteryMode, *, export: bool = True) -> BatteryStep:
    return BatteryStep(start_s, mode, 3.0, 0.9, export, f"{mode} wanted", "export wanted")


PLAN = EnergyPlan(
    0.0, 1800.0, Level.PLAN, (step(0.0, CHARGE), step(3600.0, HOLD, export=False)), 48 * 3600.0
)
VIEW = BatteryView(
    now_s=60.0, soc_frac=0.5, meter_known=True, plan=PLAN, user=None,
    shed_until_s=float("-inf"), mode=HouseMode.NORMAL,
)  # fmt: skip


def test_the_battery_follows_a_fresh_plan():
    choice = choose(VIEW)
    assert (choice.mode, choice.rate_kw, choice.level) == (CHARGE, 3.0, Level.PLAN)
    assert choice.export_allowed is True


def test_the_last_plan_goes_on_while_its_prices_are_known_and_then_self_use():
    known = replace(PLAN, known_until_s=24 * 3600.0)
    late = choose(replace(VIEW, plan=known, now_s=23 * 3600.0))
    assert (late.mode, late.level) == (HOLD, Level.PATH)
    gone = choose(replace(VIEW, plan=known, now_s=24 * 3600.0))
    assert (gone.mode, gone.level) == (SELF_USE, Level.RULES)
    assert "prices have ended" in gone.reason


def test_an_old_plan_charges_within_the_same_limits_as_a_fresh_one():
    old = replace(PLAN, steps=PLAN.steps[:1], known_until_s=24 * 3600.0)
    away = replace(VIEW, plan=old, now_s=20 * 3600.0)
    assert choose(away).mode is CHARGE
    assert choose(replace(away, meter_known=False)).mode is SELF_USE
    assert choose(replace(away, shed_until_s=21 * 3600.0)).mode is HOLD
    assert choose(replace(away, soc_frac=None)).mode is SELF_USE
    assert choose(replace(away, clock_trusted=False)).mode is SELF_USE


def test_without_known_prices_the_last_plan_goes_on_for_two_hours():
    late = choose(replace(VIEW, now_s=4000.0))
    assert (late.mode, late.level) == (HOLD, Level.PATH)
    gone = choose(replace(VIEW, now_s=1800.0 + 7200.0))
    assert (gone.mode, gone.level) == (SELF_USE, Level.RULES)


def test_a_short_plan_ends_with_its_last_slot():
    assert offered(replace(PLAN, end_s=3000.0), 3100.0)[0] is Level.RULES


def test_without_a_plan_there_is_self_use():
    choice = choose(replace(VIEW, plan=None))
    assert (choice.mode, choice.level, choice.reason) == (SELF_USE, Level.RULES, "no plan yet")


def test_an_unknown_state_of_charge_means_self_use():
    assert choose(replace(VIEW, soc_frac=None)).mode is SELF_USE


def test_no_grid_charge_without_a_meter_or_after_a_shedding():
    assert choose(replace(VIEW, meter_known=False)).mode is SELF_USE
    assert choose(replace(VIEW, shed_until_s=120.0)).mode is HOLD
    assert choose(replace(VIEW, now_s=4000.0, meter_known=False)).mode is HOLD


def test_a_persons_choice_holds_until_it_ends():
    user = UserBattery(HOLD, 120.0, None, None, "saving for the evening")
    assert choose(replace(VIEW, user=user)).mode is HOLD
    assert choose(replace(VIEW, user=user, now_s=120.0)).mode is CHARGE


def test_emergency_is_native():
    assert choose(replace(VIEW, mode=HouseMode.EMERGENCY)).level is Level.NATIVE
    choice = choose_export(PLAN, None, 0.0, False, HouseMode.EMERGENCY, 60.0)
    assert (choice.allowed, choice.level) == (True, Level.NATIVE)


def prices(export: float) -> PriceCurve:
    grid = TimeGrid.uniform(0.0, 4)
    return PriceCurve(0.0, grid, (1.0,) * 4, (export,) * 4, 3600.0, (False,) * 4)


def test_export_follows_the_plan_then_the_price_then_yes():
    assert choose_export(PLAN, None, 0.0, True, HouseMode.NORMAL, 60.0).allowed
    assert not choose_export(PLAN, prices(1.0), 0.0, True, HouseMode.NORMAL, 3700.0).allowed
    assert not choose_export(None, prices(-0.1), 0.0, True, HouseMode.NORMAL, 60.0).allowed
    assert choose_export(None, prices(0.1), 0.0, True, HouseMode.NORMAL, 60.0).allowed
    unknown = choose_export(None, prices(-0.1), 0.0, True, HouseMode.NORMAL, 9000.0)
    assert unknown.allowed
    assert "unknown" in unknown.reason


@pytest.mark.parametrize("allowed", [True, False])
def test_a_person_may_allow_or_forbid_export(allowed: bool):
    choice = choose_export(PLAN, prices(1.0), 120.0, allowed, HouseMode.NORMAL, 60.0)
    assert choice.allowed is allowed


@pytest.mark.parametrize("as_it_is", [True, False])
def test_by_a_clock_that_is_not_trusted_export_is_left_as_it_is(as_it_is: bool):
    choice = choose_export(
        PLAN, prices(-0.1), 0.0, True, HouseMode.NORMAL, 60.0,
        as_it_is=as_it_is, clock_trusted=False,
    )  # fmt: skip
    assert (choice.allowed, choice.level) == (as_it_is, Level.RULES)
