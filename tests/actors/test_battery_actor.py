"""The battery at its post: plan, person, limits, and the rest that each mode needs."""

from itertools import pairwise

import pytest

from pems_actors.actors.base import BATTERY, CONTROL, MQTT, PLAN_KEEPER, POWER_BUDGET
from pems_actors.actors.battery import LEASE_S, BatteryActor
from pems_actors.actors.battery_reconcile import RENEW_S
from pems_actors.domain.events import (
    BatteryGrant,
    BatteryRequest,
    ChargeShed,
    HouseMode,
    ModeChanged,
    Outcome,
    Republish,
)
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState
from tests.actors.energy import energy_plan
from tests.actors.kit import HOUSE, NOON, Stage, energy_tick, order

HOLD, CHARGE, SELL, SELF = (
    BatteryMode.HOLD,
    BatteryMode.CHARGE_GRID,
    BatteryMode.SELL,
    BatteryMode.SELF_USE,
)


def battery(**more) -> Stage:
    return Stage(BATTERY, lambda c, w: BatteryActor(c, HOUSE, w), leases=["battery"], **more)


def let(stage: Stage, kw: float = 10.0) -> None:
    stage.tell(BatteryGrant(stage.now_s, stage.now_s + 30.0, kw))


def asked_kw(stage: Stage) -> list[float]:
    """What was asked for of the power budget, oldest first."""
    return [round(said.rise_kw, 3) for said in stage.all_heard(POWER_BUDGET, BatteryRequest)]


def ticks(stage: Stage, minutes: int, *, power: bool = True, **more) -> None:
    for _ in range(minutes):
        before = len(asked_kw(stage))
        stage.tell(energy_tick(stage.now_s, **more))
        if power and len(asked_kw(stage)) > before:
            let(stage)
        stage.run(60.0)


def modes(stage: Stage) -> list[BatteryMode]:
    """Modes commanded, without renewals."""
    said = [c.mode for c in stage.commands]
    return [m for k, m in enumerate(said) if k == 0 or m is not said[k - 1]]


def in_mode(mode: BatteryMode, *, minutes: int = 1) -> Stage:
    stage = battery()
    stage.tell(energy_plan((0.0, mode), valid_s=7200.0))
    let(stage)
    ticks(stage, minutes)
    assert modes(stage) == [mode]
    return stage


def test_without_a_plan_it_serves_the_house_itself():
    stage = battery()
    assert stage.all_heard(PLAN_KEEPER, Republish)
    assert stage.all_heard(CONTROL, Republish)
    ticks(stage, 1)
    [command] = stage.commands
    assert (command.mode, command.level) == (SELF, Level.RULES)
    assert stage.status.state == "fallback"


def test_it_carries_out_the_plans_mode_with_rate_and_stop():
    stage = in_mode(CHARGE)
    [command] = stage.commands
    assert (command.rate_kw, command.stop_soc_frac, command.level) == (3.0, 0.8, Level.PLAN)
    assert stage.status.state == "running"


def test_the_lease_is_renewed_every_five_minutes_by_a_write():
    stage = in_mode(HOLD, minutes=31)
    written = [c.at_s for c in stage.commands]
    assert [b - a for a, b in pairwise(written)] == [RENEW_S] * 6
    assert all(c.lease_until_s == c.at_s + LEASE_S for c in stage.commands)


def test_nobody_ticks_and_nothing_is_renewed():
    stage = in_mode(HOLD)
    stage.forget()
    stage.run(3600.0)
    assert not stage.commands


def test_when_the_plan_is_over_its_modes_hold_for_two_hours_then_self_use():
    stage = battery()
    stage.tell(energy_plan((0.0, HOLD)))
    ticks(stage, 31)
    assert stage.commands[-1].level is Level.PATH
    ticks(stage, 119)
    assert modes(stage) == [HOLD]
    ticks(stage, 1)
    assert modes(stage) == [HOLD, SELF]
    assert "planner away" in stage.commands[-1].reason


