"""The memory of the house: at once in hand, soon on disk, and never a reason to wait."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pems_actors.control.order import RelayMemory
from pems_actors.control.wishes import Override
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.levels import Level
from pems_actors.durable.background import Background
from pems_actors.durable.kept import RoomKept
from pems_actors.durable.memory import (
    GIVEN_AT_MOST,
    SAVE_GAP_S,
    TRY_AGAIN_S,
    Memory,
    Phase,
    StateProblem,
)
from pems_actors.durable.order_journal import OrderJournal
from supervision import SnapshotStore

NOW = 1_700_000_000.0
ROOM = "rooms/obyvak"
HEATING = SetHeating("obyvak", True, "cold", Level.PLAN, NOW, NOW + 900.0)
WARM = RoomKept(0.1, Override(23.0, NOW + 3600.0, "user", "guests"), RelayMemory(on=True))


class Hours:
    """Process time by hand, with the timers that a runtime would keep."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.due: list[tuple[float, object]] = []

    def later(self, delay_s: float, job) -> None:
        self.due.append((self.at_s + delay_s, job))

    def now_s(self) -> float:
        return self.at_s

    def go_on(self, seconds: float) -> None:
        self.at_s += seconds
        ready = [job for at_s, job in self.due if at_s <= self.at_s]
        self.due = [item for item in self.due if item[0] > self.at_s]
        for job in ready:
            job()


def opened(state: Path, hours: Hours | None = None) -> tuple[Memory, list[StateProblem]]:
    """A memory as a core opens it, with what it tells."""
    memory, told = Memory.on_disk(state, ["relay/obyvak"]), []
    hours = hours or Hours()
    memory.attach(hours.later, hours.now_s)
    memory.load([ROOM, "infrastructure/control", "safety/guard"], NOW)
    memory.listen(told.append)
    return memory, told


def full(state: Path, name: str = "rooms.obyvak") -> Path:
    """Let the disk be full for one name: a device that gives ENOSPC for every byte."""
    link = state / "snapshots" / f"{name}.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/full")
    return link


def test_what_is_kept_counts_at_once_even_without_a_disk():
    memory = Memory()
    memory.keep(ROOM, WARM, NOW)
    assert memory.recall(ROOM, NOW) == WARM


def test_it_outlives_the_process(tmp_path):
    opened(tmp_path)[0].keep(ROOM, WARM, NOW)
    memory, told = opened(tmp_path)
    assert memory.recall(ROOM, NOW + 60.0) == WARM
    assert memory.recall("infrastructure/control", NOW) is None
    assert told == []


def test_a_name_is_saved_at_most_every_few_seconds_and_the_newest_wins(tmp_path):
    hours = Hours()
    memory, _ = opened(tmp_path, hours)
    for k in range(100):
        memory.keep(ROOM, RoomKept(trim=k / 1000), NOW)
        hours.go_on(0.1)
    hours.go_on(SAVE_GAP_S)
    assert memory.saved == pytest.approx(10.0 / SAVE_GAP_S, abs=2)
    assert opened(tmp_path)[0].recall(ROOM, NOW).trim == 0.099


def test_what_waits_is_saved_at_the_end(tmp_path):
    memory, _ = opened(tmp_path)
    memory.keep(ROOM, RoomKept(trim=0.1), NOW)
    memory.keep(ROOM, RoomKept(trim=0.2), NOW)
    memory.close()
    assert opened(tmp_path)[0].recall(ROOM, NOW).trim == 0.2


def test_of_a_torn_file_the_generation_before_stands_and_that_is_told_once(tmp_path):
    hours = Hours()
    memory, _ = opened(tmp_path, hours)
    for trim in (0.1, 0.2):
        memory.keep(ROOM, RoomKept(trim=trim), NOW)
        hours.go_on(SAVE_GAP_S)
    file = tmp_path / "snapshots" / "rooms.obyvak.json"
    file.write_bytes(file.read_bytes()[:-7])
    memory, told = opened(tmp_path)
    assert memory.recall(ROOM, NOW).trim == 0.1
    [problem] = told
    assert problem.name == ROOM
    assert problem.reason == "current: its checksum is wrong; the generation before stands"
    assert problem.phase is Phase.ONCE


@pytest.mark.parametrize("how", ["newer", "rubbish", "not ours"])
def test_what_cannot_be_believed_is_told_and_its_actor_begins_anew(tmp_path, how):
    opened(tmp_path)
    match how:
        case "newer":
            SnapshotStore(tmp_path / "snapshots", schema=99).save(ROOM, {"trim": 0.1}, NOW)
        case "rubbish":
            (tmp_path / "snapshots" / "rooms.obyvak.json").write_bytes(b"\0" * 100)
        case _:
            SnapshotStore(tmp_path / "snapshots").save(ROOM, {"trim": "warm"}, NOW)
    memory, told = opened(tmp_path)
    assert memory.recall(ROOM, NOW) is None
    [problem] = told
    assert problem.reason.endswith("it begins anew")
    assert {"newer": "schema 99", "rubbish": "checksum", "not ours": "trim: 'warm'"}[
        how
    ] in problem.reason


