"""The battery while the planner is away: modes anew when prices are told."""

from dataclasses import replace

from pems_actors.actors.base import BATTERY
from pems_actors.control.battery import LAST_PLAN_S
from pems_actors.domain.events import EnergyPlan, PowerOutlook
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S
from tests.actors.energy import energy_plan
from tests.actors.kit import NOON, Stage
from tests.actors.test_battery_actor import battery, modes, ticks

HOLD, SELF = BatteryMode.HOLD, BatteryMode.SELF_USE
HOURS = TimeGrid.uniform(NOON, 24, HOUR_S)
DEAR_NOW = (9.0,) * 2 + (1.0,) * 22
VALID_MIN = 30


def plan_to_hold(issued_s: float = NOON) -> EnergyPlan:
    """A plan that saves the battery for an hour that will not come."""
    outlook = PowerOutlook(HOURS, (0.0,) * 24, (2.0,) * 24, (0.5,) * 24)
    plan = energy_plan((0.0, HOLD), valid_s=VALID_MIN * 60.0)
    return replace(plan, issued_at_s=issued_s, outlook=outlook)


def prices(stage: Stage) -> PriceCurve:
    sell = tuple(price - 1.5 for price in DEAR_NOW)
    return PriceCurve(stage.now_s, HOURS, DEAR_NOW, sell, NOON + DAY_S, (False,) * 24)


def away() -> Stage:
    """A battery whose plan has just expired while it holds, in hours that have become dear."""
    stage = battery()
    stage.tell(plan_to_hold())
    ticks(stage, VALID_MIN + 1)
    assert modes(stage) == [HOLD]
    stage.tell(prices(stage))
    return stage


def test_while_the_planner_is_away_prices_give_new_modes():
    stage = away()
    ticks(stage, 20)  # a mode may change with a quarter of an hour
    assert modes(stage)[-1] is not HOLD
    last = stage.commands[-1]
    assert last.level is Level.PATH
    assert "by published prices; planner away" in last.reason


def test_new_modes_last_as_long_as_their_prices():
    stage = away()
    ticks(stage, round(LAST_PLAN_S / 60.0) + 30)
    assert stage.state.choice.level is Level.PATH


def test_a_plan_in_force_is_not_touched_by_prices():
    stage = battery()
    stage.tell(plan_to_hold())
    ticks(stage, 5)
    stage.tell(prices(stage))
    ticks(stage, VALID_MIN)
    assert modes(stage) == [HOLD]
    assert stage.state.repriced is None


def test_a_newer_plan_ends_what_was_made_of_the_old_one_and_the_same_one_does_not():
    stage = away()
    made = stage.state.repriced
    assert made is not None
    stage.tell(plan_to_hold())
    assert stage.state.repriced is made
    stage.tell(plan_to_hold(NOON + 60.0))
    assert stage.state.repriced is None


def test_a_successor_goes_on_with_the_new_modes():
    stage = away()
    made = stage.state.repriced
    stage.crash()
    assert stage.state.repriced == made


def test_with_an_unknown_charge_nothing_new_is_chosen():
    stage = battery()
    stage.tell(plan_to_hold())
    ticks(stage, VALID_MIN + 5, soc_frac=None)
    stage.tell(prices(stage))
    assert stage.state.repriced is None


def test_an_old_reading_of_the_charge_is_none():
    stage = battery()
    stage.tell(plan_to_hold())
    ticks(stage, VALID_MIN + 1)
    stage.run(600.0)
    stage.tell(prices(stage))
    assert stage.state.repriced is None


def test_a_clock_that_was_set_ends_them():
    stage = away()
    stage.system.tell(BATTERY, ClockJumped(stage.now_s, 7200.0))
    stage.runtime.run_until_quiet()
    assert stage.state.repriced is None


def test_without_a_plan_prices_alone_decide_nothing():
    stage = battery()
    ticks(stage, 1)
    stage.tell(prices(stage))
    ticks(stage, 1)
    assert modes(stage) == [SELF]
