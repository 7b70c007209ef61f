"""A whole small appliance on real threads with a real connection, for the gateways' tests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pems_actors.appliance import Appliance
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message
from pems_actors.simulation.scenario import Scenario
from pems_actors.surroundings import Pace, Surroundings
from supervision import HouseClock, SupervisorSpec, ThreadRuntime
from tests.actors.kit import HOUSE, NOON, Doors
from tests.gateways.brokers import PATIENCE_S, wait


class LiveHouse(Appliance):
    """Rules only and without forecasts, so that no worker process is needed."""

    def _forecasting(self) -> SupervisorSpec:
        return SupervisorSpec("forecasting")


class Live:
    """The appliance, its connection, and a person with another one."""

    def __init__(self, port: int, *, heartbeat_s: float = 0.5, **changes: Any) -> None:
        self.doors = Doors()
        self.settings = replace(MqttSettings(port=port, client_id="pems-core"), **changes)
        scenario = Scenario.reference(HOUSE, NOON, 2.0)
        self.surroundings = Surroundings(
            self.doors, scenario, scenario, MemoryHistory(), self._connect
        )
        pace = Pace(heartbeat_s=heartbeat_s, planning=False)
        runtime = ThreadRuntime(HouseClock.starting_at(NOON))
        self.house = LiveHouse(HOUSE, Tariff(), self.surroundings, pace, runtime, drills=True)
        self.house.start()
        wait(self.client.connected, "connection")

    def _connect(self, on_message: Callable[[Incoming], None]) -> MqttClient:
        self.client = MqttClient(self.settings, (Topics().control,), on_message)
        return self.client

    def stop(self) -> None:
        self.house.stop()


class Person:
    """Somebody who orders, and hears everything that the house says."""

    def __init__(self, port: int, name: str = "person") -> None:
        self.newest: dict[str, bytes] = {}
        self.told: list[Incoming] = []
        self._came = threading.Condition()
        settings = MqttSettings(port=port, client_id=name, status_topic=f"{name}/status")
        topics = (f"{name}/#", "pems/state/#", "pems/supervisor/#", "pems/reply/#", "pems/status",
                  "pems/alarm", "pems/incident")  # fmt: skip
        self.client = MqttClient(settings, topics, self._hear)
        self.client.start()
        wait(self.client.connected, "connection")
        self.name, self.serial = name, 0

    def _hear(self, message: Incoming) -> None:
        with self._came:
            self.newest[message.topic] = message.payload
            self.told.append(message)
            self._came.notify_all()

    def order(
        self, path: str, verb: str, within_s: float = PATIENCE_S, **args: Any
    ) -> dict[str, Any]:
        """Order something and give the final answer; `took_s` tells how long that took."""
        self.serial += 1
        topic, began_s = f"{self.name}/{self.serial}", time.monotonic()
        body = {"id": f"{self.name}-{self.serial}", "verb": verb, "args": args, "reply_to": topic}
        self.client.publish(Message(f"pems/control/{path}", json.dumps(body)))
        with self._came:
            answered = self._came.wait_for(lambda: self._final(topic) is not None, within_s)
        assert answered, f"no answer to {verb} within {within_s} s"
        return {**(self._final(topic) or {}), "took_s": time.monotonic() - began_s}

    def _final(self, topic: str) -> dict[str, Any] | None:
        answer = json.loads(self.newest.get(topic, b"{}"))
        return answer if answer.get("outcome") not in {None, "accepted"} else None

    def close(self) -> None:
        self.client.close()
