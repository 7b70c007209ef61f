"""Estimator and plan keeper at their posts: what is believed, and what is in force."""

from dataclasses import replace

import pytest

from pems_actors.actors.base import (
    BATTERY,
    ESTIMATOR,
    HISTORY,
    INVERTER,
    METRICS,
    MQTT,
    PLAN_KEEPER,
    PLANNER,
    THERMAL,
    Record,
)
from pems_actors.actors.estimator import LEAD_S, SILENT_S, EstimatorActor
from pems_actors.actors.plan_keeper import PlanKeeperActor
from pems_actors.domain.events import (
    EnergyPlan,
    PlanAdopted,
    PlanFailed,
    Republish,
    RoomPlan,
    StateEstimated,
)
from pems_actors.domain.findings import OutOfService
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading, RoomReading
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.plans import plan
from tests.actors.skies import weather

# The plan keeper.


def keeper() -> Stage:
    stage = Stage(PLAN_KEEPER, lambda c, _: PlanKeeperActor(c, HOUSE))
    stage.tell(Republish())  # nothing to hand out yet
    assert not stage.all_heard(BATTERY, EnergyPlan)
    return stage


def adopted(*, later_s: float = 0.0) -> PlanAdopted:
    moved = replace(
        plan(), issued_at_s=NOON + later_s, valid_until_s=plan().valid_until_s + later_s
    )
    return PlanAdopted(moved, NOON + later_s)


def test_each_gets_its_part_of_the_plan():
    stage = keeper()
    stage.tell(adopted())
    for room in HOUSE.rooms:
        part = stage.last(f"rooms/{room.name}", RoomPlan)
        assert part.path_c == tuple(slot.temps_c[room.name] for slot in plan().slots)
    for address in (BATTERY, INVERTER):
        assert stage.last(address, EnergyPlan).issued_at_s == NOON
    for address in (MQTT, METRICS):
        assert stage.last(address, PlanAdopted).plan == plan()
    assert [r.kind for r in stage.all_heard(HISTORY, Record)] == ["plan"]
    assert stage.status.reason == "plan in force"


def test_an_older_plan_never_replaces_a_newer_one():
    stage = keeper()
    stage.tell(adopted(later_s=60.0), adopted())
    assert stage.state.adopted.plan.issued_at_s == NOON + 60.0
    assert len(stage.all_heard(BATTERY, EnergyPlan)) == 1


def test_a_plan_is_handed_out_again_on_request_and_by_a_successor():
    stage = keeper()
    stage.tell(adopted())
    stage.tell(Republish())
    assert len(stage.all_heard(BATTERY, EnergyPlan)) == 2
    stage.crash()
    assert len(stage.all_heard(BATTERY, EnergyPlan)) == 3
    assert len(stage.all_heard(HISTORY, Record)) == 1


def test_it_says_when_the_plan_expired_and_why():
    stage = keeper()
    stage.tell(adopted())
    stage.run(plan().valid_until_s - NOON + 1.0)
    assert stage.status.reason == "the plan has expired: no newer plan came"
    assert (stage.status.state, stage.status.level) == ("fallback", 2)
    assert stage.last(HISTORY, Record).kind == "plan_expired"


def test_the_last_failure_is_the_reason():
    stage = keeper()
    stage.tell(adopted(), PlanFailed(NOON, "the solver was too slow"))
    assert stage.last(METRICS, PlanFailed).reason == "the solver was too slow"
    assert stage.last(HISTORY, Record).kind == "plan_failed"
    stage.run(plan().valid_until_s - NOON + 1.0)
    assert stage.status.reason == "the plan has expired: the solver was too slow"


def test_a_newer_plan_puts_the_end_off():
    stage = keeper()
    stage.tell(adopted())
    stage.run(600.0)
    stage.tell(adopted(later_s=600.0))
    stage.run(plan().valid_until_s - NOON - 1.0)
    assert stage.status.reason == "plan in force"


