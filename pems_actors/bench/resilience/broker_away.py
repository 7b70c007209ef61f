"""A real mosquitto is killed and comes back with nothing in its memory.

Measured from its return until everything that is retained is there again, each state the one that
the house itself shows at its socket.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.report import Target
from pems_actors.bench.resilience.extent import Extent
from pems_actors.gateways.broker import find_mosquitto, free_port, wait_until_open

PREFIX = "pems/"
OPEN_WITHIN_S = 10.0
RIGHT_WITHIN_S = 60.0
QUIET_S, LOOK_S = 0.4, 0.05
TARGETS = {
    "broker_states_right_s": Target("<=", 10.0),
    "house_answers_without_broker": Target(">=", 1.0),
}


class ForgetfulBroker:
    """A mosquitto that keeps nothing on disk. Raises: FileNotFoundError if there is none."""

    def __init__(self, folder: Path) -> None:
        program = find_mosquitto()
        if program is None:
            raise FileNotFoundError("mosquitto is not installed; try: apt-get install mosquitto")
        self.port, self._config = free_port(), folder / "mosquitto.conf"
        self._argv = (program, "-c", str(self._config))
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "persistence false\nlog_dest none\n",
            encoding="utf-8",
        )
        self.start()

    def start(self) -> None:
        """Start it with an empty memory. Raises: TimeoutError if it does not open its port."""
        self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL)  # noqa: S603
        wait_until_open(self.port, OPEN_WITHIN_S)

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self._process.kill()
        self._process.wait(OPEN_WITHIN_S)


def run(folder: Path, extent: Extent) -> dict[str, Any]:
    """Start a house on a broker that is not its own, and take the broker away."""
    broker = ForgetfulBroker(folder)
    env = {"MQTT_BROKER": "127.0.0.1", "MQTT_PORT": str(broker.port)}
    house = LiveHouse(folder / "house", ("--drills",), env)
    try:
        house.until("first plan in force", 120.0)
        wait_until_right(house, broker.port, {f"{PREFIX}plan"})
        topics = set(retained(broker.port))
        answered, right_s = outage(house, broker, extent.outage_s, topics)
    finally:
        house.stop()
        broker.kill()
    return {
        "broker_outage_s": extent.outage_s,
        "broker_topics": len(topics),
        "house_answers_without_broker": int(answered),
        "broker_states_right_s": right_s,
    }


def outage(
    house: LiveHouse, broker: ForgetfulBroker, for_s: float, topics: set[str]
) -> tuple[bool, float]:
    """Take the broker away for so long.

    Returns: whether the house answered meanwhile, and how long all took to be right again [s].
    """
    broker.kill()
    time.sleep(for_s)  # the outage itself
    answered = house.ask("status") is not None
    broker.start()
    return answered, wait_until_right(house, broker.port, topics)


def wait_until_right(house: LiveHouse, port: int, topics: set[str]) -> float:
    """Wait until these topics tell what the house shows now, or newer; gives how long it took [s].

    Raises: TimeoutError.
    """
    began_s, shown = time.monotonic(), None
    while time.monotonic() - began_s < RIGHT_WITHIN_S:
        shown = shown or house.ask("status")
        if shown is not None and is_right(shown, retained(port), topics):
            return time.monotonic() - began_s
    raise TimeoutError(f"what is retained is not right within {RIGHT_WITHIN_S:g} s")


def is_right(shown: Mapping[str, Any], there: Mapping[str, bytes], topics: set[str]) -> bool:
    """Tell if all topics are there, and no device's state is older than the one shown."""
    if not topics <= set(there) or there.get(f"{PREFIX}status") != b"online":
        return False
    return all(
        json.loads(there.get(f"{PREFIX}state/{path}", b'{"at": ""}'))["at"] >= state["at"]
        for path, state in shown["devices"].items()
    )


def retained(port: int) -> dict[str, bytes]:
    """Give what a newcomer is told at once; a plan is longer than our own client would take."""
    heard: dict[str, bytes] = {}

    def subscribe(client: paho.Client, *_: Any) -> None:
        client.subscribe(f"{PREFIX}#", qos=1)

    def hear(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.retain:
            heard[message.topic] = bytes(message.payload)

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_message = subscribe, hear
    client.connect("127.0.0.1", port)
    quiet_since_s, known = time.monotonic(), 0
    while time.monotonic() - quiet_since_s < QUIET_S:
        client.loop(LOOK_S)
        if len(heard) != known:
            quiet_since_s, known = time.monotonic(), len(heard)
    client.disconnect()
    client._reset_sockets()  # noqa: SLF001 - paho leaves its wake-up sockets open
    return heard
