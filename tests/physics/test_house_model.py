"""Promises of the thermal network: exact steps, heat kept, and floors that answer in hours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.house import Emitter, HouseModel, RoomModel
from pems_actors.physics.house_model import (
    HouseDynamics,
    floor_surface_c,
    heat_by_room,
    heat_shares_kw,
)
from pems_actors.physics.linear_system import LinearSystem
from pems_actors.physics.priors import heat_loss_kw_k, link_kw_k, room_model
from tests.simulation.houses import reference_house, small_house

HOUSE = reference_house()
DYNAMICS = HouseDynamics(HOUSE.model)
R = DYNAMICS.rooms


def air(temps):
    return temps[R : 2 * R]


def pulse_response(dynamics, power_kw, minutes=15, watch_h=6):
    """Air of every room over its start, per minute, after a pulse into all of them."""
    rest = np.zeros(dynamics.rooms)
    temps = start = dynamics.steady_state(rest, 5.0)
    rows = []
    for minute in range(watch_h * 60):
        heat = power_kw if minute < minutes else rest
        temps = dynamics.step(temps, heat, 5.0, 0.0, 60.0)
        rows.append((temps - start)[dynamics.rooms : 2 * dynamics.rooms])
    return np.array(rows)


def test_a_floor_hardly_warms_the_air_within_a_quarter_and_peaks_after_hours():
    power = heat_by_room(HOUSE.model, HOUSE.relays, {relay.name: 1.0 for relay in HOUSE.relays})
    rise = pulse_response(DYNAMICS, power)
    assert rise[14].max() <= 0.05
    peak_h = (rise.argmax(axis=0) + 1) / 60
    assert peak_h.min() >= 1.0
    assert peak_h.max() <= 3.0
    assert rise.max(axis=0).min() > 0.08


def test_a_panel_warms_the_air_within_minutes():
    panels = reference_house(Emitter.PANEL)
    power = heat_by_room(panels.model, panels.relays, {r.name: 1.0 for r in panels.relays})
    rise = pulse_response(HouseDynamics(panels.model), power)
    assert rise[4].min() > 0.04
    assert rise[14].min() > 0.35
    assert (rise.argmax(axis=0) / 60).max() < 1.0


@settings(max_examples=20, deadline=None)
@given(
    minutes=st.lists(st.integers(1, 240), min_size=1, max_size=6),
    heat_kw=st.floats(0.0, 2.0),
    outdoor_c=st.floats(-20.0, 35.0),
    ghi=st.floats(0.0, 1000.0),
)
def test_many_small_steps_end_where_one_long_step_ends(minutes, heat_kw, outdoor_c, ghi):
    start = DYNAMICS.steady_temps(np.full(R, 20.0), 0.0)
    heat = np.full(R, heat_kw)
    once = DYNAMICS.step(start, heat, outdoor_c, ghi, sum(minutes) * 60.0)
    often = start
    for part in minutes:
        often = DYNAMICS.step(often, heat, outdoor_c, ghi, part * 60.0)
    np.testing.assert_allclose(often, once, atol=1e-9)


def test_heat_put_in_is_stored_or_lost_and_nothing_else():
    heat = np.linspace(0.1, 1.0, R)
    gain = np.linspace(-0.1, 0.1, R)
    temps = DYNAMICS.steady_temps(np.full(R, 20.0), 0.0)
    stored = lost = 0.0
    for _ in range(600):
        after = DYNAMICS.step(temps, heat, -5.0, 300.0, 6.0, gain)
        stored += DYNAMICS.capacity_kwh_k @ (after - temps)
        middle = (after + temps) / 2
        lost += DYNAMICS.outdoor_kw_k @ (middle + 5.0) * 6.0 / 3600.0
        temps = after
    solar = sum(room.solar_m2 for room in HOUSE.model.rooms) * 0.3
    given_kwh = heat.sum() + gain.sum() + solar + DYNAMICS.internal_kw.sum()
    assert stored + lost == pytest.approx(given_kwh, abs=1e-6)


def test_the_exact_step_agrees_with_a_fine_euler_integration():
    model = small_house().model
    dynamics = HouseDynamics(model)
    start = dynamics.steady_temps(np.array([20.0, 22.0]), 0.0)
    heat = np.array([1.2, 0.0])
    rate_kw = start.copy()
    for _ in range(36_000):
        flow = -dynamics.stiffness_kw_k @ rate_kw - dynamics.outdoor_kw_k * 8.0
        flow[:2] += heat
        flow[2:4] += dynamics.internal_kw
        rate_kw = rate_kw + flow / dynamics.capacity_kwh_k * 0.1 / 3600.0
    exact = dynamics.step(start, heat, -8.0, 0.0, 3600.0)
    np.testing.assert_allclose(rate_kw, exact, atol=1e-4)


def test_steady_heat_holds_the_air_it_was_asked_for():
    target = np.linspace(18.0, 23.0, R)
    heat = DYNAMICS.steady_heat(target, -10.0, 50.0)
    np.testing.assert_allclose(air(DYNAMICS.steady_state(heat, -10.0, 50.0)), target, atol=1e-9)
    held = DYNAMICS.steady_state(heat, -10.0, 50.0)
    np.testing.assert_allclose(DYNAMICS.step(held, heat, -10.0, 50.0, 7200.0), held, atol=1e-9)


def test_the_installed_power_has_headroom_at_fifteen_below():
    target = np.array([room.comfort.day_c for room in HOUSE.rooms])
    needed = DYNAMICS.steady_heat(target, -15.0).sum()
    assert 0.55 * 18.12 < needed < 0.85 * 18.12


def test_a_rooms_loss_is_three_quarters_of_its_power_at_design_weather():
    model = HouseModel((room_model("a", Emitter.FLOOR, 1.2, 40.0, has_windows=False),))
    dynamics = HouseDynamics(model)
    heat = dynamics.steady_heat(np.array([21.0]), -15.0)[0] + model.rooms[0].internal_kw
    assert heat == pytest.approx(0.75 * 1.2)
    assert heat_loss_kw_k(0.0, 40.0) == pytest.approx(0.024)


def test_what_is_known_of_a_room_replaces_the_rule():
    room = room_model(
        "a", Emitter.FLOOR, 1.2, 40.0, ua_kw_k=0.03, capacity_kwh_k=4.0, solar_m2=1.5, internal_kw=0
    )
    total = room.c_air_kwh_k + room.c_screed_kwh_k + room.c_structure_kwh_k
    assert total == pytest.approx(4.0)
    dynamics = HouseDynamics(HouseModel((room,)))
    assert dynamics.steady_heat(np.array([20.0]), 0.0)[0] == pytest.approx(0.6)
    assert room.solar_m2 == 1.5


def test_a_panel_room_without_own_power_still_has_a_body():
    room = room_model("a", Emitter.PANEL, 0.0, 40.0)
    assert room.c_screed_kwh_k > 0.0
    assert room.g_screed_air_kw_k > 0.0


@pytest.mark.parametrize(("power_kw", "volume_m3"), [(1.0, 0.0), (-0.1, 30.0)])
def test_an_impossible_room_is_refused_with_usual_values(power_kw, volume_m3):
    with pytest.raises(ValueError, match="usually 8 to 100"):
        room_model("a", Emitter.FLOOR, power_kw, volume_m3)


def test_openings_join_rooms_more_than_walls_and_nonsense_is_refused():
    assert link_kw_k("wall", 30, 60) < link_kw_k("door", 60, 30) < link_kw_k("open", 30, 60)
    assert link_kw_k("floor", 30, 60) > 0
    with pytest.raises(ValueError, match="wall, door, open, floor"):
        link_kw_k("hedge", 30, 60)


def test_a_shared_relay_heats_its_members_by_their_shares():
    heat = heat_by_room(HOUSE.model, HOUSE.relays, {"obyvak": True, "hosti": 0.5})
    by_name = dict(zip(DYNAMICS.names, heat.tolist(), strict=True))
    assert by_name["obyvak"] == pytest.approx(4.57 * 0.625)
    assert by_name["kuchyne"] == pytest.approx(4.57 * 0.375)
    assert by_name["hosti"] == pytest.approx(1.93 / 2)
    assert heat_shares_kw(HOUSE.model, HOUSE.relays).sum() == pytest.approx(18.12)


def test_a_relay_that_heats_an_unknown_room_is_refused():
    with pytest.raises(ValueError, match="has no thermal model"):
        heat_shares_kw(HouseModel(HOUSE.model.rooms[1:]), HOUSE.relays)


def test_a_link_to_an_unknown_room_is_refused():
    with pytest.raises(ValueError, match="no thermal model"):
        HouseDynamics(HouseModel(HOUSE.model.rooms[:2], (("obyvak", "cellar", 0.01),)))


def test_masses_must_be_positive():
    hollow = RoomModel("a", Emitter.FLOOR, 0.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1)
    with pytest.raises(ValueError, match="above 0"):
        HouseDynamics(HouseModel((hollow,)))
    with pytest.raises(ValueError, match="above 0"):
        LinearSystem(np.diag([1.0, -1.0]), np.eye(2))


def test_a_room_that_loses_nothing_warms_for_ever_and_has_no_steady_state():
    sealed = RoomModel("a", Emitter.FLOOR, 1.0, 1.0, 2.0, 0.1, 0.1, 0.0, 0.0)
    dynamics = HouseDynamics(HouseModel((sealed,)))
    after = dynamics.step(np.full(3, 20.0), np.ones(1), 0.0, 0.0, 3600.0 * 1000)
    assert dynamics.capacity_kwh_k @ (after - 20.0) == pytest.approx(1000.0)
    assert dynamics.system.time_constants_h[0] > 1e6
    with pytest.raises(ValueError, match="loses no heat"):
        dynamics.steady_state(np.ones(1), 0.0)


def test_states_survive_the_way_into_a_vector_and_back():
    temps = np.linspace(15.0, 30.0, 3 * R)
    named = DYNAMICS.unpack(temps)
    assert named["kuchyne"].air_c == temps[R + 1]
    np.testing.assert_array_equal(DYNAMICS.pack(named), temps)


def test_steps_of_many_lengths_do_not_pile_up():
    for k in range(200):
        DYNAMICS.matrices(10.0 + k)
    assert len(DYNAMICS._steps) <= 64


def test_a_floor_surface_lies_between_air_and_screed():
    assert 20.0 < floor_surface_c(30.0, 20.0) < 30.0
    assert floor_surface_c(20.0, 20.0) == 20.0
