"""The gateway at its post: every part of a picture reaches whom it concerns."""

from dataclasses import replace

import pytest

from pems_actors.actors.base import (
    BATTERY,
    ESTIMATOR,
    GATEWAY,
    GUARD,
    HISTORY,
    INVERTER,
    LOAD,
    METER,
    POWER_BUDGET,
    PV,
    WEATHER,
    Samples,
)
from pems_actors.actors.gateway import GatewayActor
from pems_actors.domain.events import EnergyTick, LoadSample, Outdoor, PvSample, RoomTick
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    Quality,
    RoomReading,
)
from pems_actors.domain.units import seconds
from pems_actors.economics.tariff import Tariff
from tests.actors.kit import HOUSE, NOON, TICK_S, Stage
from tests.actors.skies import weather

FREE = seconds("2026-01-15T15:30:00+01:00")  # nothing is blocked until 17:00 local


def gateway(house=HOUSE, start_s: float = FREE, *, planning: bool = True) -> Stage:
    return Stage(
        GATEWAY,
        lambda c, _: GatewayActor(c, house, Tariff(), TICK_S, planning=planning),
        start_s=start_s,
    )


def picture(at_s: float, *, temp_c: float | None = 21.0, on: bool | None = False, **more):
    rooms = tuple(
        RoomReading(room.name, at_s, temp_c, on if room.name != "kitchen" else None)
        for room in HOUSE.rooms
    )
    parts = {
        "battery": BatteryReading(at_s, 0.5, 1.0, BatteryMode.SELF_USE),
        "inverter": InverterReading(at_s, 2.0, True),
        "meter": MeterReading(at_s, 1.0, 4.0, (0.5, 0.3, 0.2)),
        "outdoor": OutdoorReading(at_s, -3.0, 50.0),
    }
    return HouseReading(at_s, rooms, **{**parts, **more})


def test_every_room_gets_its_own_reading_and_the_outdoor_temperature():
    stage = gateway()
    stage.tell(picture(FREE))
    for room in HOUSE.rooms:
        [tick] = stage.all_heard(f"rooms/{room.name}", RoomTick)
        assert tick.reading is not None
        assert tick.reading.room == room.name
        assert (tick.outdoor.temp_c, tick.outdoor.quality) == (-3.0, Quality.GOOD)


def test_where_nobody_plans_nobody_estimates():
    stage = gateway(planning=False)
    stage.tell(picture(FREE))
    assert not stage.all_heard(ESTIMATOR, HouseReading)
    assert stage.all_heard(GUARD, HouseReading)


def test_devices_budget_guard_and_estimator_see_the_same_picture():
    stage = gateway()
    seen = picture(FREE)
    stage.tell(seen)
    for address in (BATTERY, INVERTER, METER, POWER_BUDGET):
        [tick] = stage.all_heard(address, EnergyTick)
        assert (tick.battery, tick.meter) == (seen.battery, seen.meter)
    for address in (GUARD, ESTIMATOR):
        assert stage.all_heard(address, HouseReading) == [seen]


def test_a_sensors_offset_is_corrected_once_for_everybody():
    rooms = tuple(replace(r, sensor_offset_k=0.6) if r.name == "bath" else r for r in HOUSE.rooms)
    stage = gateway(replace(HOUSE, rooms=rooms))
    stage.tell(picture(FREE))
    assert stage.last("rooms/bath", RoomTick).reading.temp_c == pytest.approx(21.6)
    assert stage.last("rooms/living", RoomTick).reading.temp_c == 21.0
    [seen] = stage.all_heard(GUARD, HouseReading)
    assert [r.temp_c for r in seen.rooms] == pytest.approx([21.0, 21.0, 21.6])
    stage.tell(picture(FREE + 60.0, temp_c=None))
    assert stage.last("rooms/bath", RoomTick).reading.temp_c is None


def test_it_beats_for_a_house_that_says_nothing():
    stage = gateway()
    stage.tell(picture(FREE))
    stage.forget()
    stage.run(10 * TICK_S)
    ticks = stage.all_heard("rooms/bath", RoomTick)
    assert len(ticks) == 8
    assert all(tick.reading is None for tick in ticks)
    assert stage.all_heard(POWER_BUDGET, EnergyTick)[0].meter is None
    assert not stage.all_heard(GUARD, HouseReading)
    assert (stage.status.state, stage.status.reason) == ("degraded", "the house says nothing")


def test_a_house_that_speaks_again_is_sound_again():
    stage = gateway()
    stage.run(10 * TICK_S)
    assert stage.status.state == "degraded"
    stage.tell(picture(stage.now_s))
    assert stage.status.state == "running"
    stage.forget()
    stage.run(2 * TICK_S)
    assert not stage.all_heard("rooms/bath", RoomTick)


def test_a_house_that_never_spoke_is_beaten_for_too():
    stage = gateway()
    stage.run(4 * TICK_S)
    assert stage.all_heard("rooms/bath", RoomTick)


def test_the_live_contact_beats_the_timetable():
    at_17 = seconds("2026-01-15T17:10:00+01:00")
    stage = gateway(start_s=at_17)
    stage.tell(picture(at_17))
    assert stage.last("rooms/bath", RoomTick).blocked is True
    stage.tell(picture(at_17 + 60.0, heating_blocked=False))
    assert stage.last("rooms/bath", RoomTick).blocked is False
    stage.tell(picture(at_17 + 120.0, heating_blocked=True))
    assert stage.last("rooms/bath", RoomTick).blocked is True


def test_rooms_hear_how_much_of_the_next_three_hours_is_free():
    stage = gateway()
    stage.tell(picture(FREE))
    assert stage.last("rooms/bath", RoomTick).available_frac == pytest.approx(8 / 12)


