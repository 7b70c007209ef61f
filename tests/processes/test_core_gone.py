"""The core or its guardian is gone for good: the devices are left safe, and nobody stays."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.troubled_core import BROKEN_VARIABLE
from pems_actors.gateways.growatt_registers import COMMANDS
from tests.gateways.brokers import RealBroker
from tests.processes.houses import (
    SMALL,
    Houses,
    Tap,
    children_of,
    hold_the_battery,
    wait_for,
    wait_until_gone,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.broker,
    pytest.mark.xdist_group("processes"),
    pytest.mark.timeout(120),
]
RELAYS = 3
ORDERS = "pems/heating/"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path)
    yield made
    made.kill()


def at(broker: RealBroker) -> dict[str, str]:
    return {"MQTT_BROKER": "127.0.0.1", "MQTT_PORT": str(broker.port)}


def last_orders(tap: Tap) -> set[str]:
    """Name the relays that were told that the core is gone."""
    bodies = [json.loads(message.payload) for message in tap.on(ORDERS)]
    return {body["room"] for body in bodies if "the core is gone" in body["reason"]}


def test_a_killed_guardian_takes_its_house_along_and_the_devices_are_left_safe(
    houses: Houses, broker: RealBroker
) -> None:
    """The broker is somebody else's here, so the core can still say its last words."""
    house = houses.start(*SMALL, env=at(broker))
    house.rules_live()
    tap, groups = Tap(broker.port), list(children_of(house).values())
    os.kill(house.process.pid, signal.SIGKILL)
    wait_until_gone(groups)
    wait_for(lambda: len(last_orders(tap)) == RELAYS, "the last orders")
    tap.client.close()
    again = LiveHouse(house.state, ("--drills", *SMALL), at(broker))
    houses.running.append(again)
    again.until("core: ready", 60.0)
    again.rules_live()


def test_a_core_that_will_not_come_up_is_replaced_by_its_safe_state(
    houses: Houses, tmp_path: Path
) -> None:
    """At the stop as when it is given up: the guardian runs the same command."""
    broken = tmp_path / "core"
    house = houses.start_troubled({BROKEN_VARIABLE: str(broken)}, *SMALL)
    house.rules_live()
    hold_the_battery(house)
    broken.touch()
    tap, since = Tap(house.run_file["broker_port"]), len(house.lines)
    os.kill(house.pid_of("core"), signal.SIGKILL)
    house.until("ended with code 1, restart in 1.6 s", 60.0, since)
    assert house.stop() == 0
    house.until("core: its last command ended with code 0", 30.0, since)
    house.until("inverter: it is on its own again", 30.0, since)
    tap.client.close()
    assert len(last_orders(tap)) == RELAYS
    inverter = json.loads((house.state / "twin.json").read_text())["voice"]["held"]
    assert not inverter["battery_slot"]["enabled"]
    assert not inverter["grid_slot"]["enabled"]
    assert json.loads((house.state / "inverter_cleanup.json").read_text()) == []


def test_an_advisory_house_never_says_a_word_to_its_devices(
    houses: Houses, broker: RealBroker
) -> None:
    tap = Tap(broker.port)
    house = houses.start("--advisory", *SMALL, env=at(broker), up="first plan in force")
    house.rules_live()
    since = len(house.lines)
    os.kill(house.pid_of("core"), signal.SIGKILL)
    house.until("core: ready", 60.0, since)
    house.rules_live()
    wait_for(lambda: len(tap.on("loxone/status")) > 3, "some minutes of the house")
    assert house.stop() == 0
    house.until("advisory: nothing is written to any device", 30.0, since)
    tap.client.close()
    assert tap.on(ORDERS) == []
    assert tap.on(COMMANDS) == []
