"""`pems restart` only where the core would be started again; and what the guardian is told."""

import os
import signal
from pathlib import Path

import pytest

from pems_actors import safe_state
from pems_actors.cli import processes, restart
from pems_actors.cli.launch import LOCK, Broker, Order, Origin
from pems_actors.cli.run_file import Child, RunFile, write
from tests.cli.conftest import CannedHouse, Pems
from tests.cli.told import NOON_S

NO_SUCH_PROCESS = 2**22 + 1  # above the largest that Linux gives


def core_of(order: Order, state: Path) -> Child:
    broker, begin = Broker("10.0.0.5", 1884, own=False), Origin(5.0, NOON_S)
    return processes.children(order, begin, broker, state, state)[-1]


def test_a_house_that_does_not_run_cannot_be_restarted(pems: Pems, tmp_path: Path) -> None:
    said = pems("restart", "--state", tmp_path)
    assert said.code == 1
    assert "nothing answers at the state" in said.err


def test_a_core_without_a_guardian_is_left_alone(pems: Pems, house: CannedHouse) -> None:
    house.results["status"] = {}
    (house.state / LOCK).write_text(str(NO_SUCH_PROCESS))
    said = pems("restart", "--state", house.state)
    assert said.code == 1
    assert f"process {os.getpid()}) has no guardian" in said.err


def test_a_co_simulation_begins_anew_whether_its_plant_has_spoken_or_not(
    pems: Pems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path
    facts = RunFile(
        "cosim", 1.0, "flat3", "127.0.0.1", 1883, True, 0.0, 0.0, "UTC", False, False,
        7.0, 27.0, 20.0, None, (),
    )  # fmt: skip
    write(state, facts)
    (state / LOCK).write_text(str(os.getpid()))
    core = state / restart.CORE_LOCK
    core.write_text(str(os.getpid()))
    told: list[int] = []

    def kill(pid: int, number: int) -> None:
        if number:
            told.append(number)
            core.write_text(str(os.getppid()))  # the guardian starts another

    monkeypatch.setattr(restart.os, "kill", kill)
    said = pems("restart", "--state", state)
    assert (said.code, told) == (0, [signal.SIGUSR2])
    assert said.out.startswith("The co-simulation begins anew")


def test_only_a_living_process_holds_a_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert restart.process_of(lock) is None
    lock.write_text("")
    assert restart.process_of(lock) is None
    lock.write_text(str(NO_SUCH_PROCESS))
    assert restart.process_of(lock) is None
    lock.write_text(str(os.getpid()))
    assert restart.process_of(lock) == os.getpid()


def test_the_safe_state_understands_what_the_guardian_will_tell_it(tmp_path: Path) -> None:
    core = core_of(Order("twin", 60.0), tmp_path)
    assert core.on_give_up[1:3] == ("-m", "pems_actors.safe_state")
    heard = safe_state.parse(core.on_give_up[3:])
    assert (heard.state, heard.broker) == (tmp_path, ("10.0.0.5", 1884))
    assert (heard.speed, heard.origin_wall, heard.origin_house) == (60.0, 5.0, NOON_S)


def test_a_real_house_is_made_safe_in_real_time(tmp_path: Path) -> None:
    heard = safe_state.parse(core_of(Order("mqtt", 1.0), tmp_path).on_give_up[3:])
    assert heard.origin_house is None


def test_a_core_that_is_killed_on_purpose_comes_back_at_once_every_time(tmp_path: Path) -> None:
    drilled = core_of(Order("twin", 60.0, drills=True), tmp_path)
    assert drilled.quiet_s < core_of(Order("twin", 60.0), tmp_path).quiet_s == 60.0
