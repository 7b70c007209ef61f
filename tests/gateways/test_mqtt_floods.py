"""Strangers, slow brokers and brokers that come and go: the connection holds, the last word too."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.wire import Message
from supervision import Fault
from tests.gateways.brokers import PATIENCE_S, RealBroker, wait
from tests.gateways.live import Live, Person
from tests.gateways.test_codec_floods import resident_mb

pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("mqtt-floods")]
FLOOD = 10_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path, "max_queued_messages 20000\n")
    yield made
    made.kill()


@pytest.fixture
def live(broker: RealBroker) -> Iterator[Live]:
    made = Live(broker.port)
    yield made
    made.stop()


@pytest.fixture
def person(broker: RealBroker) -> Iterator[Person]:
    made = Person(broker.port)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_ten_thousand_broken_orders_do_not_keep_a_good_one_waiting(
    live: Live, person: Person, broker: RealBroker
) -> None:
    assert person.order("rooms/bath", "boost")["outcome"] == "done"
    before_mb, door = resident_mb(), live.house.door.counters
    argv = [sys.executable, "-m", "tests.gateways.flood_program", str(broker.port), str(FLOOD), "1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "begins\n"
        answers = []
        while stranger.poll() is None:
            answers.append(person.order("rooms/bath", "override", temp_c=22.0))
        assert stranger.stdout.readline() == "sent\n"
    counters = live.client.counters
    wait(lambda: counters["received"] + counters["oversize"] >= FLOOD, "the whole flood")
    assert len(answers) > 1
    assert {answer["outcome"] for answer in answers} == {"done"}
    assert statistics.median(answer["took_s"] for answer in answers) < 2.0
    assert counters["oversize"] >= FLOOD // 100
    assert door["orders_refused"] > 0.8 * FLOOD
    assert (counters["disconnects"], counters["dropped_in"]) == (0, 0)
    assert live.client.alive()
    assert resident_mb() - before_mb < 20.0
    assert live.house.system.counters()["crashes"] == 0


def test_orders_left_retained_are_not_obeyed_by_who_comes_later(broker: RealBroker) -> None:
    early = Person(broker.port, "early")
    for mode in ("away", "emergency"):
        order = json.dumps({"id": mode, "verb": "mode", "args": {"mode": mode}})
        early.client.publish(Message("pems/control/house", order, retain=True))
    wait(lambda: early.client.counters["sent"] >= 1)
    live = Live(broker.port)
    try:
        wait(lambda: live.house.door.counters["orders_refused"] >= 1, "the retained order")
        assert early.order("rooms/bath", "boost")["outcome"] == "done"
        assert live.house.door.counters["orders_taken"] == 1
    finally:
        live.stop()
        early.close()


def outlive_a_silent_client(port: int, keepalive_s: int) -> None:
    """Wait until the broker has thrown out somebody who came now and says nothing more."""
    body = b"\0\4MQTT\4\2" + keepalive_s.to_bytes(2) + b"\0\6silent"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as silent:
        silent.sendall(bytes([0x10, len(body)]) + body)
        assert len(silent.recv(4)) == 4
        assert silent.recv(1) == b""


def test_a_handler_that_sleeps_loses_neither_the_connection_nor_the_news(
    broker: RealBroker,
) -> None:
    awake, heard = threading.Event(), []

    def sleepy(message: Incoming) -> None:
        awake.wait(PATIENCE_S)
        heard.append(message.payload)

    settings = MqttSettings(port=broker.port, client_id="sleepy", status_topic="sleepy/status",
                            keepalive_s=4)  # fmt: skip
    client, mouth = MqttClient(settings, ("news",), sleepy), Person(broker.port, "mouth")
    client.start()
    wait(client.connected)
    for number in range(100):
        mouth.client.publish(Message("news", str(number)))
    outlive_a_silent_client(broker.port, keepalive_s=4)
    assert client.connected()
    assert client.counters["disconnects"] == 0
    awake.set()
    wait(lambda: len(heard) == 100, "all news")
    assert heard == [str(number).encode() for number in range(100)]
    client.close()
    mouth.close()


class States:
    """A client that tells how things are, and an ear that remembers what the broker keeps."""

    def __init__(self, port: int, **changes: int) -> None:
        settings = MqttSettings(
            port=port, client_id="states", status_topic="states/status", **changes
        )  # type: ignore[arg-type]  # all are numbers
        self.client = MqttClient(settings, (), lambda _: None)
        self.client.start()
        wait(self.client.connected)

    def tell(self, round_: int, topics: int = 50) -> None:
        for k in range(topics):
            self.client.publish(Message(f"states/{k}", str(round_), retain=True))


def kept_by(broker: RealBroker, topics: int = 50) -> set[str]:
    """What a newcomer is told of all topics."""
    heard: dict[str, str] = {}

    def hear(message: Incoming) -> None:
        heard[message.topic] = message.payload.decode()

    settings = MqttSettings(port=broker.port, client_id="newcomer", status_topic="newcomer/status")
    ear = MqttClient(settings, ("states/+",), hear)
    ear.start()
    wait(lambda: len(heard.keys() - {"states/status"}) >= topics, "all topics")
    ear.close()
    return {payload for topic, payload in heard.items() if topic != "states/status"}


def test_a_broker_that_stands_still_gets_the_newest_of_everything_when_it_goes_on(
    broker: RealBroker,
) -> None:
    states = States(broker.port, keepalive_s=1, outbox=10)
    states.tell(0)
    broker.pause()
    for round_ in range(1, 40):
        states.tell(round_)
    wait(lambda: not states.client.connected(), "loss of the link")
    states.tell(40)
    broker.go_on()
    began_s = time.monotonic()
    wait(states.client.connected, "connection")
    wait(lambda: kept_by(broker) == {"40"}, "the newest of everything")
    assert time.monotonic() - began_s < 10.0
    assert states.client.alive()
    states.client.close()


@pytest.mark.slow
def test_a_broker_that_comes_and_goes_ends_with_the_newest_of_everything(
    broker: RealBroker,
) -> None:
    states = States(broker.port)
    for round_ in range(3):
        states.tell(round_)
        broker.kill()
        wait(lambda: not states.client.connected())
        states.tell(100 + round_)
        broker.start()
    began_s = time.monotonic()
    wait(lambda: states.client.connected() and kept_by(broker) == {"102"}, "the newest")
    assert time.monotonic() - began_s < 10.0
    states.client.close()


def test_a_flood_of_events_pushes_no_state_aside(broker: RealBroker) -> None:
    states = States(broker.port, outbox=5)
    for round_ in range(20):
        states.tell(round_)
        for k in range(200):
            states.client.publish(Message(f"event/{k}", "happened"))
    wait(lambda: kept_by(broker) == {"19"}, "the newest of everything")
    assert states.client.counters["dropped_out"] > 0
    states.client.close()


def test_an_order_to_a_device_is_not_delivered_after_an_absence(broker: RealBroker) -> None:
    mouth = States(broker.port, keepalive_s=1)
    broker.pause()
    for k in range(5):  # under way when the link is lost, unacknowledged
        mouth.client.publish(Message(f"device/{k}", "on"), keep=False)
    mouth.client.publish(Message("device/event", "happened"))
    wait(lambda: not mouth.client.connected(), "loss of the link")
    broker.kill()
    broker.start()
    ear = Person(broker.port, "device")
    wait(lambda: "device/event" in ear.newest, "what may be late")
    wait(mouth.client.connected)
    assert not [topic for topic in ear.newest if topic[-1].isdigit()]
    assert mouth.client.counters["dropped_out"] == 5
    mouth.client.close()
    ear.close()


@pytest.mark.slow
def test_a_broker_that_was_killed_and_restarted_empty_knows_the_house_within_ten_seconds(
    live: Live, person: Person, broker: RealBroker
) -> None:
    assert person.order("house", "mode", mode="away")["outcome"] == "done"
    live.house.system.inject("rooms/bath", Fault.named("crash"))
    wait(lambda: b'"restarts":1' in person.newest.get("pems/supervisor/rooms/bath", b""))
    broker.kill()
    wait(lambda: not live.client.connected())
    before = live.house.system.counters()
    live.house.system.inject("rooms/bath", Fault.named("crash"))
    wait(lambda: live.house.system.counters()["restarts"] == before["restarts"] + 1)
    broker.start()
    began_s = time.monotonic()
    fresh = Person(broker.port, "fresh")
    wait(lambda: b'"restarts":2' in fresh.newest.get("pems/supervisor/rooms/bath", b""), "news")
    wait(lambda: fresh.newest.get("pems/status") == b"online", "birth")
    assert time.monotonic() - began_s < 10.0
    assert fresh.order("rooms/bath", "boost")["outcome"] == "done"
    fresh.close()
