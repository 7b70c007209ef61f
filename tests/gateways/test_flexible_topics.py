"""Flexible loads over MQTT: orders out, readings in, whatever comes."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.commands import SetLoad
from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind, LoadReading
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading
from pems_actors.gateways import flexible_topics as topics
from pems_actors.gateways.mqtt_picture import MqttPicture, topics_of
from pems_actors.gateways.twin_voice import TwinVoice
from pems_actors.gateways.wire import Rejected
from tests.actors.kit import HOUSE

NOW = 1_768_500_000.0
ORDER = SetLoad("car", False, "over the breaker", Level.RULES, NOW, NOW + 900.0)


def payload(message) -> bytes:
    body = message.payload
    return body if isinstance(body, bytes) else str(body).encode()


def test_an_order_is_read_as_it_was_written_and_is_never_retained():
    message = topics.order_message(ORDER)
    assert message.topic == "pems/load/car/set"
    assert not message.retain
    read = topics.read_order(message.topic, payload(message), retained=False, now_s=NOW)
    assert read == ORDER


@pytest.mark.parametrize(
    ("change", "retained"),
    [
        ({}, True),
        ({"state": "maybe"}, False),
        ({"load": "boiler"}, False),
        ({"lease_until": None}, False),
        ({"lease_until": "2020-01-01T00:00:00Z"}, False),
    ],
)
def test_orders_that_are_retained_late_or_of_another_load_do_not_count(change, retained):
    message = topics.order_message(ORDER)
    body = json.loads(payload(message)) | change
    read = topics.read_order(message.topic, json.dumps(body).encode(), retained=retained, now_s=NOW)
    assert isinstance(read, Rejected)


@given(
    st.floats(0.0, 11.0) | st.none(), st.booleans() | st.none(), st.floats(0.0, 90.0) | st.none()
)
def test_a_status_is_read_as_it_was_said_and_what_is_missing_stays_unknown(kw, ready, temp_c):
    said = LoadReading("car", NOW, kw, ready, temp_c)
    message = topics.status_message(said)
    read = topics.read_status(message.topic, payload(message), retained=True, now_s=NOW)
    assert read == said


def test_a_retained_status_without_a_time_tells_nothing_about_now():
    read = topics.read_status(
        "loxone/load/car/status", b'{"power": 11.0}', retained=True, now_s=NOW
    )
    assert isinstance(read, Rejected)


@given(st.text(max_size=40), st.binary(max_size=60), st.booleans())
def test_whatever_comes_is_a_reading_or_a_reason(topic, body, retained):
    for each in (topic, f"loxone/load/{topic}/status", f"pems/load/{topic}/set"):
        status = topics.read_status(each, body, retained=retained, now_s=NOW)
        assert isinstance(status, LoadReading | Rejected)
        order = topics.read_order(each, body, retained=retained, now_s=NOW)
        assert isinstance(order, SetLoad | Rejected)


CAR = FlexibleLoad("car", LoadKind.CAR, 11.0)
WITH_CAR = replace(HOUSE, loads=(CAR,))


class Plant:
    """A house that is nothing but a car at its charger."""

    def __init__(self) -> None:
        self.orders: list[object] = []

    def step_to(self, at_s: float) -> None:
        """Time changes nothing here."""

    def apply(self, command: object) -> None:
        self.orders.append(command)

    def reading(self) -> HouseReading:
        held = any(isinstance(c, SetLoad) and not c.on for c in self.orders)
        return HouseReading(NOW, loads=(LoadReading("car", NOW, 0.0 if held else 11.0, True),))


def test_the_simulated_house_hears_an_order_over_mqtt_and_the_picture_shows_it():
    plant, picture = Plant(), MqttPicture(WITH_CAR)
    voice = TwinVoice.of(WITH_CAR, plant, NOW)
    assert topics.order_topic("+") in voice.subscriptions
    assert topics.status_topic("+") in topics_of(WITH_CAR)
    assert topics.status_topic("+") not in topics_of(HOUSE)
    order = topics.order_message(ORDER)
    [answer] = voice.hear(order.topic, payload(order), retained=False, at_s=NOW)
    assert isinstance(plant.orders[-1], SetLoad)
    assert picture.hear(answer.topic, payload(answer), retained=True, now_s=NOW)
    assert picture.reading(NOW + 60.0, known=voice.inverter.held).loads[0].power_kw == 0.0
    assert picture.reading(NOW + 600.0, known=voice.inverter.held).loads == ()


def test_a_load_that_the_house_does_not_have_is_neither_heard_nor_told():
    plant, picture = Plant(), MqttPicture(WITH_CAR)
    voice = TwinVoice.of(WITH_CAR, plant, NOW)
    order = topics.order_message(ORDER._replace(load="sauna"))
    before = len(plant.orders)
    assert voice.hear(order.topic, payload(order), retained=False, at_s=NOW) == ()
    assert not [c for c in plant.orders[before:] if isinstance(c, SetLoad)]
    status = topics.status_message(LoadReading("sauna", NOW, 1.0))
    assert not picture.hear(status.topic, payload(status), retained=False, now_s=NOW)