def test_a_memory_from_the_future_is_told(tmp_path):
    opened(tmp_path)[0].keep(ROOM, WARM, NOW + 1800.0)  # half an hour before its wish ends
    memory, [problem] = opened(tmp_path)
    assert problem.reason == "it is from the future by 1800 s: its times are not believed"
    assert memory.recall(ROOM, NOW).override.until_s == NOW + 1800.0


def test_a_full_disk_is_told_once_and_again_when_it_is_mended(tmp_path):
    hours = Hours()
    memory, told = opened(tmp_path, hours)
    link = full(tmp_path)
    for k in range(5):
        memory.keep(ROOM, RoomKept(trim=k / 10), NOW)
        hours.go_on(TRY_AGAIN_S)
    assert [(p.name, p.phase) for p in told] == [("snapshots", Phase.BEGINS)]
    assert told[0].reason == "the state is not saved (No space left on device); control goes on"
    assert memory.failures > 4
    assert memory.recall(ROOM, NOW).trim == 0.4  # in hand all the same

    link.unlink()
    hours.go_on(TRY_AGAIN_S)
    assert told[-1].phase is Phase.OVER
    assert len(told) == 2
    assert opened(tmp_path)[0].recall(ROOM, NOW).trim == 0.4


def test_without_a_place_for_files_control_goes_on_and_says_so(tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    memory, told = opened(tmp_path / "state")
    assert {p.name for p in told} == {"snapshots", "orders.journal"}
    assert all("control goes on" in p.reason for p in told)
    memory.keep(ROOM, WARM, NOW)
    assert memory.recall(ROOM, NOW) == WARM
    memory.close()


def test_a_memory_with_which_its_actor_cannot_live_is_not_given_for_ever(tmp_path):
    opened(tmp_path)[0].keep(ROOM, WARM, NOW)
    memory, told = opened(tmp_path)
    for _ in range(GIVEN_AT_MOST):
        assert memory.recall(ROOM, NOW) == WARM
    assert memory.recall(ROOM, NOW) is None
    assert [p.reason for p in told] == ["its actor does not live with it; it begins anew"]
    memory.keep(ROOM, WARM, NOW)
    assert memory.recall(ROOM, NOW) == WARM


def test_orders_that_find_no_room_are_noted_as_soon_as_there_is_some(tmp_path):
    OrderJournal.open(tmp_path, ["relay/obyvak"]).note(HEATING)
    hours, full = Hours(), tmp_path / "orders.new"
    full.symlink_to("/dev/full")
    memory, told = opened(tmp_path, hours)
    assert [(p.name, p.phase) for p in told] == [("orders.journal", Phase.BEGINS)]
    assert memory.journal.last("relay/obyvak").writes == 1  # what was noted before is known
    hours.go_on(TRY_AGAIN_S)
    memory.journal.note(HEATING)
    assert len(told) == 1
    full.unlink()
    hours.go_on(TRY_AGAIN_S)
    assert (told[-1].name, told[-1].phase) == ("orders.journal", Phase.OVER)
    assert OrderJournal.open(tmp_path, []).last("relay/obyvak").writes == 2


def test_a_journal_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "orders.journal").write_bytes(b"rubbish")
    _, told = opened(tmp_path)
    assert [(p.name, p.phase) for p in told] == [("orders.journal", Phase.ONCE)]


def test_an_actor_that_keeps_nothing_is_not_saved(tmp_path):
    memory, told = opened(tmp_path)
    memory.keep("safety/guard", object(), NOW)
    assert memory.recall("safety/guard", NOW) is None
    assert list((tmp_path / "snapshots").iterdir()) == []
    assert told == []


def test_a_disk_that_hangs_holds_nobody_up(tmp_path):
    background, disk = Background("test-snapshots"), threading.Event()
    memory = Memory(SnapshotStore(tmp_path), background=background)
    memory.attach(Hours().later, time.monotonic)
    background.run(lambda: disk.wait(20.0))
    began_s = time.monotonic()
    for k in range(1000):
        memory.keep(ROOM, RoomKept(trim=k), NOW + k)
    memory.keep(ROOM, WARM, NOW)
    assert time.monotonic() - began_s < 5.0
    assert memory.saved == 0
    disk.set()
    memory.close()
    assert SnapshotStore(tmp_path).load(ROOM).data["trim"] == WARM.trim
    assert memory.saved <= 2


def test_a_disk_that_hangs_for_ever_is_not_waited_for_at_the_end(tmp_path):
    background, disk = Background("test-snapshots"), threading.Event()
    memory = Memory(SnapshotStore(tmp_path), background=background)
    background.run(lambda: disk.wait(20.0))
    began_s = time.monotonic()
    memory.close(within_s=0.05)
    assert time.monotonic() - began_s < 5.0
    disk.set()


def test_a_job_that_fails_does_not_end_the_writing():
    background, done = Background("test-snapshots"), threading.Event()
    background.run(lambda: 1 / 0)
    background.run(done.set)
    assert background.close()
    assert done.is_set()
