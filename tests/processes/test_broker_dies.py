"""A broker that is killed and comes back with an empty memory is told everything again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from pems_actors.bench.live_house import LiveHouse
from tests.gateways.brokers import RealBroker
from tests.processes.houses import Houses, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.broker,
    pytest.mark.xdist_group("processes"),
    pytest.mark.timeout(150),
]
RIGHT_WITHIN_S = 10.0
QUIET_S = 0.4
PREFIX = "pems/"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path)
    yield made
    made.kill()


def retained(port: int) -> dict[str, bytes]:
    """Give what a newcomer is told at once, a plan of 100 kB too."""
    heard: dict[str, bytes] = {}
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe(f"{PREFIX}#", qos=1)
    client.on_message = lambda _c, _d, m: heard.update({m.topic: m.payload} if m.retain else {})
    client.connect("127.0.0.1", port)
    quiet_since_s, known = time.monotonic(), 0
    while time.monotonic() - quiet_since_s < QUIET_S:
        client.loop(0.05)
        if len(heard) != known:
            quiet_since_s, known = time.monotonic(), len(heard)
    client.disconnect()
    client._reset_sockets()
    return heard


def is_right(house: LiveHouse, port: int, topics: set[str]) -> bool:
    """Tell if all topics are there, and each device's state is the one that the house shows."""
    status, there = house.ask("status"), retained(port)
    if status is None or not topics <= set(there) or there[f"{PREFIX}status"] != b"online":
        return False
    return all(
        json.loads(there[f"{PREFIX}state/{path}"])["at"] == state["at"]
        for path, state in status["devices"].items()
    )


def outage(houses: Houses, broker: RealBroker, seconds: float) -> float:
    """Take a running house's broker away for so long; gives when all is right again."""
    env = {"MQTT_BROKER": "127.0.0.1", "MQTT_PORT": str(broker.port)}
    house = houses.start(env=env, up="first plan in force")
    wait_for(lambda: is_right(house, broker.port, {f"{PREFIX}plan"}), "a house that tells all")
    topics = set(retained(broker.port))
    broker.kill()
    time.sleep(seconds)  # the outage itself
    assert house.ask("status") is not None
    broker.start()
    took_s = wait_for(lambda: is_right(house, broker.port, topics), "what is retained")
    house.stop()
    return took_s


def test_all_that_is_retained_is_right_again_soon_after_the_broker_is(
    houses: Houses, broker: RealBroker
) -> None:
    assert outage(houses, broker, 3.0) < RIGHT_WITHIN_S


@pytest.mark.long
def test_all_that_is_retained_is_right_again_after_half_a_minute_without_a_broker(
    houses: Houses, broker: RealBroker
) -> None:
    assert outage(houses, broker, 30.0) < RIGHT_WITHIN_S
