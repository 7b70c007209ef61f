"""A belief that goes on by another model: no leap in what is expected, and ready to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.domain.house import Emitter, HouseModel, RoomModel
from pems_actors.estimation.taking_over import taken_over
from pems_actors.estimation.thermal_filter import FilterState, ThermalFilter
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

NOW_S = 1_768_435_200.0
BELIEVED = HouseModel(
    (room_model("living", Emitter.FLOOR, 3.0, 90.0), room_model("bath", Emitter.FLOOR, 0.6, 20.0))
)


def leakier(room: RoomModel) -> RoomModel:
    """The same room, found to lose half as much again and to have a better floor."""
    return replace(
        room,
        g_air_outdoor_kw_k=1.5 * room.g_air_outdoor_kw_k,
        g_structure_outdoor_kw_k=1.5 * room.g_structure_outdoor_kw_k,
        g_screed_air_kw_k=1.2 * room.g_screed_air_kw_k,
    )


FOUND = HouseModel(tuple(map(leakier, BELIEVED.rooms)))
OLD, NEW = (ThermalFilter(HouseDynamics(model)) for model in (BELIEVED, FOUND))


def held(heat_kw: np.ndarray, hours: float, model: ThermalFilter, state: FilterState) -> np.ndarray:
    """The air after some hours of steady heat, by a belief and its model alone."""
    temps = state.temps_c
    for _ in range(round(4 * hours)):
        temps = model.dynamics.step(temps, heat_kw, 0.0, 0.0, 900.0, state.disturbance_kw)
    return temps[2:4]


AIR_C = np.array([21.0, 23.0])


def settled() -> FilterState:
    """Rooms long held by the configured model, which lose something beside the paper."""
    rest_kw = np.array([0.1, -0.05])
    state = replace(OLD.initial({}, 0.0, NOW_S), disturbance_kw=rest_kw)
    temps = OLD.dynamics.steady_temps(AIR_C, 0.0)
    screed_kw_k = np.array([room.g_screed_air_kw_k for room in BELIEVED.rooms])
    temps[:2] -= rest_kw / screed_kw_k
    return replace(state, temps_c=temps)


def needed_kw(model: ThermalFilter, state: FilterState) -> np.ndarray:
    return model.dynamics.steady_heat(AIR_C, 0.0) - state.disturbance_kw


def test_the_same_heat_holds_the_rooms_by_the_new_model():
    state = settled()
    after = taken_over(state, OLD, NEW)
    assert needed_kw(NEW, after) == pytest.approx(needed_kw(OLD, state))
    assert after.disturbance_kw != pytest.approx(state.disturbance_kw, abs=0.05)


def test_the_next_hours_are_expected_as_before():
    state = settled()
    heat_kw = needed_kw(OLD, state)
    assert held(heat_kw, 6.0, OLD, state) == pytest.approx(AIR_C, abs=1e-6)
    after = taken_over(state, OLD, NEW)
    assert held(heat_kw, 6.0, NEW, after) == pytest.approx(AIR_C, abs=0.01)


def test_what_is_measured_stays_and_a_floor_gives_what_it_gave():
    state = settled()
    after = taken_over(state, OLD, NEW)
    assert after.temps_c[2:4] == pytest.approx(state.temps_c[2:4])
    given = [
        room.g_screed_air_kw_k * (each.temps_c[k] - each.temps_c[2 + k])
        for model, each in ((BELIEVED, state), (FOUND, after))
        for k, room in enumerate(model.rooms)
    ]
    assert given[:2] == pytest.approx(given[2:])


def test_there_and_back_again_is_the_belief_one_began_with():
    state = settled()
    back = taken_over(taken_over(state, OLD, NEW), NEW, OLD)
    assert back.temps_c == pytest.approx(state.temps_c)
    assert back.disturbance_kw == pytest.approx(state.disturbance_kw)


def test_a_model_of_other_rooms_is_refused():
    other = ThermalFilter(HouseDynamics(HouseModel(BELIEVED.rooms[:1])))
    with pytest.raises(ValueError, match="same rooms"):
        taken_over(settled(), OLD, other)