def test_the_outdoor_sensor_gives_way_to_the_forecast_then_to_the_month():
    stage = gateway()
    stage.tell(picture(FREE))
    stage.run(7300.0)
    assert stage.last("rooms/bath", RoomTick).outdoor.source == "month of the year"
    stage.tell(weather(FREE, outdoor_c=-7.0))
    stage.run(TICK_S)
    outdoor = stage.last("rooms/bath", RoomTick).outdoor
    assert (outdoor.temp_c, outdoor.quality) == (-7.0, Quality.ESTIMATED)


def test_the_weather_learns_from_the_sensor():
    stage = gateway()
    stage.tell(picture(FREE))
    assert stage.last(WEATHER, Outdoor).temp_c == -3.0


def test_the_base_load_is_what_the_relays_do_not_take():
    stage = gateway()
    stage.tell(picture(FREE, on=True))
    assert stage.last(LOAD, LoadSample).base_load_kw == 0.0  # 4 kW, all of it heating
    stage.tell(picture(FREE, on=False))
    assert stage.last(LOAD, LoadSample).base_load_kw == 4.0


@pytest.mark.parametrize(
    "seen",
    [
        picture(FREE, on=None),
        picture(FREE, meter=None),
        picture(FREE, meter=MeterReading(FREE, 1.0)),
    ],
)
def test_the_base_load_is_unknown_where_a_relay_or_the_meter_is(seen):
    stage = gateway()
    stage.tell(seen)
    assert stage.last(LOAD, LoadSample).base_load_kw is None


def test_curtailed_sun_is_marked_as_such():
    full = BatteryReading(FREE, 0.9, 0.0)
    cases = {
        "free": (picture(FREE), False),
        "full but exporting": (picture(FREE, battery=full), False),
        "nowhere to go": (
            picture(FREE, battery=full, inverter=InverterReading(FREE, 1.0, False)),
            True,
        ),
        "at the limit": (picture(FREE, inverter=InverterReading(FREE, 9.9, True)), True),
    }
    for name, (seen, curtailed) in cases.items():
        stage = gateway()
        stage.tell(seen)
        assert stage.last(PV, PvSample).curtailed is curtailed, name


def test_what_was_read_goes_into_the_history_and_nothing_else():
    stage = gateway()
    stage.tell(picture(FREE, on=True))
    rows = {series: value for series, _, value in stage.last(HISTORY, Samples).rows}
    assert rows == {
        "temp_c.living": 21.0, "temp_c.kitchen": 21.0, "temp_c.bath": 21.0,
        "relay.living": 1.0, "relay.bath": 1.0, "outdoor_c": -3.0, "grid_kw": 1.0,
        "load_kw": 4.0, "pv_kw": 2.0, "soc_frac": 0.5, "battery_kw": 1.0,
    }  # fmt: skip
    stage.tell(HouseReading(FREE + 60.0))
    assert stage.last(HISTORY, Samples).rows == ()


def test_a_half_blind_picture_tells_what_there_is():
    stage = gateway()
    stage.tell(
        picture(
            FREE,
            battery=BatteryReading(FREE, None, None),
            inverter=InverterReading(FREE, None),
            meter=MeterReading(FREE, None),
            outdoor=OutdoorReading(FREE, None),
        )
    )
    rows = {series for series, _, _ in stage.last(HISTORY, Samples).rows}
    assert not rows & {"soc_frac", "battery_kw", "pv_kw", "grid_kw", "outdoor_c"}
    assert not stage.all_heard(PV, PvSample)


def test_a_successor_knows_the_outdoor_temperature():
    stage = gateway()
    stage.tell(picture(FREE))
    stage.crash()
    stage.tell(picture(FREE + 60.0, outdoor=None))
    assert stage.last("rooms/bath", RoomTick).outdoor.temp_c == -3.0


def test_an_unknown_message_is_counted():
    stage = gateway(start_s=NOON)
    stage.tell("what is this?")
    assert stage.system.counters()["unexpected"] == 1


NAN = float("nan")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"meter": MeterReading(FREE, NAN, NAN, (NAN, NAN, NAN))}, "meter"),
        ({"meter": MeterReading(FREE, 1.0, 4.0, (0.5, 1e9, 0.2))}, "meter"),
        ({"battery": BatteryReading(FREE, 7.0, NAN)}, "battery"),
        ({"inverter": InverterReading(FREE, float("inf"))}, "inverter"),
    ],
)
def test_nonsense_of_a_device_is_unknown_to_everybody_and_named(more, named):
    stage = gateway()
    stage.tell(picture(FREE, **more))
    tick = stage.last(POWER_BUDGET, EnergyTick)
    part = getattr(tick, named)
    figures = {"meter": "grid_kw", "battery": "soc_frac", "inverter": "pv_kw"}
    assert getattr(part, figures[named]) is None
    assert (stage.status.state, stage.status.reason) == ("degraded", f"not believed: {named}")
    stage.tell(picture(FREE + 60.0))
    assert stage.status.state == "running"


@pytest.mark.parametrize("temp_c", [85.0, -40.0, NAN])
def test_an_absurd_thermometer_is_silent_to_the_room_and_to_the_guard(temp_c):
    stage = gateway()
    seen = picture(FREE)
    bath = RoomReading("bath", FREE, temp_c, True, floor_c=200.0)
    stage.tell(replace(seen, rooms=(*seen.rooms[:2], bath)))
    reading = stage.last("rooms/bath", RoomTick).reading
    assert (reading.temp_c, reading.floor_c, reading.relay_on) == (None, None, True)
    assert stage.last(GUARD, HouseReading).rooms[2].temp_c is None
    assert stage.status.reason == "not believed: bath"
