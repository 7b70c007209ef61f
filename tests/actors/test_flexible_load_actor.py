"""A flexible load at its post: it asks for leave, writes with a lease, and tells what it wants."""

from dataclasses import replace

import pytest

from pems_actors.actors.base import BATTERY, MQTT, PLANNER, POWER_BUDGET
from pems_actors.actors.battery import BatteryActor
from pems_actors.actors.flexible_load import FlexibleLoadActor
from pems_actors.actors.power_budget import PowerBudgetActor
from pems_actors.domain.commands import SetBatteryMode, SetLoad
from pems_actors.domain.events import (
    HouseMode,
    ModeChanged,
    RelayGrant,
    RelayRequest,
    RelayShed,
    RelaySwitched,
)
from pems_actors.domain.flexible_load import (
    FlexibleLoad,
    LoadGrant,
    LoadKind,
    LoadPlan,
    LoadReading,
    LoadRequest,
    LoadShed,
    LoadSwitched,
    LoadTick,
    LoadWanted,
)
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import HOUR_S, iso
from supervision.events import IncidentClosed, IncidentOpened
from tests.actors.kit import HOUSE, NOON, Stage, energy_tick, order

CAR = FlexibleLoad("car", LoadKind.CAR, 11.0, every_day_kwh=20.0)
WITH_CAR = replace(HOUSE, loads=(CAR,))
PATH = "loads/car"


def car(**more) -> Stage:
    zone = HOUSE.site.timezone
    return Stage(
        PATH,
        lambda c, writer: FlexibleLoadActor(c, CAR, zone, writer),
        house=WITH_CAR,
        leases=("load/car",),
        **more,
    )


def tick(stage: Stage, kw: float | None = 0.0, *, ready: bool | None = True) -> None:
    now_s = stage.now_s
    stage.tell(LoadTick(now_s, LoadReading("car", now_s, kw, ready), blocked=False))


def plan(stage: Stage, *kw: float) -> LoadPlan:
    now_s = stage.now_s
    starts = tuple(now_s + 900.0 * k for k in range(len(kw)))
    reasons = tuple("on: cheap" if each else "off: dear" for each in kw)
    end_s = now_s + 900.0 * len(kw)
    return LoadPlan(now_s, end_s, Level.PLAN, starts, kw, reasons, end_s)


def orders(stage: Stage) -> list[SetLoad]:
    return [command for command in stage.commands if isinstance(command, SetLoad)]


def test_it_is_held_back_from_the_first_tick_on_until_a_plan_says_otherwise():
    stage = car()
    tick(stage)
    [order_] = orders(stage)
    assert (order_.on, order_.lease_until_s) == (False, NOON + 900.0)


def test_a_planned_hour_is_asked_for_and_used_when_leave_comes():
    stage = car()
    stage.tell(plan(stage, 11.0, 11.0))
    tick(stage)
    assert stage.last(POWER_BUDGET, LoadRequest).load == "car"
    assert not orders(stage)[-1].on
    stage.tell(LoadGrant("car", stage.now_s, stage.now_s + 30.0))
    assert orders(stage)[-1].on
    assert stage.last(POWER_BUDGET, LoadSwitched).on


def test_leave_that_comes_too_late_or_is_not_wanted_any_more_is_given_back():
    stage = car()
    stage.tell(plan(stage, 0.0, 11.0))
    tick(stage)
    stage.tell(LoadGrant("car", stage.now_s, stage.now_s + 30.0))
    assert not orders(stage)[-1].on
    assert not stage.last(POWER_BUDGET, LoadSwitched).on


def test_the_lease_is_renewed_every_five_minutes_and_never_by_itself():
    stage = car()
    tick(stage)
    for _ in range(5):
        stage.run(60.0)
        tick(stage)
    assert len(orders(stage)) == 2
    stage.run(3600.0)
    assert len(orders(stage)) == 2  # nobody ticks: the lease ends, and the car serves itself


def test_a_shed_car_is_held_back_at_once_and_for_as_long_as_it_was_told():
    stage = car()
    stage.tell(plan(stage, 11.0, 11.0, 11.0, 11.0))
    tick(stage)
    stage.tell(LoadGrant("car", stage.now_s, stage.now_s + 30.0))
    stage.run(60.0)
    stage.tell(LoadShed("car", "over the import limit", stage.now_s))
    assert not orders(stage)[-1].on
    assert "import limit" in orders(stage)[-1].reason
    stage.run(60.0)
    tick(stage)
    assert not orders(stage)[-1].on
    stage.forget()
    stage.run(600.0)
    tick(stage)
    assert stage.all_heard(POWER_BUDGET, LoadRequest)


