"""The end of an absence without a plan: how long before it a room is heated again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.duty import loss_kw_k, warm_up_h
from pems_actors.control.room import LEAD_H, RoomFacts, lead_h
from pems_actors.domain.house import Comfort, Emitter, Limits
from pems_actors.domain.levels import Level
from pems_actors.physics.priors import room_model

MODEL = room_model("living", Emitter.FLOOR, 1.8, 60.0)
FACTS = RoomFacts(
    name="living",
    comfort=Comfort(day_c=21.0, night_c=19.0),
    emitter=Emitter.FLOOR,
    loss_kw_k=loss_kw_k(MODEL),
    power_kw=1.8,
    free_kw=MODEL.internal_kw,
    timezone="Europe/Prague",
    limits=Limits(),
    surface_limit_c=29.0,
    capacity_kwh_k=MODEL.c_screed_kwh_k + MODEL.c_air_kwh_k + MODEL.c_structure_kwh_k,
)


def test_a_slow_floor_that_has_cooled_down_begins_ten_to_twenty_hours_before():
    assert 10.0 < lead_h(FACTS, 17.0, 5.0, Level.RULES) < 20.0


def test_a_room_that_is_still_warm_begins_as_always():
    assert lead_h(FACTS, 20.8, 5.0, Level.RULES) == LEAD_H[Emitter.FLOOR]


def test_a_plan_knows_better_and_an_unknown_temperature_tells_nothing():
    assert lead_h(FACTS, 17.0, 0.0, Level.PLAN) == LEAD_H[Emitter.FLOOR]
    assert lead_h(FACTS, None, 0.0, Level.RULES) == LEAD_H[Emitter.FLOOR]


def test_a_room_that_hardly_climbs_begins_a_day_before_and_no_earlier():
    weak = replace(FACTS, power_kw=0.2)
    assert lead_h(weak, 17.0, -15.0, Level.RULES) == 24.0


@given(st.floats(10.0, 21.0), st.floats(0.0, 3.0), st.floats(-20.0, 15.0), st.floats(0.0, 5.0))
def test_colder_rooms_and_colder_days_never_begin_later(temp_c, colder_k, outdoor_c, frost_k):
    usual = lead_h(FACTS, temp_c, outdoor_c, Level.RULES)
    assert lead_h(FACTS, temp_c - colder_k, outdoor_c, Level.RULES) >= usual - 1e-9
    assert lead_h(FACTS, temp_c, outdoor_c - frost_k, Level.RULES) >= usual - 1e-9


def test_the_reckoning_is_energy_over_what_power_is_left():
    assert warm_up_h(10.0, 3.0, 4.0, 1.0) == pytest.approx(10.0)
    assert warm_up_h(10.0, -1.0, 4.0, 1.0) == 0.0
    assert warm_up_h(10.0, 3.0, 1.0, 1.0) == 24.0
