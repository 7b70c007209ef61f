"""Whatever becomes of the solver's process, each minute of the house is heard and decided on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.live_traces import MinuteTap
from pems_actors.bench.resilience.solver_trouble import missed_minutes, time_to_next_plan
from pems_actors.bench.troubled_core import DEADLINE_S
from pems_actors.bench.troubled_solver import FILE_VARIABLE, STANDS_STILL, TROUBLES, WELL
from tests.processes.houses import SMALL, Houses, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes"), pytest.mark.timeout(90)]
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trouble") / "solver"
    file.write_text(WELL)
    return file


@pytest.fixture(scope="module")
def house(houses: Houses, trouble: Path) -> LiveHouse:
    return houses.start_troubled({FILE_VARIABLE: str(trouble)}, *SMALL, up="first plan in force")


@pytest.fixture(scope="module")
def tap(house: LiveHouse) -> Iterator[MinuteTap]:
    listening = MinuteTap(house.run_file["broker_port"])
    yield listening
    listening.close()


def solver(house: LiveHouse) -> dict[str, Any]:
    told = house.ask("workers", timeout_s=PATIENCE_S) or {}
    return dict(told["workers"]["planning/solver"])


def replan(house: LiveHouse) -> None:
    assert house.ask("replan", path="planning/planner", timeout_s=PATIENCE_S) is not None


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_solver_in_trouble_at_its_work_costs_one_plan(
    house: LiveHouse, tap: MinuteTap, trouble: Path, kind: str
) -> None:
    took_s = time_to_next_plan(house, trouble, kind)
    assert took_s > (DEADLINE_S if kind in STANDS_STILL else 0.0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_idle_solver_that_is_struck_is_replaced(
    house: LiveHouse, tap: MinuteTap, number: signal.Signals
) -> None:
    before = solver(house)
    os.kill(before["pid"], number)
    if number is signal.SIGSTOP:
        replan(house)  # it is noticed at its next job's deadline
    wait_for(_replaced(house, before["pid"]), "another solver")
    replan(house)
    house.new_plan(time.monotonic())


def test_through_all_of_this_no_control_tick_was_missed(house: LiveHouse, tap: MinuteTap) -> None:
    """The last test of this file: it looks at all minutes since the first one began."""
    wait_for(lambda: len(tap.minutes) > 4, "a few minutes of the house")
    assert missed_minutes(house.state, set(tap.minutes)) == set()


def _replaced(house: LiveHouse, pid: int) -> Callable[[], bool]:
    def replaced() -> bool:
        now = solver(house)
        return now["pid"] not in {None, pid} and bool(now["ready"])

    return replaced
