"""The picture of the house is made of the newest values, each with its own age."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.readings import HouseReading, OutdoorReading, RoomReading
from pems_actors.gateways import loxone
from pems_actors.gateways.growatt import Growatt
from pems_actors.gateways.growatt_registers import TELEMETRY, Registers
from pems_actors.gateways.growatt_twin import FACTORY, Counters, telemetry
from pems_actors.gateways.loxone import RelayStatus
from pems_actors.gateways.mqtt_picture import TOPICS, MqttPicture
from pems_actors.gateways.wire import json_text
from tests.gateways.houses import NOW_S, reading, two_rooms


def picture() -> MqttPicture:
    return MqttPicture(two_rooms())


def hear_all(heard: MqttPicture, said: HouseReading, now_s: float) -> None:
    status = loxone.status_message(said)
    heard.hear(status.topic, status.payload.encode(), retained=False, now_s=now_s)
    solar = json_text(telemetry(said, Counters(), Growatt()))
    heard.hear(TELEMETRY, solar.encode(), retained=False, now_s=now_s)
    heard.hear(loxone.OUTDOOR, b"-3.25", retained=False, now_s=now_s)


def room(seen: HouseReading, name: str) -> RoomReading:
    return next(room for room in seen.rooms if room.room == name)


def test_what_the_house_says_is_what_is_read() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    assert heard.reading(NOW_S, FACTORY) == reading()


def test_while_registers_are_being_written_the_mode_of_the_battery_is_unknown() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    seen = heard.reading(NOW_S, FACTORY, settling=True)
    assert seen.battery is not None
    assert (seen.battery.mode, seen.battery.soc_frac) == (None, reading().battery.soc_frac)


def test_a_house_that_says_nothing_gives_an_empty_picture() -> None:
    assert picture().reading(NOW_S, Registers()) == HouseReading(NOW_S)


def test_an_unread_inverter_has_no_known_mode_and_no_known_export_switch() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    seen = heard.reading(NOW_S, Registers())
    assert seen.battery is not None
    assert seen.inverter is not None
    assert seen.battery.mode is None
    assert seen.inverter.export_allowed is None
    assert seen.battery.soc_frac == 0.56


def test_each_value_keeps_its_own_age() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    later_s = NOW_S + 120.0
    solar = json_text(telemetry(reading(later_s), Counters(), Growatt()))
    heard.hear(TELEMETRY, solar.encode(), retained=False, now_s=later_s)
    seen = heard.reading(later_s, FACTORY)
    assert seen.battery is not None
    assert seen.battery.at_s == later_s
    assert room(seen, "obyvak").at_s == NOW_S
    assert seen.outdoor == OutdoorReading(NOW_S, -3.25, 120.0)


def test_a_sensor_that_falls_silent_is_unknown_and_not_its_last_value() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    later_s = NOW_S + 60.0
    silent = replace(reading(later_s), rooms=(RoomReading("obyvak", later_s, None, relay_on=True),))
    hear_all(heard, silent, later_s)
    assert room(heard.reading(later_s, FACTORY), "obyvak").temp_c is None
    assert room(heard.reading(later_s, FACTORY), "kuchyne").temp_c == 21.1


def test_a_retained_status_of_yesterday_is_yesterday_s_value() -> None:
    heard = picture()
    status = loxone.status_message(reading(NOW_S - 86400.0))
    heard.hear(status.topic, status.payload.encode(), retained=True, now_s=NOW_S)
    seen = heard.reading(NOW_S, FACTORY)
    assert room(seen, "obyvak").at_s == NOW_S - 86400.0
    assert room(seen, "obyvak").relay_on is None
    assert seen.heating_blocked is None


def test_retained_telemetry_tells_nothing_about_now() -> None:
    heard = picture()
    assert not heard.hear(TELEMETRY, b'{"SOC": 50}', retained=True, now_s=NOW_S)
    assert not heard.hear(loxone.OUTDOOR, b"5.0", retained=True, now_s=NOW_S)
    assert heard.reading(NOW_S, FACTORY).battery is None
    assert heard.counters["refused"] == 2


def test_a_sender_whose_clock_runs_far_ahead_is_taken_at_its_arrival() -> None:
    heard = picture()
    status = loxone.status_message(reading(NOW_S + 86400.0))
    heard.hear(status.topic, status.payload.encode(), retained=False, now_s=NOW_S)
    assert room(heard.reading(NOW_S, FACTORY), "obyvak").at_s == NOW_S


def test_a_relay_is_confirmed_before_the_next_status() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    status = loxone.relay_status_message(RelayStatus("obyvak", False, NOW_S + 5.0), NOW_S + 5.0)
    heard.hear(status.topic, status.payload.encode(), retained=False, now_s=NOW_S + 5.0)
    seen = heard.reading(NOW_S + 6.0, FACTORY)
    assert room(seen, "obyvak").relay_on is False
    assert room(seen, "kuchyne").relay_on is False


def test_a_late_message_does_not_overtake_a_newer_one() -> None:
    heard = picture()
    hear_all(heard, reading(NOW_S), NOW_S)
    old = loxone.relay_status_message(RelayStatus("obyvak", False, NOW_S - 60.0), NOW_S - 60.0)
    heard.hear(old.topic, old.payload.encode(), retained=False, now_s=NOW_S + 1.0)
    assert room(heard.reading(NOW_S + 1.0, FACTORY), "obyvak").relay_on is True


def test_old_contacts_and_phases_are_unknown() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    seen = heard.reading(NOW_S + 3600.0, FACTORY)
    assert seen.heating_blocked is None
    assert room(seen, "obyvak").relay_on is None
    assert seen.meter is not None
    assert seen.meter.phase_kw is None


def test_a_state_of_charge_outside_0_to_100_is_unknown() -> None:
    heard = picture()
    heard.hear(TELEMETRY, b'{"SOC": 255, "ChargePower": 0}', retained=False, now_s=NOW_S)
    seen = heard.reading(NOW_S, FACTORY)
    assert seen.battery is not None
    assert (seen.battery.soc_frac, seen.battery.power_kw) == (None, None)


def test_a_slot_shows_as_the_battery_s_mode() -> None:
    heard = picture()
    hear_all(heard, reading(), NOW_S)
    from pems_actors.gateways.growatt_registers import OFF, Slot

    held = Registers(OFF, 10, 25, False, Slot(0, 1439, True), 10, 25, True)
    seen = heard.reading(NOW_S, held)
    assert seen.battery is not None
    assert seen.battery.mode is BatteryMode.SELL


@settings(max_examples=300, deadline=None)
@given(
    topic=st.sampled_from([t.replace("+", "obyvak") for t in TOPICS]) | st.text(max_size=20),
    payload=st.binary(max_size=80)
    | st.sampled_from([b'{"temperature":{"temperature_obyvak":{"value":1e400}}}', b"[]", b"{}"]),
    retained=st.booleans(),
)
def test_no_message_can_make_the_picture_fail(
    topic: str,
    payload: bytes,
    retained: bool,
) -> None:
    heard = picture()
    heard.hear(topic, payload, retained=retained, now_s=NOW_S)
    assert heard.reading(NOW_S, FACTORY).at_s == NOW_S
