"""The guard at its post: orders first, then its own hand, and the lease goes back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.actors.base import GUARD, MQTT
from pems_actors.actors.guard import GuardActor, all_well
from pems_actors.control.guard import OUTLOOK_LIFE_S, Guard
from pems_actors.domain.events import FrostOutlook, GuardOrder
from pems_actors.domain.readings import HouseReading, MeterReading, RoomReading
from pems_actors.domain.states import DeviceState
from supervision import Fault, FaultKind
from supervision.events import LateEffect
from tests.actors.kit import HOUSE, NOON, Stage

QUIET_METER = (0.2, 0.2, 0.2)


def guard() -> Stage:
    stage = Stage(GUARD, lambda c, w: GuardActor(c, HOUSE, w))
    for relay in HOUSE.relays:
        stage.system.gate.grant(f"relay/{relay.name}", f"rooms/{relay.name}")
    return stage


def looks(
    stage: Stage,
    count: int,
    temp_c: float = 21.0,
    *,
    on: bool = False,
    phase_kw: tuple[float, float, float] | None = QUIET_METER,
) -> None:
    for _ in range(count):
        stage.run(60.0)
        at_s = stage.now_s
        rooms = tuple(RoomReading(r.name, at_s, temp_c, on) for r in HOUSE.relays)
        meter = None if phase_kw is None else MeterReading(at_s, sum(phase_kw), None, phase_kw)
        stage.tell(HouseReading(at_s, rooms, meter=meter))


def test_a_warm_house_is_left_alone():
    stage = guard()
    looks(stage, 10)
    assert not stage.commands
    assert not stage.all_heard("rooms/living", GuardOrder)
    assert [s.reason for s in stage.all_heard(MQTT, DeviceState)] == ["all is well"]


def test_frost_is_first_an_order_to_the_owner():
    stage = guard()
    looks(stage, 3, 6.5)
    [first, _] = stage.all_heard("rooms/living", GuardOrder)
    assert first.on is True
    assert not stage.commands
    assert stage.status.state == "degraded"
    assert "near frost" in stage.last(MQTT, DeviceState).reason


def test_when_nobody_obeys_it_switches_itself_and_gives_the_lease_back():
    stage = guard()
    looks(stage, 4, 6.5)
    [command] = stage.commands
    assert command.on is True
    assert stage.system.gate.holder(f"relay/{command.relay}") == f"rooms/{command.relay}"


def test_it_starts_one_relay_at_a_time():
    stage = guard()
    looks(stage, 4, 6.5)
    looks(stage, 1, 6.5)
    assert len({c.at_s for c in stage.commands}) == len(stage.commands) == 2


def test_it_starts_nothing_that_the_breaker_would_not_bear():
    stage = guard()
    looks(stage, 6, 6.5, phase_kw=(5.7, 5.7, 5.7))
    assert not stage.commands
    assert stage.all_heard("rooms/living", GuardOrder)


def test_without_a_meter_it_counts_on_the_usual_load():
    house = replace(HOUSE, limits=replace(HOUSE.limits, base_load_p95_kw=5.0))
    stage = Stage(GUARD, lambda c, w: GuardActor(c, house, w))
    looks(stage, 4, 6.5, phase_kw=None)
    assert [c.relay for c in stage.commands] == []
    looks(stage, 4, 28.0, on=True, phase_kw=None)
    assert {c.on for c in stage.commands} == {False}


def test_too_warm_rooms_are_all_switched_off_at_once():
    stage = guard()
    looks(stage, 4, 28.0, on=True)
    assert [(c.relay, c.on) for c in stage.commands] == [("living", False), ("bath", False)]


def test_a_frost_outlook_is_enough_but_an_old_one_is_forgotten():
    stage = guard()
    stage.tell(FrostOutlook(NOON, {"bath": 7.0}))
    looks(stage, 2, 12.5)
    assert "would fall under" in stage.last("rooms/bath", GuardOrder).reason
    stage.forget()
    stage.run(OUTLOOK_LIFE_S)
    looks(stage, 4, 12.5)
    assert not stage.all_heard("rooms/bath", GuardOrder)


def test_alarms_are_published_and_end():
    stage = guard()
    looks(stage, 1, 14.0)
    assert dict(stage.last(MQTT, DeviceState).values)["alarms"].value == 2
    looks(stage, 1, 21.0)
    assert stage.last(MQTT, DeviceState).reason == "all is well"
    assert stage.status.state == "running"


def test_a_successor_goes_on_counting():
    stage = guard()
    looks(stage, 3, 6.5)
    stage.crash()
    looks(stage, 1, 6.5)
    assert len(stage.commands) == 1


def test_nobody_is_left_without_a_lease_by_a_hung_guard():
    stage = guard()
    looks(stage, 3, 6.5)
    stage.system.inject(GUARD, Fault(FaultKind.HANG, at_message=1, seconds=30.0))
    looks(stage, 2, 6.5)
    assert stage.told(LateEffect)
    assert stage.system.gate.holder("relay/living") == "rooms/living"


def test_an_unknown_message_is_counted():
    stage = guard()
    stage.tell("what is this?")
    assert stage.system.counters()["unexpected"] == 1


TEMPS = st.none() | st.floats(4.0, 30.0)


@given(TEMPS, TEMPS, st.none() | st.floats(20.0, 35.0), st.booleans(), st.booleans())
def test_what_seems_well_at_a_glance_is_well_on_a_close_look(living_c, bath_c, floor_c, on, off):
    rooms = (
        RoomReading("living", NOON, living_c, on),
        RoomReading("bath", NOON, bath_c, off, floor_c),
    )
    reading = HouseReading(NOON, rooms, heating_blocked=off)
    guard = Guard(HOUSE)
    if all_well(guard, reading):
        assert guard.look(reading) == (guard, (), ())


def test_a_guard_that_has_seen_a_danger_or_expects_one_looks_closely():
    reading = HouseReading(NOON, (RoomReading("living", NOON, 21.0, False),))
    assert all_well(Guard(HOUSE), reading)
    assert not all_well(Guard(HOUSE, alarms=("bath at 14.0 °C",)), reading)
    assert not all_well(Guard(HOUSE, outlook_c={"living": 7.0}), reading)
    assert not all_well(Guard(HOUSE), HouseReading(NOON))
