"""The solver's process in every trouble there is; each minute of the house is decided on.

It ends by a bad memory access or a kill, stands still, eats its memory, or never ends. A missed
tick is a minute that the house told and of which the history has no row.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.live_traces import MinuteTap
from pems_actors.bench.report import Target
from pems_actors.bench.resilience.extent import Extent
from pems_actors.bench.troubled_core import DEADLINE_S
from pems_actors.bench.troubled_house import troubled_house
from pems_actors.bench.troubled_solver import FILE_VARIABLE, TROUBLES, WELL
from pems_actors.domain.units import MINUTE_S
from pems_actors.gateways.broker import free_port

SUFFERED_WITHIN_S = 60.0
GROUP_COMMIT_S = 2.0
LOOK_S = 0.05
TARGETS = {
    "missed_control_ticks": Target("<=", 0.0),
    "plan_after_solver_trouble_s_max": Target("<=", DEADLINE_S + 10.0),
}


def run(folder: Path, extent: Extent) -> dict[str, Any]:
    """Start a house of its own and bring its solver into trouble; some five seconds each."""
    trouble = folder / "solver"
    trouble.write_text(WELL, encoding="utf-8")
    argv = ("--drills", "--port", str(free_port()))
    house = troubled_house(folder / "house", argv, {FILE_VARIABLE: str(trouble)})
    try:
        house.until("first plan in force", 120.0)
        tap = MinuteTap(house.run_file["broker_port"])
        back_s: list[float] = []
        rounds = 0
        while rounds < extent.solver_rounds or len(tap.minutes) < extent.solver_ticks:
            back_s += [time_to_next_plan(house, trouble, kind) for kind in TROUBLES]
            rounds += 1
        tap.close()
        return {
            "solver_troubles": len(back_s),
            "solver_troubles_of_each_kind": rounds,
            "plan_after_solver_trouble_s_max": max(back_s),
            "control_ticks": len(tap.minutes),
            "missed_control_ticks": len(missed_minutes(house.state, tap.minutes)),
        }
    finally:
        house.stop()


def time_to_next_plan(house: LiveHouse, trouble: Path, kind: str) -> float:
    """Bring the solver into trouble; gives how long a plan made after it took.

    Raises: TimeoutError if that does not happen.
    """
    trouble.write_text(kind, encoding="utf-8")
    began_s = time.monotonic()
    house.ask("replan", path="planning/planner")
    until(lambda: trouble.read_text(encoding="utf-8") == WELL, f"the trouble {kind!r}")
    suffered_s = time.monotonic()
    return house.new_plan(suffered_s) - began_s


def until(come_true: Callable[[], bool], what: str) -> None:
    """Look until something in another process is true. Raises: TimeoutError."""
    due_s = time.monotonic() + SUFFERED_WITHIN_S
    while not come_true():
        if time.monotonic() >= due_s:
            raise TimeoutError(f"{what}: not within {SUFFERED_WITHIN_S:g} s")
        time.sleep(LOOK_S)


def missed_minutes(state: Path, told: set[int]) -> set[int]:
    """Give the minutes that the house told and the gateway did not take apart."""
    time.sleep(GROUP_COMMIT_S)  # a row of a measurement may wait so long for its group
    file = f"file:{state / 'history.sqlite'}?mode=ro"
    with closing(sqlite3.connect(file, uri=True, timeout=5.0)) as database:
        rows = database.execute(
            "SELECT at_ms FROM sample JOIN series ON series.id = sample.series WHERE name = ?",
            ("outdoor_c",),
        ).fetchall()
    return told - {round(at_ms / 1000.0 / MINUTE_S) for (at_ms,) in rows}