def test_the_planner_hears_what_is_wanted_and_that_nothing_is_while_the_car_is_away():
    stage = car()
    tick(stage)
    task = stage.last(PLANNER, LoadWanted).task
    assert task is not None
    assert (task.energy_kwh, iso(task.by_s)) == (20.0, "2026-01-16T06:00:00Z")
    tick(stage, ready=False)
    assert stage.last(PLANNER, LoadWanted).task is None
    told = len(stage.all_heard(PLANNER, LoadWanted))
    tick(stage, ready=False)
    assert len(stage.all_heard(PLANNER, LoadWanted)) == told


def test_a_person_names_departure_and_energy():
    stage = car()
    tick(stage)
    by_s = NOON + 6 * HOUR_S
    answer = stage.ask(order(PATH, "departure", energy_kwh=30.0, at_s=by_s))
    assert answer.outcome == "done"
    task = stage.last(PLANNER, LoadWanted).task
    assert (task.energy_kwh, task.by_s) == (30.0, by_s)
    late = stage.ask(order(PATH, "departure", energy_kwh=90.0, at_s=by_s))
    assert "more than it can draw" in late.reason
    past = stage.ask(order(PATH, "departure", energy_kwh=5.0, at_s=NOON - 1.0))
    assert past.outcome == "rejected"


def test_a_boost_asks_for_leave_now_and_a_release_brings_the_usual_day_back():
    stage = car()
    tick(stage)
    stage.run(600.0)
    tick(stage)
    stage.forget()
    assert stage.ask(order(PATH, "boost", for_s=3600.0)).outcome == "done"
    assert stage.all_heard(POWER_BUDGET, LoadRequest)
    stage.ask(order(PATH, "departure", energy_kwh=1.0, at_s=NOON + HOUR_S))
    assert stage.ask(order(PATH, "release")).outcome == "done"
    assert stage.last(PLANNER, LoadWanted).task.energy_kwh == 20.0
    assert stage.ask(order(PATH, "fly")).outcome == "rejected"


def test_a_wish_and_what_was_drawn_of_it_outlive_a_crash_and_a_restart():
    stage = car()
    stage.ask(order(PATH, "departure", energy_kwh=30.0, at_s=NOON + 6 * HOUR_S))
    for _ in range(31):
        tick(stage, 11.0)
        stage.run(60.0)
    stage.crash()
    tick(stage, 11.0)
    assert stage.last(PLANNER, LoadWanted).task.energy_kwh < 25.0
    again = car(memory=stage.memory, start_s=stage.now_s)
    tick(again, 0.0)
    task = again.last(PLANNER, LoadWanted).task
    assert task.by_s == NOON + 6 * HOUR_S
    assert task.energy_kwh == pytest.approx(24.5, abs=0.5)


def test_an_emergency_lets_the_car_draw_whatever_was_planned_but_not_without_leave():
    """Released without leave it could take the breaker, or the power that heats the house."""
    stage = car()
    tick(stage)
    stage.forget()
    stage.tell(ModeChanged(HouseMode.EMERGENCY, stage.now_s))
    stage.run(600.0)  # its least rest
    tick(stage)
    assert stage.last(POWER_BUDGET, LoadRequest).load == "car"
    assert not any(order_.on for order_ in orders(stage))
    stage.tell(LoadGrant("car", stage.now_s, stage.now_s + 5.0))
    assert orders(stage)[-1].on
    assert orders(stage)[-1].reason.startswith("emergency mode")


def test_an_unarmed_car_gets_no_order_and_the_witness_hears_of_it():
    stage = car(armed=frozenset())
    tick(stage)
    assert not orders(stage)
    assert stage.witnessed


def test_its_state_is_published_with_what_is_missing():
    stage = car()
    tick(stage, 0.0)
    state = stage.last(MQTT, DeviceState)
    values = {name: value.value for name, value in state.values}
    assert values["remaining_kwh"] == 20.0
    assert values["allowed"] is False


# --- the power budget and the battery beside it


