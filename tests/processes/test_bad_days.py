"""Rows 27 and 36 of the fault matrix on real processes: a half written file, too much memory."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from config import PRESETS
from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.troubled_house import CORE, changed_house
from pems_actors.gateways.broker import free_port
from tests.processes.houses import Houses, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes"), pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[2]
BACK_WITHIN_S = 20.0  # two on a machine of its own


def killed(house: LiveHouse) -> None:
    """Kill the core and wait for the next one."""
    since = len(house.lines)
    os.kill(house.pid_of("core"), signal.SIGKILL)
    house.until("core: ready", 60.0, since)
    wait_for(lambda: rooms(house) == 3, "three rooms")


def rooms(house: LiveHouse) -> int:
    devices = (house.ask("status") or {}).get("devices", {})
    return len([path for path in devices if path.startswith("rooms/")])


def open_incidents(house: LiveHouse) -> set[str]:
    told = (house.ask("status") or {}).get("incidents", [])
    return {each["path"] for each in told if each.get("end") is None}


def test_a_core_whose_file_was_half_written_goes_on_with_the_last_good_one(
    houses: Houses, tmp_path: Path
) -> None:
    file = tmp_path / "house.json"
    whole = PRESETS["flat3"].read_bytes()
    file.write_bytes(whole)
    house = houses.start("--config", str(file))
    house.rules_live()
    file.write_bytes(whole[: len(whole) // 2])
    since = len(house.lines)
    killed(house)
    house.until("configuration: the last good one is in force, the file is refused", 30.0, since)
    wait_for(lambda: "state/configuration" in open_incidents(house), "its incident")
    file.write_bytes(whole)
    killed(house)
    wait_for(lambda: "state/configuration" not in open_incidents(house), "the end of its incident")


def test_a_core_with_too_much_memory_starts_anew_and_keeps_all_leases(
    houses: Houses, tmp_path: Path
) -> None:
    trouble = tmp_path / "greedy"
    trouble.touch()

    def greedy(child: dict[str, Any]) -> None:
        if child["name"] == "core":
            ours = "tests.processes.bad_day_core"
            child["argv"] = [ours if word == CORE else word for word in child["argv"]]
            child["env"] |= {"PYTHONPATH": str(ROOT), "MEMORY_TROUBLE": str(trouble)}

    argv = ("--drills", "--port", str(free_port()), "--config", "flat3")
    house = changed_house(tmp_path / "state", argv, greedy)
    houses.running.append(house)
    house.until("core: ready", 60.0)
    trouble.unlink()  # the next core is a modest one
    number, _ = house.until("MB is too much", 30.0)
    began_s = time.monotonic()
    house.until("restart: all devices keep their leases", 30.0, number)
    house.until("core: ready", 60.0, number)
    house.rules_live()
    assert time.monotonic() - began_s < BACK_WITHIN_S
    assert not [line for line in house.lines if "last command" in line.text]
