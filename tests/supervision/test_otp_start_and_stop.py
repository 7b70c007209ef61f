"""How a tree starts and stops, as OTP's own suite of supervisors asks for (cases 1 to 22)."""

import pytest
from kit import Note, branch, fail, raise_

from supervision import (
    AdministrationError,
    ChildSpec,
    Fault,
    FaultKind,
    Ignore,
    Restart,
    SpecError,
    StartFailed,
    Strategy,
    SupervisorSpec,
)
from supervision.events import ChildEnded, ChildFailed

NOTHING_TO_DO = Ignore("no battery configured")


def refuse(_):
    raise NOTHING_TO_DO


def break_down(_):
    raise ValueError("no such file")


def test_a_tree_without_children_starts_and_ends(world):
    system = world.grow()
    assert world.states == {"root": "running"}
    system.stop()
    assert system.verdict == "the system stops"


def test_children_start_in_order_and_stop_in_reverse(world):
    system = world.grow("a", branch("b", world.puppet("c"), world.puppet("d")), "e")
    system.stop()
    assert world.starts() == ["a", "b/c", "b/d", "e"]
    assert world.stops() == ["e", "b/d", "b/c", "a"]


def test_a_child_with_nothing_to_run_keeps_its_spec(world):
    system = world.grow(world.puppet("battery", refuse), "b")
    assert world.states["battery"] == "stopped"
    assert system.count_children("root") == {
        "specs": 2,
        "active": 1,
        "supervisors": 0,
        "actors": 2,
    }


def test_a_temporary_child_with_nothing_to_run_is_forgotten(world):
    world.grow(world.puppet("battery", refuse, restart=Restart.TEMPORARY), "b")
    assert "battery" not in world.states


def test_a_child_added_later_may_have_nothing_to_run(world):
    system = world.grow("a")
    assert system.start_child("root", world.puppet("battery", refuse)) is None
    temporary = world.puppet("meter", refuse, restart=Restart.TEMPORARY)
    assert system.start_child("root", temporary) is None
    assert set(world.states) == {"root", "a", "battery"}


def test_a_dynamic_child_with_nothing_to_run_is_forgotten(world):
    system = world.grow(strategy=Strategy.DYNAMIC)
    assert system.start_child("root", world.puppet("battery", refuse)) is None
    assert set(world.states) == {"root"}
    system.stop()
    assert system.verdict == "the system stops"


def test_a_factory_that_gives_no_actor_fails_the_start_with_a_sentence(world):
    spec = ChildSpec("a", lambda _: "not an actor")
    with pytest.raises(StartFailed, match="must give a SupervisedActor"):
        world.grow(spec)


def test_a_start_that_raises_fails_the_tree_and_stops_what_had_started(world):
    with pytest.raises(StartFailed, match="child b did not start: ValueError: no such file"):
        world.grow("a", world.puppet("b", break_down), "c")
    assert world.starts() == ["a", "b"]
    assert world.stops() == ["a"]


def test_a_constructor_that_raises_fails_the_tree_too(world):
    with pytest.raises(StartFailed, match="out of paper"):
        world.grow(ChildSpec("a", lambda _: raise_(RuntimeError("out of paper"))))


def test_a_branch_that_does_not_start_fails_the_tree_with_its_reason(world):
    with pytest.raises(StartFailed, match=r"child b did not start: child c did not start: Val"):
        world.grow("a", branch("b", world.puppet("c", break_down)))
    assert world.stops() == ["a"]


def test_a_child_added_later_whose_start_fails_is_not_added(world):
    system = world.grow("a")
    with pytest.raises(AdministrationError, match="child b did not start") as refused:
        system.start_child("root", world.puppet("b", break_down))
    assert refused.value.code == "start_failed"
    assert set(world.states) == {"root", "a"}


def test_a_restart_by_hand_that_fails_leaves_the_child_stopped(world):
    ill = []
    spec = world.puppet("a", lambda me: break_down(me) if ill else None)
    system = world.grow(spec)
    system.terminate_child("root", "a")
    ill.append(True)
    with pytest.raises(AdministrationError) as refused:
        system.restart_child("root", "a")
    assert refused.value.code == "start_failed"
    assert [child.state for child in system.which_children("root")] == ["stopped"]
    ill.clear()
    system.restart_child("root", "a")
    assert world.states["a"] == "running"


def test_a_dynamic_child_whose_start_fails_is_not_added(world):
    system = world.grow(world.puppet("room", break_down), strategy=Strategy.DYNAMIC)
    with pytest.raises(AdministrationError, match="room-1 did not start"):
        system.start_child("root", ())
    assert system.which_children("root") == ()