def budget() -> Stage:
    return Stage(POWER_BUDGET, lambda c, _: PowerBudgetActor(c, WITH_CAR), house=WITH_CAR)


def measured(stage: Stage, kw: float, grid_kw: float, phase_kw: tuple[float, float, float]) -> None:
    said = (LoadReading("car", stage.now_s, kw, True),)
    stage.tell(energy_tick(stage.now_s, grid_kw=grid_kw, phase_kw=phase_kw)._replace(loads=said))


def test_a_car_is_let_go_where_it_fits_and_not_without_a_meter():
    stage = budget()
    stage.tell(LoadRequest("car", stage.now_s))
    assert not stage.all_heard(PATH, LoadGrant)
    measured(stage, 0.0, 1.5, (0.5, 0.5, 0.5))
    assert stage.last(PATH, LoadGrant).load == "car"


def test_an_excess_holds_the_car_back_before_any_relay():
    stage = budget()
    measured(stage, 0.0, 1.5, (0.5, 0.5, 0.5))
    stage.tell(RelaySwitched("living", True, stage.now_s, 0.5))
    stage.tell(LoadSwitched("car", True, stage.now_s))
    stage.run(60.0)
    measured(stage, 11.0, 15.0, (6.2, 4.4, 4.4))
    assert "L1" in stage.last(PATH, LoadShed).reason
    assert not stage.all_heard("rooms/living", RelayShed)


def test_a_cold_room_gets_the_room_of_the_car_and_a_warm_one_waits():
    stage = budget()
    measured(stage, 0.0, 1.5, (0.5, 0.5, 0.5))
    stage.tell(LoadSwitched("car", True, stage.now_s - 600.0))
    stage.run(60.0)
    measured(stage, 11.0, 13.0, (4.3, 4.3, 4.4))
    stage.tell(RelayRequest("living", stage.now_s, 0.5, False))
    measured(stage, 11.0, 13.0, (4.3, 4.3, 4.4))
    assert not stage.all_heard(PATH, LoadShed)
    stage.tell(RelayRequest("living", stage.now_s, -0.2, False))
    measured(stage, 11.0, 13.0, (4.3, 4.3, 4.4))
    assert "living" in stage.last(PATH, LoadShed).reason


def test_a_relay_is_not_started_into_the_power_of_a_car_that_is_about_to_begin():
    stage = budget()
    measured(stage, 0.0, 2.5, (1.5, 0.5, 0.5))
    stage.tell(LoadRequest("car", stage.now_s))
    assert stage.all_heard(PATH, LoadGrant)
    stage.run(60.0)
    measured(stage, 0.0, 2.5, (1.5, 0.5, 0.5))
    stage.tell(RelayRequest("living", stage.now_s, 0.5, False))
    assert not stage.all_heard("rooms/living", RelayGrant)
    stage.run(300.0)  # it does not want to: its power is free again
    measured(stage, 0.0, 2.5, (1.5, 0.5, 0.5))
    stage.tell(RelayRequest("living", stage.now_s, 0.5, False))
    assert stage.all_heard("rooms/living", RelayGrant)


def test_silent_phases_are_reckoned_by_what_was_learned_of_the_base_load():
    stage = budget()
    for _ in range(150):
        measured(stage, 0.0, 3.0, (2.4, 0.3, 0.3))
        stage.run(60.0)
    for grid_kw, starts in ((6.0, False), (2.0, True)):
        said = (LoadReading("car", stage.now_s, 0.0, True),)
        stage.tell(energy_tick(stage.now_s, grid_kw=grid_kw)._replace(loads=said))
        stage.tell(RelayRequest("living", stage.now_s, 0.5, False))  # 3 kW on L1
        assert bool(stage.all_heard("rooms/living", RelayGrant)) is starts


def battery() -> Stage:
    return Stage(
        BATTERY,
        lambda c, writer: BatteryActor(c, WITH_CAR, writer),
        house=WITH_CAR,
        leases=("battery",),
    )


def charging(stage: Stage, kw: float) -> None:
    said = (LoadReading("car", stage.now_s, kw, True),)
    stage.tell(energy_tick(stage.now_s, grid_kw=12.0)._replace(loads=said))


