"""The promises of a connection to a broker, kept by the real one and by the one in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.wire import Message
from tests.gateways.brokers import RealBroker, wait


class Line(Protocol):
    """A connection with its broker, which can be taken away and given back empty."""

    link: MemoryMqtt | MqttClient

    def heard(self) -> dict[str, str]: ...
    def takes_away(self) -> None: ...
    def gives_back(self) -> None: ...
    def close(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.link = MemoryMqtt()

    def heard(self) -> dict[str, str]:
        return {topic: message.payload for topic, message in self.link.newest.items()}

    def takes_away(self) -> None:
        self.link.up = False

    def gives_back(self) -> None:
        self.link.forget()
        self.link.up = True

    def close(self) -> None:
        self.link.close()


class Real:
    def __init__(self, folder: Path) -> None:
        self.broker = RealBroker(folder)
        self.newest: dict[str, str] = {}
        self.link, self.ear = self._client("mouth"), self._client("ear", "state/#", "event/#")
        self._join()

    def _client(self, name: str, *topics: str) -> MqttClient:
        settings = MqttSettings(
            port=self.broker.port, client_id=name, status_topic=f"{name}/status"
        )
        client = MqttClient(settings, topics, self._hear)
        client.start()
        return client

    def _join(self) -> None:
        wait(lambda: self.link.connected() and self.ear.connected(), "connection")

    def _hear(self, message: Incoming) -> None:
        self.newest[message.topic] = message.payload.decode()

    def heard(self) -> dict[str, str]:
        return self.newest

    def takes_away(self) -> None:
        self.ear.close()
        self.broker.kill()
        wait(lambda: not self.link.connected(), "loss")

    def gives_back(self) -> None:
        self.newest.clear()
        self.broker.start()
        self.ear = self._client("ear", "state/#", "event/#")
        wait(self.ear.connected)
        self._join()

    def close(self) -> None:
        self.ear.close()
        self.link.close()
        self.broker.kill()


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.broker)])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    made: Line = InMemory() if request.param == "memory" else Real(tmp_path)
    yield made
    made.close()


def test_what_is_published_is_heard(line: Line) -> None:
    assert line.link.connected()
    assert line.link.publish(Message("event/a", "1"), keep=False)
    wait(lambda: line.heard().get("event/a") == "1")


def test_a_broker_that_comes_back_empty_is_told_the_newest_of_every_retained_topic(
    line: Line,
) -> None:
    for value in ("1", "2"):
        assert line.link.publish(Message("state/a", value, retain=True))
        assert line.link.publish(Message("state/b", value, retain=True))
    line.takes_away()
    assert not line.link.connected()
    for value in ("3", "4"):
        assert line.link.publish(Message("state/a", value, retain=True), keep=False)
    line.gives_back()
    wait(lambda: line.heard() == {"state/a": "4", "state/b": "2"})


def test_without_a_broker_events_wait_and_orders_are_dropped_and_counted(line: Line) -> None:
    line.takes_away()
    assert line.link.publish(Message("event/a", "happened"))
    assert not line.link.publish(Message("event/b", "do this"), keep=False)
    line.gives_back()
    wait(lambda: line.heard().get("event/a") == "happened")
    assert "event/b" not in line.heard()
    assert line.link.counters["dropped_out"] == 1


def test_a_link_without_a_broker_keeps_so_many_events_and_counts_the_others(line: Line) -> None:
    line.takes_away()
    for number in range(1003):
        line.link.publish(Message(f"event/{number}", "x"))
    assert line.link.counters["dropped_out"] == 3
    line.gives_back()
    wait(lambda: len(line.heard()) == 1000)
    assert "event/2" not in line.heard()