def test_a_mode_lasts_half_an_hour():
    stage = battery()
    stage.tell(energy_plan((0.0, HOLD), (600.0, SELL), valid_s=7200.0))
    ticks(stage, 30)
    assert modes(stage) == [HOLD]
    assert "at least 30 min" in stage.state.choice.reason
    ticks(stage, 1)
    assert modes(stage) == [HOLD, SELL]


def test_there_are_at_most_eight_changes_a_day_then_self_use():
    stage = battery()
    steps = [(1800.0 * k, HOLD if k % 2 else SELL) for k in range(20)]
    stage.tell(energy_plan(*steps, valid_s=86400.0))
    ticks(stage, 6 * 60)
    assert len(modes(stage)) == len(stage.state.changes_s) == 8
    assert modes(stage)[-1] is SELF
    assert "8 mode changes within a day" in stage.state.choice.reason


def test_a_charge_that_is_shed_rests_at_once_and_comes_back_after_half_an_hour():
    stage = in_mode(CHARGE)
    stage.tell(ChargeShed("over the import limit", stage.now_s, 300.0))
    assert modes(stage) == [CHARGE, HOLD]
    assert "shed" in stage.commands[-1].reason
    ticks(stage, 29)
    assert modes(stage) == [CHARGE, HOLD]
    ticks(stage, 2)
    assert modes(stage) == [CHARGE, HOLD, CHARGE]


@pytest.mark.parametrize("shed", [True, False])
def test_the_least_time_in_a_mode_keeps_no_charge_that_is_shed_or_blind(shed):
    stage = in_mode(CHARGE)
    stage.tell(energy_plan((0.0, HOLD), valid_s=86400.0))
    ticks(stage, 1)
    assert modes(stage) == [CHARGE]  # for at least 30 min
    if shed:
        stage.tell(ChargeShed("over the breaker of L2", stage.now_s, 300.0))
    else:
        ticks(stage, 5, grid_kw=None)
    assert modes(stage)[:2] == [CHARGE, HOLD if shed else SELF]


def test_a_charge_from_the_grid_waits_for_power_and_asks_until_there_is():
    stage = in_mode(HOLD, minutes=31)
    stage.tell(energy_plan((0.0, CHARGE), valid_s=7200.0))
    ticks(stage, 3, power=False)
    assert asked_kw(stage) == [3.0, 3.0, 3.0]
    assert modes(stage) == [HOLD]
    assert "waits for power" in stage.state.choice.reason
    let(stage)
    assert modes(stage) == [HOLD, CHARGE]


def test_the_end_of_a_discharge_waits_for_power_too():
    stage = battery()
    ticks(stage, 1, battery_kw=4.0)
    stage.tell(energy_plan((0.0, HOLD), valid_s=7200.0))
    ticks(stage, 2, power=False, battery_kw=4.0)
    assert asked_kw(stage) == [4.0, 4.0]
    assert modes(stage) == [SELF]
    ticks(stage, 1, battery_kw=4.0)
    assert modes(stage) == [SELF, HOLD]


def test_leave_for_less_than_is_needed_now_is_no_leave():
    stage = in_mode(HOLD, minutes=31)
    stage.tell(energy_plan((0.0, CHARGE), valid_s=7200.0))
    ticks(stage, 1, power=False)
    let(stage, 2.0)
    assert modes(stage) == [HOLD]
    stage.run(60.0)
    let(stage, 3.0)
    assert modes(stage) == [HOLD, CHARGE]


def test_self_use_needs_no_leave():
    stage = in_mode(CHARGE, minutes=31)
    stage.forget()
    stage.tell(energy_plan((0.0, SELF), valid_s=7200.0))
    ticks(stage, 1)
    assert not asked_kw(stage)
    assert modes(stage) == [SELF]