def test_defaults_of_a_spec_read_back_right(world):
    system = world.grow("a", branch("b"))
    child, sub = system.get_child_spec("a"), system.get_child_spec("b")
    assert (child.restart, child.shutdown_s, child.deadline_s) == (Restart.PERMANENT, 2.0, 2.0)
    assert (sub.restart, sub.shutdown_s) == (Restart.PERMANENT, None)


def test_defaults_of_a_dynamic_child_read_back_right(world):
    system = world.grow(world.puppet("room"), strategy=Strategy.DYNAMIC)
    path = system.start_child("root", ("obyvak",))
    spec = system.get_child_spec(path)
    assert (spec.restart, spec.shutdown_s, spec.args) == (Restart.PERMANENT, 2.0, ("obyvak",))


def test_a_spec_without_its_parts_or_of_another_kind_is_rejected():
    with pytest.raises(TypeError):
        ChildSpec("a")
    with pytest.raises(TypeError):
        ChildSpec("a", break_down, colour="red")
    with pytest.raises(SpecError, match="no ChildSpec"):
        SupervisorSpec("root", children=("a",))


def busy_for(world, path, seconds):
    """The next message of this actor takes so long (virtual time)."""
    world.system.inject(path, Fault(FaultKind.HANG, at_message=1, seconds=seconds))
    world.settle()
    world.system.tell(path, Note("long work"))
    world.settle()


def test_an_infinite_patience_waits_for_the_end(world):
    system = world.grow(world.puppet("a", shutdown_s=None, deadline_s=None))
    busy_for(world, "a", 100.0)
    system.stop(timeout_s=1000.0)
    assert world.runtime.now_s() == 100.0
    assert world.stops() == ["a"]
    assert [end.kind for end in world.told(ChildEnded)] == ["shutdown"]


def test_a_finite_patience_cuts_a_sleeper_off(world):
    system = world.grow(world.puppet("a", shutdown_s=3.0, deadline_s=None), "b")
    busy_for(world, "a", 100.0)
    system.stop(timeout_s=50.0)
    assert world.runtime.now_s() == 3.0
    assert world.stops() == ["b"]
    assert [end.kind for end in world.told(ChildEnded)] == ["shutdown", "killed"]


def test_a_finite_patience_is_not_used_up_by_a_child_that_stops(world):
    system = world.grow(world.puppet("a", shutdown_s=3.0))
    system.stop()
    assert world.runtime.now_s() == 0.0
    assert world.stops() == ["a"]


def test_a_dynamic_sleeper_is_cut_off_after_its_patience(world):
    system = world.grow(
        world.puppet("room", shutdown_s=3.0, deadline_s=None), strategy=Strategy.DYNAMIC
    )
    system.start_child("root", ())
    system.start_child("root", ())
    busy_for(world, "room-1", 100.0)
    system.stop()
    assert world.runtime.now_s() == 3.0
    assert world.stops() == ["room-2"]


def test_a_brutal_stop_does_not_ask(world):
    system = world.grow(world.puppet("a", shutdown_s=0.0), "b")
    system.stop()
    assert world.stops() == ["b"]
    assert [end.kind for end in world.told(ChildEnded)] == ["shutdown", "killed"]


def test_a_brutal_stop_of_dynamic_children_does_not_ask(world):
    system = world.grow(world.puppet("room", shutdown_s=0.0), strategy=Strategy.DYNAMIC)
    system.start_child("root", ())
    system.stop()
    assert world.stops() == []
    assert [end.kind for end in world.told(ChildEnded)] == ["killed"]


@pytest.mark.parametrize("crash_first", [True, False])
def test_a_child_that_fails_while_the_tree_stops_is_told_once(world, crash_first):
    system = world.grow("a", "b")
    if crash_first:
        system.tell("b", fail())
    system.tell("a", fail())
    system.stop()
    assert system.verdict == "the system stops"
    failures = [event.path for event in world.told(ChildFailed)]
    assert sorted(failures) == (["a", "b"] if crash_first else ["a"])


def test_children_that_fail_while_stopping_are_told_and_the_stop_goes_on(world):
    system = world.grow("a", world.puppet("b", at_stop=break_down), "c")
    system.stop()
    assert world.stops() == ["c", "b", "a"]
    assert [(e.path, e.during) for e in world.told(ChildFailed)] == [("b", "stop")]
    assert system.verdict == "the system stops"


def test_a_start_that_takes_too_long_is_given_up_and_named(world):
    spec = branch(
        "b",
        world.puppet(
            "c",
            lambda me: me.context.system.runtime.stall(me.context.life, 100.0, burn=False),
            deadline_s=None,
        ),
    )
    with pytest.raises(StartFailed, match="still starting: root, b, b/c"):
        world.system.start(SupervisorSpec("root", children=(spec,)), timeout_s=5.0)


def test_a_system_is_started_once(world):
    world.grow()
    with pytest.raises(StartFailed, match="make a new one"):
        world.system.start(SupervisorSpec("root"))
