"""Rooms that were learned steer: estimator, planner and frost outlook change over together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pems_actors.actors.base import ESTIMATOR, GUARD, PLAN_KEEPER, PLANNER, THERMAL
from pems_actors.actors.estimator import EstimatorActor
from pems_actors.actors.thermal import ThermalActor
from pems_actors.domain.events import FrostOutlook, PlanAdopted, StateEstimated
from pems_actors.domain.house import HouseModel
from pems_actors.domain.learned_rooms import LearnedRooms
from pems_actors.domain.readings import HouseReading, RoomReading
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.plans import house_state, informed
from tests.actors.skies import weather


def leaky(model: HouseModel) -> HouseModel:
    return replace(
        model,
        rooms=tuple(
            replace(room, g_air_outdoor_kw_k=3.0 * room.g_air_outdoor_kw_k) for room in model.rooms
        ),
    )


FOUND = leaky(HOUSE.model)
LEARNED = LearnedRooms(FOUND, {"bath": "identified.1"}, "1 of 3 rooms as identified")


def estimator() -> Stage:
    stage = Stage(ESTIMATOR, lambda c, _: EstimatorActor(c, HOUSE, 900.0))
    for minute in range(20):
        now_s = NOON + 60.0 * minute
        rooms = tuple(RoomReading(r.name, now_s, 21.0) for r in HOUSE.rooms)
        stage.tell(HouseReading(now_s, rooms))
        stage.run(60.0)
    return stage


def test_until_something_is_learned_the_state_names_no_model():
    assert estimator().last(PLANNER, StateEstimated).model is None


def test_the_next_state_is_estimated_by_the_learned_model_and_says_so_to_all_at_once():
    stage = estimator()
    stage.forget()
    stage.tell(LEARNED)
    for address in (PLANNER, THERMAL):
        (told,) = stage.all_heard(address, StateEstimated)
        assert told.model == FOUND
        assert told.state.rooms["bath"].air_c == pytest.approx(21.0, abs=0.3)


def test_the_same_model_again_changes_nothing():
    stage = estimator()
    stage.tell(LEARNED)
    stage.forget()
    stage.tell(LEARNED)
    assert not stage.all_heard(PLANNER, StateEstimated)


def test_trust_that_is_lost_brings_the_configured_rooms_back_without_a_pause():
    stage = estimator()
    before = stage.last(PLANNER, StateEstimated).state
    stage.tell(LEARNED, LearnedRooms(None, {}, "it drifts"))
    told = stage.last(PLANNER, StateEstimated)
    assert told.model is None
    for name, room in before.rooms.items():
        assert told.state.rooms[name].structure_c == pytest.approx(room.structure_c, abs=0.1)


def test_a_successor_of_the_estimator_goes_on_by_the_learned_model():
    stage = estimator()
    stage.tell(LEARNED)
    stage.crash()
    stage.forget()
    stage.run(900.0)
    assert stage.last(PLANNER, StateEstimated).model == FOUND


def test_the_planner_asks_by_the_model_of_the_state_and_judges_the_plan_by_the_same():
    stage = informed()
    stage.tell(replace(house_state(), model=FOUND))
    assert stage.state.asked.model == FOUND
    stage.run(1.0)
    assert stage.all_heard(PLAN_KEEPER, PlanAdopted)
    stage.tell(house_state(NOON + 900.0))
    assert stage.state.asked.model == HOUSE.model


def test_the_frost_outlook_goes_by_the_model_of_the_state():
    stage = Stage(THERMAL, lambda c, _: ThermalActor(c, HOUSE))
    told = replace(house_state(), trusted=True)
    stage.tell(weather(outdoor_c=-10.0, ghi_w_m2=0.0), told)
    usual = stage.last(GUARD, FrostOutlook).coldest_c
    stage.tell(replace(told, model=FOUND))
    leaky_c = stage.last(GUARD, FrostOutlook).coldest_c
    assert all(leaky_c[name] < usual[name] for name in usual)
    stage.tell(told)
    assert stage.last(GUARD, FrostOutlook).coldest_c == usual
