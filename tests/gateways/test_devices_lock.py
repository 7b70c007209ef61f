"""The devices have one writer at a time, and each life of the core has epochs above the last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pems_actors.gateways.devices_lock import (
    EPOCHS_PER_LIFE,
    LIVES,
    NAME,
    DevicesLock,
    DevicesTakenError,
)

HOLDER = """
import sys
from pathlib import Path
from pems_actors.gateways.devices_lock import DevicesLock
lock = DevicesLock.take(Path(sys.argv[1]), "the core")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds the devices."""
    argv = (sys.executable, "-c", HOLDER, str(tmp_path))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_the_first_one_is(other, tmp_path: Path) -> None:
    with pytest.raises(DevicesTakenError, match=rf"the core, process {other.pid}; nothing is writ"):
        DevicesLock.take(tmp_path, "safe_state")
    assert (tmp_path / NAME).read_text() == f"the core, process {other.pid}"


def test_a_killed_writer_holds_nothing_and_a_waiting_one_takes_over(other, tmp_path: Path) -> None:
    os.kill(other.pid, signal.SIGKILL)
    DevicesLock.take(tmp_path, "safe_state", wait_s=5.0).release()


def test_waiting_for_a_writer_that_stays_has_an_end(other, tmp_path: Path) -> None:
    began_s = time.monotonic()
    with pytest.raises(DevicesTakenError):
        DevicesLock.take(tmp_path, "safe_state", wait_s=0.2)
    assert 0.2 <= time.monotonic() - began_s < 5.0


def test_a_stopped_writer_still_is_the_writer(other, tmp_path: Path) -> None:
    os.kill(other.pid, signal.SIGSTOP)
    with pytest.raises(DevicesTakenError):
        DevicesLock.take(tmp_path, "safe_state")


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = DevicesLock.take(tmp_path, "the core")
    lock.release()
    lock.release()
    DevicesLock.take(tmp_path, "safe_state").release()


def test_epochs_rise_from_life_to_life(tmp_path: Path) -> None:
    lock = DevicesLock.take(tmp_path, "the core")
    epochs = [lock.begin_life(at_s) for at_s in (1.0, 2.0, 3.0)]
    assert epochs == [n * EPOCHS_PER_LIFE + 1 for n in (1, 2, 3)]
    lock.release()


def test_a_torn_count_costs_no_epoch(tmp_path: Path) -> None:
    """The generation before is one behind, so one more is added."""
    lock = DevicesLock.take(tmp_path, "the core")
    before = [lock.begin_life(at_s) for at_s in (1.0, 2.0, 3.0)]
    (tmp_path / f"{LIVES}.json").write_text("torn")
    assert lock.begin_life(4.0) > before[-1]
    assert lock.problem == "current: its checksum is wrong; the generation before stands"
    lock.release()


def test_a_disk_that_takes_no_count_is_no_reason_not_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = DevicesLock.take(tmp_path, "the core")
    first = lock.begin_life(1.0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert lock.begin_life(2.0) > first
    lock.release()
