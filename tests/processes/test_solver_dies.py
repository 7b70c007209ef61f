"""Whatever becomes of the solver's process, each minute of the house is heard and decided on."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pems_actors.bench.live_house import LiveHouse
from pems_actors.gateways import loxone
from tests.processes.houses import Houses, Tap, wait_for
from tests.processes.troubled_solver import WELL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes"), pytest.mark.timeout(90)]
ROOT = Path(__file__).parents[2]
DEADLINE_S = 3.0  # of the troubled solver
MINUTE_S = 60.0
GROUP_COMMIT_S = 2.0


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trouble") / "solver"
    file.write_text(WELL)
    return file


@pytest.fixture(scope="module")
def house(houses: Houses, trouble: Path) -> LiveHouse:
    def with_a_troubled_solver(child: dict[str, Any]) -> None:
        if child["name"] == "core":
            program, options = child["argv"][0], child["argv"][3:]
            child["argv"] = [program, str(Path(__file__).with_name("troubled_core.py")), *options]
            child["env"] |= {"PYTHONPATH": str(ROOT), "SOLVER_TROUBLE": str(trouble)}
            child["env"] |= {"CORE_TROUBLE": str(trouble.with_name("core"))}

    return houses.start_changed(with_a_troubled_solver, up="first plan in force")


@pytest.fixture(scope="module")
def tap(house: LiveHouse) -> Tap:
    return Tap(house.run_file["broker_port"], loxone.STATUS)


def solver(house: LiveHouse) -> dict[str, Any]:
    return dict((house.ask("workers") or {})["workers"]["planning/solver"])


def replan(house: LiveHouse) -> None:
    assert house.ask("replan", path="planning/planner") is not None


def wait_for_a_newer_plan(house: LiveHouse, after_s: float) -> float:
    """Wait for a plan that was made after an instant (monotonic); gives how long it took."""

    def newer() -> bool:
        age_s = (house.ask("status") or {}).get("plan_age_s")
        return age_s is not None and age_s / 60.0 < time.monotonic() - after_s

    return wait_for(newer, "a newer plan")


def missed_minutes(house: LiveHouse, tap: Tap) -> set[int]:
    """Give the minutes that the house told and the gateway did not take apart."""
    told = [message for message in tap.heard if not message.retained]
    minutes = {round(loxone.read_status(m.payload).at_s / MINUTE_S) for m in told}
    time.sleep(GROUP_COMMIT_S)  # a row of a measurement may wait so long for its group
    database = sqlite3.connect(f"file:{house.state / 'history.sqlite'}?mode=ro", uri=True)
    rows = database.execute(
        "SELECT at_ms FROM sample JOIN series ON series.id = sample.series WHERE name = ?",
        ("outdoor_c",),
    ).fetchall()
    database.close()
    return minutes - {round(at_ms / 1000.0 / MINUTE_S) for (at_ms,) in rows}


@pytest.mark.parametrize(
    "kind", ["signal SIGSEGV", "signal SIGKILL", "signal SIGSTOP", "memory", "endless"]
)
def test_a_solver_in_trouble_at_its_work_costs_one_plan(
    house: LiveHouse, tap: Tap, trouble: Path, kind: str
) -> None:
    began_s = time.monotonic()
    trouble.write_text(kind)
    replan(house)
    wait_for(lambda: trouble.read_text() == WELL, "the trouble")
    wait_for_a_newer_plan(house, time.monotonic())
    took_s = time.monotonic() - began_s
    assert took_s > (DEADLINE_S if kind in {"signal SIGSTOP", "endless"} else 0.0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_idle_solver_that_is_struck_is_replaced(
    house: LiveHouse, tap: Tap, number: signal.Signals
) -> None:
    before = solver(house)
    os.kill(before["pid"], number)
    if number is signal.SIGSTOP:
        replan(house)  # it is noticed at its next job's deadline
    wait_for(_replaced(house, before["pid"]), "another solver")
    replan(house)
    wait_for_a_newer_plan(house, time.monotonic())


def test_through_all_of_this_no_control_tick_was_missed(house: LiveHouse, tap: Tap) -> None:
    """The last test of this file: it looks at all minutes since the first one began."""
    wait_for(lambda: len(tap.heard) > 4, "a few minutes of the house")
    assert missed_minutes(house, tap) == set()


def _replaced(house: LiveHouse, pid: int) -> Callable[[], bool]:
    def replaced() -> bool:
        now = solver(house)
        return now["pid"] not in {None, pid} and bool(now["ready"])

    return replaced