def test_without_a_meter_nothing_is_charged_from_the_grid():
    stage = in_mode(CHARGE)
    ticks(stage, 5, grid_kw=None)
    assert modes(stage) == [CHARGE, SELF]
    assert "without a meter" in stage.commands[-1].reason


@pytest.mark.parametrize("soc_frac", [None])
def test_when_the_state_of_charge_is_unknown_for_long_the_plan_is_left(soc_frac):
    stage = in_mode(SELL)
    ticks(stage, 3, soc_frac=soc_frac)
    assert modes(stage) == [SELL]  # the last one is still fresh
    ticks(stage, 2, soc_frac=soc_frac)
    assert modes(stage) == [SELL, SELF]
    assert stage.state.choice.reason == "state of charge unknown"


def test_a_person_chooses_a_mode_for_a_time():
    stage = in_mode(HOLD, minutes=31)
    stage.tell(order(BATTERY, "mode", mode="sell", rate_kw=2.0, for_s=1800.0))
    assert stage.last(CONTROL, Outcome).reason == "battery in sell"
    assert modes(stage) == [HOLD, SELL]
    assert stage.commands[-1].rate_kw == 2.0
    ticks(stage, 31)
    assert modes(stage) == [HOLD, SELL, HOLD]


def test_a_choice_that_must_wait_is_answered_honestly():
    stage = in_mode(HOLD)
    stage.tell(order(BATTERY, "mode", mode="sell"))
    said = stage.last(CONTROL, Outcome)
    assert said.outcome == "done"
    assert "noted; just now hold: hold for at least 30 min" in said.reason


def test_release_gives_the_battery_back_to_the_plan():
    stage = in_mode(HOLD, minutes=31)
    stage.tell(order(BATTERY, "mode", mode="self_use"))
    stage.tell(order(BATTERY, "release", id_="2"))
    assert modes(stage) == [HOLD, SELF, HOLD]
    assert stage.last(CONTROL, Outcome).outcome == "done"


def test_an_unknown_verb_is_rejected_with_a_way_out():
    stage = battery()
    stage.tell(order(BATTERY, "explode"))
    said = stage.last(CONTROL, Outcome)
    assert (said.outcome, said.reason[:32]) == ("rejected", "the battery knows no 'explode'; ")


def test_emergency_mode_ends_every_mode_at_once():
    stage = in_mode(CHARGE)
    stage.tell(ModeChanged(HouseMode.EMERGENCY, stage.now_s))
    ticks(stage, 1)
    assert modes(stage) == [CHARGE, SELF]
    assert stage.commands[-1].level is Level.NATIVE


def test_a_successor_keeps_mode_rest_and_count():
    stage = in_mode(HOLD, minutes=5)
    before = stage.state
    stage.crash()
    assert stage.state._replace(told=before.told) == before
    stage.tell(energy_plan((0.0, SELL), valid_s=7200.0))
    ticks(stage, 5)
    assert modes(stage) == [HOLD]


def test_without_the_lease_it_writes_nothing_and_tries_again():
    stage = battery()
    stage.system.gate.revoke("battery")
    ticks(stage, 2)
    assert not stage.commands
    stage.system.gate.grant("battery", BATTERY)
    ticks(stage, 1)
    assert modes(stage) == [SELF]


def test_it_publishes_what_is_known():
    stage = battery()
    ticks(stage, 6, soc_frac=0.42)
    states = stage.all_heard(MQTT, DeviceState)
    assert [s.at_s - NOON for s in states] == [0.0, 300.0]
    values = dict(states[-1].values)
    assert (values["soc_frac"].value, values["mode"].value) == (0.42, "self_use")
    silent = battery()
    ticks(silent, 1, soc_frac=None)
    assert dict(silent.last(MQTT, DeviceState).values)["soc_frac"].quality is Quality.MISSING


def test_an_unknown_message_is_counted():
    stage = battery()
    stage.tell("what is this?")
    assert stage.system.counters()["unexpected"] == 1
