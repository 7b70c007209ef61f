"""From pictures of the house to the one state that planning starts from."""

from __future__ import annotations

import pickle
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.order import CONTINUOUS_ON_S
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import (
    BatteryMode,
    Comfort,
    Emitter,
    House,
    HouseModel,
    Relay,
    Room,
    Site,
)
from pems_actors.domain.plan import RelayHistory
from pems_actors.domain.readings import BatteryReading, HouseReading, OutdoorReading, RoomReading
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.estimation.house_state import Estimate, HouseEstimator
from pems_actors.estimation.relay_history import HeatSplit, tracked
from pems_actors.physics.priors import room_model

START_S = 1_768_435_200.0
LIVING, KITCHEN = "living", "kitchen"
HOUSE = House(
    name="two rooms on one relay",
    site=Site(49.95, 14.60),
    rooms=(Room(LIVING, LIVING, Comfort()), Room(KITCHEN, LIVING, Comfort())),
    relays=(Relay(LIVING, 4.8, 4.8, ((LIVING, 0.625), (KITCHEN, 0.375))),),
    model=HouseModel(
        (
            room_model(LIVING, Emitter.FLOOR, 3.0, 90.0),
            room_model(KITCHEN, Emitter.FLOOR, 1.8, 60.0),
        ),
        ((LIVING, KITCHEN, 0.05),),
    ),
)
ESTIMATOR = HouseEstimator(HOUSE)


def picture(
    minute: float,
    *,
    living_c: float | None = 20.0,
    kitchen_c: float | None = 21.0,
    on: bool | None = False,
    battery: BatteryReading | None = None,
    outdoor_c: float | None = 0.0,
    ghi: float | None = None,
) -> HouseReading:
    at_s = START_S + 60.0 * minute
    rooms = (RoomReading(LIVING, at_s, living_c, on), RoomReading(KITCHEN, at_s, kitchen_c))
    outdoor = OutdoorReading(at_s, outdoor_c, ghi)
    return HouseReading(at_s, rooms, battery, outdoor=outdoor)


def after(*pictures: HouseReading) -> Estimate:
    estimate: Estimate | None = None
    for reading in pictures:
        estimate = ESTIMATOR.update(estimate, reading)
    assert estimate is not None
    return estimate


def test_the_first_picture_already_gives_a_whole_house_state() -> None:
    state = ESTIMATOR.house_state(after(picture(0)), START_S)
    assert set(state.rooms) == set(state.disturbance_kw) == {LIVING, KITCHEN}
    assert state.rooms[KITCHEN].air_c == pytest.approx(21.0)
    assert state.outdoor_c == 0.0
    assert state.relays == {LIVING: RelayHistory(False, -inf, rests_after_s=CONTINUOUS_ON_S)}


def test_even_an_empty_picture_gives_a_state() -> None:
    state = ESTIMATOR.house_state(after(HouseReading(START_S)), START_S)
    assert np.isfinite([room.air_c for room in state.rooms.values()]).all()
    assert state.outdoor_c is not None


def test_a_battery_never_heard_is_taken_as_empty() -> None:
    state = ESTIMATOR.house_state(after(picture(0)), START_S)
    assert state.soc_frac == HOUSE.battery.min_soc_frac


def test_a_battery_that_falls_silent_keeps_its_charge_and_mode() -> None:
    said = BatteryReading(START_S, 0.63, 0.0, BatteryMode.HOLD)
    state = ESTIMATOR.house_state(after(picture(0, battery=said), picture(1)), START_S + 60.0)
    assert (state.soc_frac, state.battery_mode) == (0.63, BatteryMode.HOLD)
    assert state.battery_mode_since_s == START_S


def test_changes_of_the_battery_mode_are_remembered_for_a_day() -> None:
    modes = (BatteryMode.HOLD, BatteryMode.HOLD, BatteryMode.SELL)
    said = [BatteryReading(START_S + 60.0 * k, 0.6, 0.0, mode) for k, mode in enumerate(modes)]
    estimate = after(*[picture(k, battery=one) for k, one in enumerate(said)])
    assert ESTIMATOR.house_state(estimate, START_S).battery_changes_s == (START_S, START_S + 120.0)
    home = BatteryReading(START_S + DAY_S + 60.0, 0.6, 0.0, BatteryMode.SELF_USE)
    later = estimate.storage.heard(home, home.at_s)
    assert later.changes_s == (START_S + 120.0, home.at_s)
    by_s = 3600.0
    assert estimate.shifted(by_s).storage.changes_s == (START_S + by_s, START_S + 120.0 + by_s)


def test_an_absurd_charge_is_not_believed() -> None:
    good = BatteryReading(START_S, 0.63, 0.0)
    absurd = BatteryReading(START_S + 60.0, 63.0, 0.0)
    estimate = after(picture(0, battery=good), picture(1, battery=absurd))
    assert ESTIMATOR.house_state(estimate, START_S).soc_frac == 0.63


def test_a_relays_heat_reaches_all_its_members() -> None:
    on = after(*[picture(k, living_c=None, kitchen_c=None, on=True) for k in range(180)])
    off = after(*[picture(k, living_c=None, kitchen_c=None) for k in range(180)])
    warmer = on.thermal.temps_c - off.thermal.temps_c
    assert (warmer[[0, 1]] > 1.0).all()


