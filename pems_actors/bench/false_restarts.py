"""`pems bench false-restarts`: a core whose processor is eaten is slow, and must not be replaced.

Two threads inside the core burn all the time that Python gives them. Nothing is broken, so whoever
is killed, restarted or called hung meanwhile is so by mistake.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.live_traces import MinuteTap
from pems_actors.bench.report import Target, report
from pems_actors.bench.resilience.solver_trouble import missed_minutes
from pems_actors.bench.troubled_core import HOGS_VARIABLE
from pems_actors.bench.troubled_house import troubled_house
from pems_actors.gateways.broker import free_port

HOGS = 2
MINUTES, QUICK_MINUTES = 2.0, 0.5
LOOK_EVERY_S = 2.0
BLAMED = r"core: (killed|ended)"
TARGETS = {
    "false_core_restarts": Target("<=", 0.0),
    "false_actor_restarts": Target("<=", 0.0),
    "missed_control_ticks": Target("<=", 0.0),
}


def run(*, quick: bool = False, minutes: float | None = None) -> dict[str, Any]:
    """Watch a house with a burdened core for so long.

    Raises: TimeoutError if it does not come up.
    """
    for_min = minutes or (QUICK_MINUTES if quick else MINUTES)
    with tempfile.TemporaryDirectory(prefix="pems-bench-") as folder:
        argv = ("--drills", "--port", str(free_port()))
        house = troubled_house(Path(folder) / "house", argv, {HOGS_VARIABLE: str(HOGS)})
        try:
            house.until("core: ready", 120.0)
            house.rules_live()
            return report("false-restarts", watched(house, 60.0 * for_min), TARGETS)
        finally:
            house.stop()


def watched(house: LiveHouse, for_s: float) -> dict[str, Any]:
    """Look at the house for so long, and count who was replaced."""
    tap = MinuteTap(house.run_file["broker_port"])
    since, end_s = len(house.lines), time.monotonic() + for_s
    restarts = answers = looks = 0
    while time.monotonic() < end_s:
        time.sleep(LOOK_EVERY_S)
        status, looks = house.ask("status", timeout_s=LOOK_EVERY_S), looks + 1
        if status is not None:
            answers += 1
            restarts = max(restarts, sum(int(node["restarts"]) for node in status["tree"]))
    tap.close()
    return {
        "minutes": round(for_s / 60.0, 2),
        "hogs": HOGS,
        "false_core_restarts": house.count(BLAMED, since),
        "false_actor_restarts": restarts,
        "pings_withheld": house.count("not sound, no ping", since),
        "control_ticks": len(tap.minutes),
        "missed_control_ticks": len(missed_minutes(house.state, tap.minutes)),
        "questions": looks,
        "answered": answers,
        "load_1min": round(os.getloadavg()[0], 2),
    }
