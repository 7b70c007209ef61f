"""Whole houses in processes of their own, what passes over their broker, and who is left."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.troubled_house import troubled_house
from pems_actors.gateways.broker import free_port
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings

UP_WITHIN_S = 60.0
GONE_WITHIN_S = 30.0
SMALL = ("--config", "flat3")  # where nothing depends on the number of rooms


def living_in_group(pgid: int) -> list[int]:
    """Name the processes of a process group that still live; a zombie does not."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(group) == pgid and state != "Z":
            found.append(int(stat.parent.name))
    return found


def children_of(house: LiveHouse) -> dict[str, int]:
    """Name the newest process of each child; each leads a group of its own."""
    names = [child["name"] for child in house.run_file["children"]]
    return {name: house.pid_of(name) for name in names}


def wait_until_gone(groups: Sequence[int], within_s: float = GONE_WITHIN_S) -> None:
    due_s = time.monotonic() + within_s
    while left := [pid for group in groups for pid in living_in_group(group)]:
        assert time.monotonic() < due_s, f"orphans after {within_s:g} s: {left}"
        time.sleep(0.05)


@dataclass
class Houses:
    """Starts houses, and ends all of them."""

    folder: Path
    running: list[LiveHouse] = field(default_factory=list)

    def start(
        self, *argv: str, env: Mapping[str, str] | None = None, up: str = "core: ready"
    ) -> LiveHouse:
        """Run a demo house as a person would, until it says that it is up."""
        state = self.folder / f"house{len(self.running)}"
        own = () if env and "MQTT_BROKER" in env else ("--port", str(free_port()))
        house = LiveHouse(state, ("--drills", *own, *argv), env)
        return self._until_up(house, up)

    def start_troubled(
        self, troubles: Mapping[str, str], *argv: str, up: str = "core: ready"
    ) -> LiveHouse:
        """Run a house whose core finds troubles in its environment."""
        state = self.folder / f"house{len(self.running)}"
        own = ("--drills", "--port", str(free_port()), *argv)
        return self._until_up(troubled_house(state, own, troubles), up)

    def _until_up(self, house: LiveHouse, up: str) -> LiveHouse:
        self.running.append(house)
        house.until(up, UP_WITHIN_S)
        return house

    def end(self) -> None:
        """Stop all houses; none of their processes may be left."""
        groups = [pid for house in self.running for pid in children_of(house).values()]
        for house in self.running:
            house.stop()
        wait_until_gone(groups)


class Tap:
    """Everything that passes over a broker, from its start."""

    def __init__(self, port: int, *topics: str) -> None:
        self.heard: list[Incoming] = []
        settings = MqttSettings(port=port, client_id="tap", status_topic="tap/status")
        self.client = MqttClient(settings, topics or ("#",), self.heard.append)
        self.client.start()

    def on(self, head: str) -> list[Incoming]:
        return [message for message in self.heard if message.topic.startswith(head)]

    def newest(self) -> dict[str, bytes]:
        """Give the newest payload of each topic."""
        return {message.topic: message.payload for message in list(self.heard)}


def wait_for(come_true: Callable[[], bool], what: str, within_s: float = 30.0) -> float:
    """Wait for something in another process; gives how long it took."""
    began_s = time.monotonic()
    while not come_true():
        assert time.monotonic() - began_s < within_s, f"{what}: not within {within_s:g} s"
        time.sleep(0.02)
    return time.monotonic() - began_s


def hold_the_battery(house: LiveHouse) -> None:
    """Bring the inverter into a mode that it would never forget."""
    held = house.ask("mode", {"mode": "hold"}, path="devices/battery", timeout_s=GONE_WITHIN_S)
    assert held is not None
    note = house.state / "inverter_cleanup.json"
    wait_for(lambda: note.exists() and note.read_text() != "[]", "a register write")


class Manager:
    """A service manager that listens, as systemd does."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        """What a service of type notify finds in its environment; its patience is 3 s."""
        return {"NOTIFY_SOCKET": self.socket.getsockname(), "WATCHDOG_USEC": "3000000"}

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while word := self.socket.recv(4096).decode():
                self.heard.append(word)

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
