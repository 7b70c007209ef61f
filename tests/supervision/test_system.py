"""The system as a whole: events, counts, verdicts, zombies, the tree for people and programs."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import Do, Note, World, branch, fail

import supervision
from supervision import (
    ChildStatus,
    Fault,
    FaultKind,
    HouseClock,
    SnapshotStore,
    VirtualRuntime,
    WorkerSpec,
    tree_data,
    tree_text,
)
from supervision.events import ChildReady, Escalated
from supervision.heartbeat import batch, payload
from supervision.messages import CycleChild, RestartDue, StopOverdue


def test_epochs_begin_where_the_last_process_left_off():
    world = World(VirtualRuntime(1), first_epoch=7_000_000)
    world.grow("a")
    world.crash("a")
    assert world.epochs == {"root": 7_000_000, "a": 7_000_001}
    world.system.stop()


def test_a_listener_that_fails_is_counted_and_harms_nobody(world):
    def deaf(_):
        raise ValueError("no ears")

    world.system.journal._on_event = deaf
    world.grow("a")
    assert world.system.counters()["event_errors"] == 1
    assert world.states["a"] == "running"


def test_too_many_zombies_end_the_process():
    world = World(VirtualRuntime(1), zombie_budget=1)
    system = world.grow("a", "b")
    for name in ("a", "b"):
        system.inject(name, Fault(FaultKind.HANG, seconds=1000.0))
        world.runtime.run_for(5.0)
    assert system.verdict == "2 hung actors were left behind, 1 allowed"
    assert [event.path for event in world.told(Escalated)] == ["root"]
    system.stop()
    assert system.verdict == "2 hung actors were left behind, 1 allowed"


def test_a_root_that_hangs_ends_the_process(world):
    system = world.grow("a")
    system.inject("root", Fault(FaultKind.HANG, seconds=1000.0))
    assert system.join(20.0) == "the root supervisor hangs"
    assert world.runtime.now_s() == 10.0


def test_a_hung_branch_is_replaced_with_all_under_it(world):
    system = world.grow(branch("sub", world.puppet("a")), "b")
    system.tell("sub/a", Note("kept"))
    system.inject("sub", Fault(FaultKind.HANG, seconds=1000.0))
    world.runtime.run_for(11.0)
    assert world.epochs == {"root": 1, "sub": 2, "sub/a": 2, "b": 1}
    assert world.recall("sub/a") == ("kept",)


def test_what_is_no_longer_true_is_ignored_by_a_supervisor(world):
    system = world.grow("a")
    system.tell("root", StopOverdue("a", 1))
    system.tell("root", StopOverdue("a", 99))
    system.tell("root", CycleChild("nobody"))
    system.tell("root", RestartDue("a"))
    world.settle()
    assert world.epochs == {"root": 1, "a": 1}
    system.terminate_child("root", "a")
    system.restart("a")
    world.settle()
    assert world.states["a"] == "stopped"


def test_a_branch_that_gives_up_while_it_is_told_to_stop_ends_once(world):
    slow = world.puppet("slow", deadline_s=None, shutdown_s=5.0)
    system = world.grow(branch("sub", slow, world.puppet("a"), intensity=0))
    system.inject("sub/slow", Fault(FaultKind.HANG, seconds=60.0))
    world.crash("sub/a")
    system.stop()
    assert system.verdict == "the system stops"
    assert world.runtime.now_s() == 5.0
    assert system.counters()["zombies"] == 1
    system.give_up("too late to matter")
    assert system.verdict == "the system stops"


def test_workers_of_living_actors_are_listed_by_name(world):
    spec = WorkerSpec("calculator", "worker_jobs:calculator")
    system = world.grow("a", "b")
    system.ask("a", Do(lambda me: me.worker(spec) and None))
    assert system.workers()["calculator"].ready
    system.terminate_child("root", "a")
    assert system.workers() == {}


def test_joining_a_living_tree_takes_the_time_it_was_given(world):
    system = world.grow("a")
    assert system.join(5.0) is None
    assert world.runtime.now_s() == 5.0
    assert system.verdict is None


def test_stopping_twice_or_without_a_start_is_no_error(world):
    world.system.stop()
    assert world.system.verdict == "did not stop in time"
    other = World(VirtualRuntime(1))
    other.grow("a")
    other.system.stop()
    other.system.stop()
    assert other.system.verdict == "the system stops"


def test_a_stop_that_takes_too_long_cuts_off_what_is_left(world):
    system = world.grow(world.puppet("a", shutdown_s=None, deadline_s=None), "b")
    system.inject("a", Fault(FaultKind.HANG, seconds=1000.0))
    world.settle()
    system.stop(timeout_s=5.0)
    assert world.runtime.now_s() == 5.0
    assert system.verdict == "did not stop in time"
    assert world.stops() == ["b"]
    assert not system.tell("a", Note("anybody?"))


def test_the_tree_is_shown_depth_first_in_start_order(world):
    assert world.system.tree() == ()
    system = world.grow("a", branch("sub", world.puppet("b"), world.puppet("c")), "d")
    tree = system.tree()
    assert [s.path for s in tree] == ["root", "a", "sub", "sub/b", "sub/c", "d"]
    assert [s.kind for s in tree][:3] == ["supervisor", "actor", "supervisor"]
    assert system.status("nowhere") is None
    assert all(status.well for status in tree)


def test_the_tree_tells_progress(world):
    system = world.grow("a")
    assert system.status("a").last_progress_s is None
    world.runtime.run_for(9.0)
    system.tell("a", Note(1))
    system.tell("a", fail())
    system.tell("a", Note(2))
    assert system.status("a").mailbox == 3
    world.runtime.run_for(1.0)
    status = system.status("a")
    assert (status.handled, status.last_progress_s, status.restarts) == (2, 9.0, 1)


STATUS = ChildStatus(
    path="rooms/obyvak",
    kind="actor",
    state="running",
    reason="",
    since_s=1767225600.0,
    epoch=3,
    restarts=2,
    busy_ms=12.345,
    mailbox=4,
    handled=99,
    last_progress_s=None,
    level=1,
    zombies=0,
)


def test_a_heartbeat_says_what_the_topic_promises():
    assert payload(STATUS, 5.0) == {
        "state": "running",
        "reason": "",
        "since": "2026-01-01T00:00:00Z",
        "epoch": 3,
        "restarts": 2,
        "busy_ms": 12.3,
        "mailbox": 4,
        "last_progress": None,
        "level": 1,
        "interval_s": 5.0,
    }


def test_the_whole_tree_is_one_heartbeat():
    beat = batch([STATUS], sequence=17, at_s=1767225660.0, interval_s=5.0)
    assert (beat["sequence"], beat["at"]) == (17, "2026-01-01T00:01:00Z")
    assert [child["path"] for child in beat["tree"]] == ["rooms/obyvak"]
    json.dumps(beat)


def test_the_tree_as_text_and_as_data(world):
    system = world.grow("a", branch("sub", world.puppet("b", deadline_s=None)))
    world.crash("a", "a")
    system.tell("a", Note("waits"))
    system.inject("sub/b", Fault(FaultKind.HANG, seconds=9.0))
    world.runtime.run_for(0.01)
    text = tree_text(system.tree())
    assert [line.split()[:2] for line in text.splitlines()] == [
        ["root", "running"],
        ["a", "restarting"],
        ["sub", "running"],
        ["b", "running"],
    ]
    assert "restarts 1 waiting 1 (ValueError: boom)" in text
    assert "    b" in text
    assert "busy 10 ms" in text
    data = tree_data(system.tree())
    assert [child["path"] for child in data["children"]] == ["a", "sub"]
    assert data["children"][1]["children"][0]["path"] == "sub/b"
    assert tree_data(()) == {}


def test_levels_and_zombies_are_drawn():
    assert "level 1 restarts 2 waiting 4 busy 12 ms" in tree_text([STATUS])
    assert "zombies 2" in tree_text([replace(STATUS, zombies=2)])


# Clocks.


def test_house_time_runs_at_its_speed():
    clock = HouseClock(origin_house_s=1000.0, origin_process_s=0.0, speed=60.0)
    first, second = clock.now_s(), clock.now_s()
    assert second >= first > 1000.0
    assert clock.process_delay_s(120.0) == 2.0
    assert abs(HouseClock.starting_at(500.0, speed=2.0).now_s() - 500.0) < 1.0


def test_a_wall_clock_follows_the_system():
    assert abs(HouseClock.wall().now_s() - time.time()) < 10.0


@pytest.mark.parametrize("wrong", [{"speed": 0.0}, {"speed": -1.0}, {"speed": 60.0}])
def test_an_impossible_clock_is_refused(wrong):
    with pytest.raises(ValueError, match="speed"):
        HouseClock(**wrong)


# Snapshots.


def test_a_snapshot_is_read_back_with_its_time(tmp_path):
    store = SnapshotStore(tmp_path / "state")
    store.save("rooms/obyvak", {"heating": True}, at_s=7.0)
    restored = store.load("rooms/obyvak")
    assert (restored.data, restored.at_s) == ({"heating": True}, 7.0)
    assert (restored.generation, restored.reason) == ("current", "")


def test_a_snapshot_that_never_was_is_no_reason_to_worry(tmp_path):
    restored = SnapshotStore(tmp_path).load("a")
    assert (restored.data, restored.generation, restored.reason) == (None, None, "")


def damage(file, how):
    content = file.read_bytes()
    file.write_bytes({"cut": content[:-3], "empty": b"", "flip": b"0" + content[1:]}[how])


@pytest.mark.parametrize("how", ["cut", "empty", "flip"])
def test_of_a_damaged_snapshot_the_generation_before_is_taken(tmp_path, how):
    store = SnapshotStore(tmp_path)
    store.save("a", "old", 1.0)
    store.save("a", "new", 2.0)
    damage(tmp_path / "a.json", how)
    restored = store.load("a")
    assert (restored.data, restored.generation) == ("old", "previous")
    assert restored.reason == "current: its checksum is wrong"
    store.save("a", "newer", 3.0)
    assert store.load("a").data == "newer"
    damage(tmp_path / "a.json", how)
    assert store.load("a").data == "old"


def test_nothing_is_taken_where_both_generations_are_damaged(tmp_path):
    store = SnapshotStore(tmp_path)
    store.save("a", "old", 1.0)
    store.save("a", "new", 2.0)
    damage(tmp_path / "a.json", "cut")
    damage(tmp_path / "a.previous.json", "flip")
    assert store.load("a").data is None


def test_a_snapshot_of_another_schema_is_not_taken(tmp_path):
    SnapshotStore(tmp_path, schema=1).save("a", "old", 1.0)
    restored = SnapshotStore(tmp_path, schema=2).load("a")
    assert restored.data is None
    assert "it has schema 1, wanted 2" in restored.reason


def test_a_snapshot_its_reader_does_not_understand_is_not_taken(tmp_path):
    def only_old(data):
        if data != "old":
            raise ValueError(f"what is {data}?")
        return data.upper()

    store = SnapshotStore(tmp_path)
    store.save("a", "old", 1.0)
    store.save("a", "new", 2.0)
    restored = store.load("a", only_old)
    assert (restored.data, restored.generation) == ("OLD", "previous")
    assert "what is new?" in restored.reason


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"schema": 1, "at_s": null}'])
def test_a_file_that_is_no_snapshot_is_not_taken_even_if_its_checksum_fits(tmp_path, body):
    checksum = hashlib.sha256(body).hexdigest().encode()
    (tmp_path / "a.json").write_bytes(checksum + b"\n" + body)
    restored = SnapshotStore(tmp_path).load("a")
    assert restored.data is None
    assert "cannot be understood" in restored.reason


def test_a_damaged_snapshot_is_put_aside_for_people(tmp_path):
    store = SnapshotStore(tmp_path)
    store.save("a", "old", 1.0)
    damage(tmp_path / "a.json", "cut")
    store.save("a", "new", 2.0)
    assert store.load("a").data == "new"
    assert (tmp_path / "a.refused").exists()


def test_two_generations_are_kept_on_a_disk_without_links_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("not here")

    monkeypatch.setattr(os, "link", refuse)
    store = SnapshotStore(tmp_path)
    store.save("a", "old", 1.0)
    store.save("a", "new", 2.0)
    damage(tmp_path / "a.json", "cut")
    assert store.load("a").data == "old"


def test_a_snapshot_that_cannot_be_read_says_so(tmp_path):
    (tmp_path / "a.json").mkdir()
    assert "cannot be read" in SnapshotStore(tmp_path).load("a").reason


@settings(max_examples=40)
@given(st.integers(0, 400))
def test_a_snapshot_torn_at_any_byte_is_never_taken(tmp_path_factory, at_byte):
    folder = tmp_path_factory.mktemp("torn")
    store = SnapshotStore(folder)
    store.save("a", "old" * 50, 1.0)
    store.save("a", "new" * 50, 2.0)
    whole = (folder / "a.json").read_bytes()
    (folder / "a.json").write_bytes(whole[:at_byte])
    assert store.load("a").data == ("new" * 50 if at_byte >= len(whole) else "old" * 50)


# The package.


def test_every_public_name_can_be_had():
    assert sorted(supervision.__all__) == supervision.__all__
    assert set(supervision.__all__) == set(supervision._HOMES)
    for name in supervision.__all__:
        assert getattr(supervision, name) is not None
    with pytest.raises(AttributeError, match="supervision has no 'Zebra'"):
        _ = supervision.Zebra


def test_the_example_of_the_package_works(capsys):
    lines = supervision.__doc__.splitlines()
    code = "\n".join(line[4:] for line in lines if line.startswith("    "))
    exec(code, {})
    assert "ChildRestarted epoch=2" in capsys.readouterr().out


def test_the_package_knows_nothing_of_the_house():
    for file in Path(supervision.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import pems_actors" not in text
        assert "from pems_actors" not in text
        assert "from config" not in text


def test_the_guardian_and_the_workers_load_neither_pykka_nor_the_tree():
    code = (
        "import sys, supervision.guardian, supervision.worker_child;"
        "print('pykka' in sys.modules, 'supervision.system' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


def test_the_arithmetic_of_supervision_needs_no_actor():
    pure = "child_spec policy sequence liveness heartbeat events faults quarantine clock errors"
    code = (
        "import importlib, sys;"
        f"[importlib.import_module('supervision.' + name) for name in '{pure}'.split()];"
        "print('pykka' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False"]


def test_a_first_start_is_told_as_ready(world):
    world.grow("a")
    assert [event.line() for event in world.told(ChildReady)] == ["0.000 a ChildReady epoch=1"]
