"""The core is frozen (SIGSTOP) at random moments; its guardian must notice, kill and replace it."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.report import Target
from pems_actors.bench.resilience.extent import Extent
from pems_actors.gateways.broker import free_port

NOTICED_WITHIN_S = 60.0
PING_TIMEOUT_S = 15.0  # what the guardian grants a silent core
LOOPS_S = 0.5  # until its kill is done and said
TARGETS = {
    "frozen_core_killed_s_max": Target("<=", PING_TIMEOUT_S + LOOPS_S),
    "rules_live_after_freeze_s_max": Target("<=", 2.0),
}


def run(folder: Path, extent: Extent) -> dict[str, Any]:
    """Start a house of its own and freeze its core; some 18 s each."""
    rng = random.Random("freeze")
    house = LiveHouse(folder, ("--drills", "--port", str(free_port())))
    try:
        house.until("core: ready", 120.0)
        times = [freeze_once(house, rng) for _ in range(extent.freezes)]
    finally:
        house.stop()
    return {
        "freezes": len(times),
        "frozen_core_killed_s_max": max(killed_s for killed_s, _ in times),
        "rules_live_after_freeze_s_max": max(live_s for _, live_s in times),
    }


def freeze_once(house: LiveHouse, rng: random.Random) -> tuple[float, float]:
    """Freeze the core; gives how long it then lived, and how long its rules were gone [s]."""
    house.rules_live()
    time.sleep(rng.uniform(2.5, 5.0))  # the moment between two pings is what is drawn
    since, began_s = len(house.lines), time.monotonic()
    os.kill(house.pid_of("core"), signal.SIGSTOP)
    _, said = house.until("core: killed: no ping", NOTICED_WITHIN_S, since)
    return said.at_s - began_s, house.rules_live() - said.at_s