def test_the_battery_holds_while_a_car_is_charged_and_for_a_short_pause():
    stage = battery()
    charging(stage, 0.0)
    modes = [c.mode for c in stage.commands if isinstance(c, SetBatteryMode)]
    assert modes == [BatteryMode.SELF_USE]
    stage.run(60.0)
    charging(stage, 11.0)
    assert stage.commands[-1].mode is BatteryMode.HOLD
    assert "car" in stage.commands[-1].reason
    stage.run(600.0)
    charging(stage, 0.0)
    assert stage.commands[-1].mode is BatteryMode.HOLD
    stage.run(1200.0)
    charging(stage, 0.0)
    assert stage.commands[-1].mode is BatteryMode.SELF_USE


def test_a_persons_own_battery_mode_stands_beside_a_car():
    stage = battery()
    charging(stage, 0.0)
    stage.ask(order(BATTERY, "mode", mode="self_use", for_s=3600.0))
    stage.run(60.0)
    charging(stage, 11.0)
    assert stage.commands[-1].mode is BatteryMode.SELF_USE


def test_an_order_that_got_lost_is_said_again_as_long_as_the_car_draws():
    stage = car()
    tick(stage)
    stage.run(60.0)
    tick(stage, 11.0)
    stage.run(60.0)
    tick(stage, 11.0)
    assert len(orders(stage)) == 3
    stage.run(60.0)
    tick(stage, 0.0)
    assert len(orders(stage)) == 3


def test_nobody_starts_on_the_room_of_a_car_that_was_only_told_to_stop():
    stage = budget()
    measured(stage, 0.0, 1.5, (0.5, 0.5, 0.5))
    stage.tell(LoadSwitched("car", True, stage.now_s - 600.0))
    stage.run(60.0)
    measured(stage, 11.0, 13.0, (4.6, 4.2, 4.2))
    stage.tell(RelayRequest("living", stage.now_s, 0.5, False))
    stage.run(60.0)
    measured(stage, 11.0, 15.0, (6.0, 4.5, 4.5))
    assert stage.all_heard(PATH, LoadShed)
    assert not stage.all_heard("rooms/living", RelayGrant)


def test_a_car_that_does_not_obey_or_cannot_be_reached_leaves_the_excess_to_the_relays():
    stage = budget()
    measured(stage, 0.0, 1.5, (0.5, 0.5, 0.5))
    stage.tell(RelaySwitched("living", True, stage.now_s, 0.5))
    stage.tell(LoadSwitched("car", True, stage.now_s, ours=False))
    stage.run(60.0)
    measured(stage, 11.0, 15.0, (6.2, 4.4, 4.4))
    assert stage.all_heard("rooms/living", RelayShed)
    assert not stage.all_heard(PATH, LoadShed)


def test_a_car_that_draws_although_it_was_held_back_leaves_the_excess_to_the_relays_at_once():
    stage = budget()
    measured(stage, 0.0, 1.5, (0.5, 0.5, 0.5))
    stage.tell(RelaySwitched("living", True, stage.now_s, 0.5))
    stage.tell(LoadSwitched("car", False, stage.now_s))
    stage.run(600.0)
    measured(stage, 11.0, 15.0, (6.2, 4.4, 4.4))
    assert stage.all_heard("rooms/living", RelayShed)
    assert stage.all_heard(PATH, LoadShed)  # its order may have got lost


def test_a_car_that_draws_on_although_it_is_held_back_is_an_incident_until_it_rests():
    stage = car()
    for _ in range(20):
        tick(stage, 11.0)
        stage.run(60.0)
    outages = [e for e in stage.events if isinstance(e, IncidentOpened | IncidentClosed)]
    assert [each.path for each in outages] == ["load/car/draws-on"]
    tick(stage, 0.0)
    ended = stage.events[-1]
    assert isinstance(ended, IncidentClosed)
    assert ended.id == outages[0].id


def test_what_the_battery_gives_is_not_counted_on_for_a_car():
    stage = budget()
    now_s = stage.now_s
    gives = BatteryReading(now_s, 0.5, 5.0, BatteryMode.SELF_USE)
    said = (LoadReading("car", now_s, 0.0, True),)
    phases = (1.0, 1.0, 1.0)  # 2.7 kW on each once the battery rests
    stage.tell(energy_tick(now_s, grid_kw=3.0, phase_kw=phases, battery=gives)._replace(loads=said))
    stage.tell(LoadRequest("car", now_s))
    assert not stage.all_heard(PATH, LoadGrant)