def test_a_relay_without_a_contact_is_believed_as_commanded() -> None:
    estimate = ESTIMATOR.update(None, picture(0, on=None), {LIVING: True})
    assert estimate.relays[LIVING].on
    said_off = ESTIMATOR.update(estimate, picture(1, on=False), {LIVING: True})
    assert not said_off.relays[LIVING].on


def test_a_member_of_a_relay_has_no_relay_of_its_own() -> None:
    at_s = START_S
    reading = HouseReading(at_s, (RoomReading(KITCHEN, at_s, 20.0, relay_on=True),))
    assert ESTIMATOR.update(None, reading).relays == {}


def test_a_spike_of_a_room_sensor_is_not_believed() -> None:
    estimate = after(picture(0), picture(1), picture(2, living_c=45.0))
    assert estimate.thermal.temps_c[2] == pytest.approx(20.0, abs=0.1)


def test_what_a_room_loses_by_an_open_window_is_not_learned_as_its_nature() -> None:
    def learned_kw(window_open: bool) -> float:
        pictures = []
        for minute in range(0, 180, 5):
            seen = picture(minute, living_c=20.0 - minute / 60.0)
            living, kitchen = seen.rooms
            rooms = (living._replace(window_open=window_open), kitchen)
            pictures.append(replace(seen, rooms=rooms))
        state = ESTIMATOR.house_state(after(*pictures), pictures[-1].at_s)
        return state.disturbance_kw[LIVING]

    assert learned_kw(window_open=True) == 0.0
    assert learned_kw(window_open=False) < -0.1


def test_a_room_of_another_house_is_not_heard() -> None:
    seen = picture(0)
    stranger = RoomReading("attic", seen.at_s, 35.0)
    with_stranger = after(replace(seen, rooms=(*seen.rooms, stranger)))
    assert ESTIMATOR.house_state(with_stranger, START_S) == ESTIMATOR.house_state(
        after(seen), START_S
    )


def test_irradiance_comes_from_the_sensor_else_from_the_forecast() -> None:
    grid = TimeGrid.uniform(START_S, 4, HOUR_S)
    forecast = WeatherForecast(START_S, grid, (3.0,) * 4, (200.0,) * 4, (0.0,) * 4, (200.0,) * 4)
    start = after(picture(0)).with_forecast(forecast)
    assert ESTIMATOR.update(start, picture(1, ghi=500.0)).thermal.ghi_w_m2 == 500.0
    assert ESTIMATOR.update(start, picture(1)).thermal.ghi_w_m2 == 200.0


def test_outdoors_come_from_the_forecast_when_the_sensor_was_never_heard() -> None:
    grid = TimeGrid.uniform(START_S, 4, HOUR_S)
    dark = (0.0,) * 4
    forecast = WeatherForecast(START_S, grid, (-9.0,) * 4, dark, dark, dark)
    start = after(picture(0, outdoor_c=None)).with_forecast(forecast)
    assert ESTIMATOR.update(start, picture(1, outdoor_c=None)).thermal.outdoor_c == -9.0


def test_an_estimate_survives_a_snapshot() -> None:
    estimate = after(picture(0), picture(1))
    kept = pickle.loads(pickle.dumps(estimate))
    now_s = START_S + 60.0
    assert ESTIMATOR.house_state(kept, now_s) == ESTIMATOR.house_state(estimate, now_s)
    assert ESTIMATOR.update(kept, picture(2)).thermal.at_s == START_S + 120.0


def test_starts_of_a_relay_are_counted_for_an_hour() -> None:
    history = tracked(None, on=False, at_s=0.0)
    for at_s, on in [(600.0, True), (1200.0, False), (1800.0, True)]:
        history = tracked(history, on=on, at_s=at_s)
    assert history == RelayHistory(on=True, since_s=1800.0, starts_s=(600.0, 1800.0))
    assert tracked(history, on=True, at_s=4200.0).starts_s == (1800.0,)
    assert tracked(history, on=True, at_s=4199.0) is history


def test_heat_is_split_by_shares_and_only_for_relays_known_to_be_on() -> None:
    split = HeatSplit(HOUSE.model, HOUSE.relays)
    on = {LIVING: RelayHistory(on=True, since_s=0.0)}
    assert split.by_room(on) == pytest.approx([3.0, 1.8])
    assert split.by_room({}) == pytest.approx([0.0, 0.0])


value = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(10, 30))


@given(
    st.lists(
        st.tuples(st.floats(-500.0, 5000.0), value, value, value, value, value, st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_no_story_of_readings_gives_a_state_that_cannot_be_planned(
    story: list[
        tuple[float, float | None, float | None, float | None, float | None, float | None, bool]
    ],
) -> None:
    estimate: Estimate | None = None
    minute = 0.0
    for passed, living_c, kitchen_c, outdoor_c, ghi, soc, on in story:
        minute += passed
        reading = picture(
            minute, living_c=living_c, kitchen_c=kitchen_c, on=on, outdoor_c=outdoor_c, ghi=ghi
        )
        battery = BatteryReading(reading.at_s, soc, None)
        estimate = ESTIMATOR.update(estimate, replace(reading, battery=battery))
        state = ESTIMATOR.house_state(estimate, reading.at_s)
        for room in state.rooms.values():
            temps = (room.screed_c, room.air_c, room.structure_c)
            assert all(-40.0 <= temp <= 90.0 for temp in temps)
        assert 0.0 <= state.soc_frac <= 1.0
        assert state.outdoor_c is not None
        assert -50.0 <= state.outdoor_c <= 60.0
