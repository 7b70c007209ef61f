"""Who is restarted with whom, as OTP's own suite asks for (cases 30 to 42 and 53)."""

import pytest
from kit import Do, Note, branch, raise_

from supervision import Fault, FaultKind, Restart, Strategy
from supervision.events import ChildEnded, Escalated

ALL, REST = Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE


def exhaust(world, path, times):
    for _ in range(times):
        if world.system.verdict is None:
            world.system.tell(path, Do(lambda _: raise_(ValueError("boom"))))
            world.runtime.run_for(4.0)


def test_one_for_one_restarts_only_the_failed_one(world):
    world.grow("a", "b", "c")
    world.crash("b")
    assert world.epochs == {"root": 1, "a": 1, "b": 2, "c": 1}


def test_one_for_one_escalates_past_its_limit(world):
    system = world.grow("a", "b", "c", intensity=1)
    exhaust(world, "b", 2)
    assert "more than 1 restarts in 60 s" in system.verdict
    assert world.stops() == ["c", "a"]
    assert [event.path for event in world.told(Escalated)] == ["root"]
    assert world.states["root"] == "failed"


def test_one_for_all_restarts_all(world):
    world.grow("a", "b", "c", strategy=ALL)
    world.log.clear()
    world.crash("b")
    assert world.log == [
        ("stop", "c"),
        ("stop", "a"),
        ("start", "a"),
        ("start", "b"),
        ("start", "c"),
    ]
    assert world.epochs == {"root": 1, "a": 2, "b": 2, "c": 2}


def test_one_for_all_escalates_past_its_limit(world):
    system = world.grow("a", "b", strategy=ALL, intensity=1)
    exhaust(world, "b", 2)
    assert "more than 1 restarts" in system.verdict


@pytest.mark.parametrize("strategy", [ALL, REST])
def test_a_sibling_whose_restart_fails_is_tried_again_and_all_ends_well(world, strategy):
    left = [2]

    def fail_twice(me):
        if me.context.epoch > 1 and left[0]:
            left[0] -= 1
            raise ValueError("not yet")

    world.grow("a", world.puppet("b", fail_twice), "c", strategy=strategy)
    world.crash("a")
    world.runtime.run_for(5.0)
    assert set(world.states.values()) == {"running"}
    assert left == [0]


def test_a_dynamic_child_is_restarted_alone(world):
    system = world.grow(world.puppet("room"), strategy=Strategy.DYNAMIC)
    for _ in range(3):
        system.start_child("root", ())
    world.crash("room-2")
    assert world.epochs == {"root": 1, "room-1": 1, "room-2": 2, "room-3": 1}


def test_dynamic_children_stop_side_by_side_each_in_its_own_time(world):
    system = world.grow(strategy=Strategy.DYNAMIC)
    for name, patience_s in (("a", 1.0), ("b", 4.0), ("c", 0.0), ("d", 3.0)):
        system.start_child("root", world.puppet(name, shutdown_s=patience_s, deadline_s=None))
    for name in ("a", "b"):
        system.inject(name, Fault(FaultKind.HANG, seconds=100.0))
    world.settle()
    system.stop(timeout_s=50.0)
    ends = {event.path: (event.kind, event.at_s) for event in world.told(ChildEnded)}
    assert ends == {
        "a": ("killed", 1.0),
        "b": ("killed", 4.0),
        "c": ("killed", 0.0),
        "d": ("shutdown", 0.0),
    }


def test_arguments_given_at_the_start_survive_a_restart(world):
    system = world.grow(world.puppet("room", args=("house",)), strategy=Strategy.DYNAMIC)
    path = system.start_child("root", ("obyvak", 21.0))
    world.crash(path)
    arguments = system.ask(path, Do(lambda me: me.context.arguments))
    assert arguments == ("house", "obyvak", 21.0)


def test_a_dynamic_supervisor_escalates_past_its_limit(world):
    system = world.grow(world.puppet("room"), strategy=Strategy.DYNAMIC, intensity=1)
    system.start_child("root", ())
    exhaust(world, "room-1", 2)
    assert "more than 1 restarts" in system.verdict


def test_rest_for_one_leaves_the_earlier_ones_alone(world):
    world.grow("a", "b", "c", "d", strategy=REST)
    world.log.clear()
    world.crash("b")
    assert world.log == [
        ("stop", "d"),
        ("stop", "c"),
        ("start", "b"),
        ("start", "c"),
        ("start", "d"),
    ]
    assert world.epochs == {"root": 1, "a": 1, "b": 2, "c": 2, "d": 2}


def test_rest_for_one_escalates_past_its_limit(world):
    system = world.grow("a", "b", strategy=REST, intensity=1)
    exhaust(world, "a", 2)
    assert "more than 1 restarts" in system.verdict


def test_rest_for_one_tries_a_later_sibling_again_without_the_earlier_ones(world):
    left = [1]

    def fail_once(me):
        if me.context.epoch > 1 and left[0]:
            left[0] -= 1
            raise ValueError("not yet")

    world.grow("a", "b", world.puppet("c", fail_once), "d", strategy=REST)
    world.crash("b")
    world.runtime.run_for(5.0)
    assert world.epochs["a"] == 1
    assert world.epochs["b"] == 2
    assert set(world.states.values()) == {"running"}


@pytest.mark.parametrize("strategy", [ALL, REST])
def test_a_temporary_bystander_is_not_restarted_with_its_siblings(world, strategy):
    world.grow("a", world.puppet("b", restart=Restart.TEMPORARY), "c", strategy=strategy)
    world.crash("a")
    assert set(world.states) == {"root", "a", "c"}
    assert set(world.states.values()) == {"running"}


def test_siblings_restarted_together_keep_state_and_waiting_messages(world):
    system = world.grow("a", "b", strategy=ALL)
    system.tell("a", Note("before"))
    world.settle()
    system.tell("b", Do(lambda _: raise_(ValueError("boom"))))
    system.tell("a", Note("meanwhile"))
    world.settle()
    system.tell("a", Note("after"))
    assert world.recall("a") == ("before", "meanwhile", "after")


def test_a_group_waits_for_the_delay_of_the_one_that_failed(world):
    system = world.grow("a", "b", "c", strategy=ALL)
    world.crash("b", "b")
    assert world.states == {
        "root": "running",
        "a": "restarting",
        "b": "restarting",
        "c": "restarting",
    }
    assert system.tell("c", Note("stashed"))
    world.runtime.run_for(1.0)
    assert world.recall("c") == ("stashed",)


def test_a_sibling_stopped_by_hand_is_not_started_with_the_others(world):
    system = world.grow("a", "b", "c", strategy=ALL)
    system.terminate_child("root", "c")
    world.crash("a")
    assert world.states["c"] == "stopped"
    assert world.states["b"] == "running"


def test_a_branch_that_gives_up_is_restarted_by_its_parent(world):
    world.grow(branch("sub", world.puppet("a"), world.puppet("b"), intensity=1), "c")
    exhaust(world, "sub/a", 2)
    assert [event.path for event in world.told(Escalated)] == ["sub"]
    assert set(world.states.values()) == {"running"}
    assert world.epochs == {"root": 1, "sub": 2, "sub/a": 3, "sub/b": 2, "c": 1}