def test_an_expired_plan_is_handed_out_as_what_it_is():
    stage = keeper()
    stage.run(86400.0)
    stage.tell(adopted())
    assert stage.status.reason == "the plan has expired"


def test_a_fenced_keeper_adopts_nothing():
    stage = keeper()
    stage.system.gate.fence(PLAN_KEEPER)
    stage.tell(adopted())
    assert stage.state.adopted is None
    assert not stage.all_heard(BATTERY, EnergyPlan)


def test_the_room_of_a_relay_out_of_service_goes_by_its_rules_until_it_obeys_again():
    stage = keeper()
    stage.tell(adopted())
    stage.forget()
    stage.tell(OutOfService(NOON, dead=frozenset({"bath"})))
    assert stage.last("rooms/bath", RoomPlan).level is Level.RULES
    assert not stage.all_heard("rooms/living", RoomPlan)
    stage.tell(adopted(later_s=900.0))
    assert stage.last("rooms/bath", RoomPlan).level is Level.RULES
    assert stage.last("rooms/living", RoomPlan).level is Level.PLAN
    stage.tell(OutOfService(NOON + 950.0))
    assert stage.last("rooms/bath", RoomPlan).level is Level.PLAN


# The estimator.


def estimator() -> Stage:
    return Stage(ESTIMATOR, lambda c, _: EstimatorActor(c, HOUSE, 900.0))


def picture(at_s: float, temp_c: float = 21.0) -> HouseReading:
    return HouseReading(at_s, tuple(RoomReading(r.name, at_s, temp_c) for r in HOUSE.rooms))


def test_before_the_first_picture_it_has_nothing_to_say():
    stage = estimator()
    stage.tell(Republish(), weather())
    assert stage.status.reason == "no reading of the house yet"
    assert not stage.all_heard(PLANNER, StateEstimated)


def test_the_first_picture_is_told_at_once_and_then_each_quarter_hour():
    stage = estimator()
    for minute in range(46):
        stage.tell(picture(NOON + 60.0 * minute))
        stage.run(60.0)
    for address in (PLANNER, THERMAL):
        told = stage.all_heard(address, StateEstimated)
        assert [m.state.at_s - NOON for m in told] == [0.0, 900.0, 1800.0, 2700.0]
        assert told[-1].state.rooms["bath"].air_c == pytest.approx(21.0, abs=0.3)


def test_the_state_for_a_step_is_told_before_the_step_begins():
    stage = estimator()
    stage.tell(picture(NOON))
    stage.run(900.0 - LEAD_S - 1.0)
    stage.forget()
    stage.run(1.0)
    (told,) = stage.all_heard(PLANNER, StateEstimated)
    assert told.state.at_s == NOON + 900.0


def test_a_house_that_fell_silent_is_no_ground_for_a_plan():
    stage = estimator()
    stage.tell(picture(NOON))
    stage.run(SILENT_S + 1000.0)
    stage.forget()
    stage.tell(Republish())
    assert not stage.all_heard(PLANNER, StateEstimated)
    assert stage.status.reason == "the house says nothing, so nothing new is planned"
    stage.tell(picture(stage.now_s), Republish())
    assert stage.all_heard(PLANNER, StateEstimated)
    assert stage.status.state == "running"


def test_the_forecast_stands_in_for_a_missing_outdoor_sensor():
    stage = estimator()
    stage.tell(picture(NOON), weather(outdoor_c=-9.0))
    stage.tell(picture(NOON + 60.0))
    stage.tell(picture(NOON + 960.0), Republish())
    assert stage.last(PLANNER, StateEstimated).state.outdoor_c == -9.0


def test_a_successor_of_the_estimator_goes_on_with_the_belief():
    stage = estimator()
    stage.tell(picture(NOON, 18.0))
    stage.crash()
    stage.tell(Republish())
    assert stage.last(PLANNER, StateEstimated).state.rooms["bath"].air_c == pytest.approx(18.0)


def test_unknown_messages_are_counted():
    for stage in (keeper(), estimator()):
        stage.tell("what is this?")
        assert stage.system.counters()["unexpected"] == 1
