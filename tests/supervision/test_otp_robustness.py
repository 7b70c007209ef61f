"""What must hold when things go wrong in odd ways (OTP's cases 69 to 88)."""

import gc
import time
import weakref

import pytest
from kit import Do, Note, branch, fail, raise_
from pykka import ActorRegistry

from supervision import Fault, FaultKind, Restart, Strategy
from supervision.events import ChildFailed, ChildHung, ChildRestarted, IncidentClosed


def test_a_child_that_leaves_the_registry_is_still_stopped(world):
    system = world.grow("a")
    system.ask("a", Do(lambda me: ActorRegistry.unregister(me.actor_ref)))
    system.stop()
    assert world.stops() == ["a"]


def test_a_failing_branch_is_restarted_with_just_its_own_children(world):
    system = world.grow(branch("sub", branch("inner", world.puppet("a")), world.puppet("b")), "c")
    system.tell("sub/inner/a", Note("kept"))
    system.inject("sub", Fault(FaultKind.CRASH))
    world.settle()
    assert world.epochs == {
        "root": 1,
        "sub": 2,
        "sub/inner": 2,
        "sub/inner/a": 2,
        "sub/b": 2,
        "c": 1,
    }
    assert set(world.states.values()) == {"running"}
    assert world.recall("sub/inner/a") == ("kept",)


def test_an_end_of_the_root_itself_ends_the_system(world):
    system = world.grow("a")
    system.inject("root", Fault(FaultKind.CRASH))
    assert "InjectedCrash" in system.join(1.0)
    assert not system.tell("a", Note("anybody?"))


def test_the_arguments_of_an_ended_temporary_child_are_not_kept(world):
    class Heavy:
        pass

    heavy = Heavy()
    gone = weakref.ref(heavy)
    system = world.grow(world.puppet("room", restart=Restart.TEMPORARY), strategy=Strategy.DYNAMIC)
    system.start_child("root", (heavy,))
    del heavy
    system.tell("room-1", Do(lambda me: me.stop()))
    world.settle()
    gc.collect()
    assert gone() is None


def test_the_specs_of_ended_temporary_children_are_not_kept(world):
    system = world.grow()
    for _ in range(50):
        system.start_child("root", world.puppet("guest", restart=Restart.TEMPORARY))
        system.tell("guest", fail())
        world.settle()
    assert list(system.directory.slots) == ["root"]
    assert system.count_children("root")["specs"] == 0


def seconds_for_dynamic_children(world, branch_name, count):
    system = world.system
    began = time.process_time()
    for _ in range(count):
        system.start_child(branch_name, ())
    for number in range(count):
        system.tell(f"{branch_name}/guest-{number + 1}", Do(lambda me: me.stop()))
    world.settle()
    assert system.count_children(branch_name)["specs"] == 0
    return time.process_time() - began


def test_the_cost_of_thousands_of_temporary_children_stays_linear(world):
    def dynamic(name):
        guest = world.puppet("guest", restart=Restart.TEMPORARY)
        return branch(name, guest, strategy=Strategy.DYNAMIC)

    world.grow(dynamic("warm"), dynamic("few"), dynamic("many"))
    seconds_for_dynamic_children(world, "warm", 100)
    few = seconds_for_dynamic_children(world, "few", 300)
    many = seconds_for_dynamic_children(world, "many", 1200)
    assert many < 3.0 * 4.0 * few  # quadratic would be 16 times


def test_a_restarted_branch_is_found_under_its_name_again(world):
    system = world.grow(branch("sub", world.puppet("a")))
    system.inject("sub", Fault(FaultKind.CRASH))
    world.settle()
    assert [child.name for child in system.which_children("sub")] == ["a"]


@pytest.mark.parametrize(
    "strategy",
    [Strategy.ONE_FOR_ONE, Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE, Strategy.DYNAMIC],
)
def test_a_child_that_fails_to_start_again_and_again_does_not_hold_up_its_supervisor(
    world, strategy
):
    ill = []
    spec = world.puppet(
        "a", lambda _: raise_(OSError("port taken")) if ill else None, intensity=1000
    )
    if strategy is Strategy.DYNAMIC:
        system = world.grow(strategy=strategy, intensity=1000)
        system.start_child("root", spec)
        system.start_child("root", world.puppet("b"))
    else:
        system = world.grow("b", spec, strategy=strategy, intensity=1000)
    ill.append(True)
    world.crash("a")
    for _ in range(20):
        world.runtime.run_for(5.0)
        assert system.count_children("root")["specs"] == 2
    assert len(world.told(ChildFailed)) > 5
    system.stop()
    assert system.verdict == "the system stops"


def test_many_children_start_and_stop_in_little_time(world):
    began = time.process_time()
    system = world.grow(*(f"a{number}" for number in range(300)))
    system.stop()
    assert world.stops() == list(reversed(world.starts()))
    assert time.process_time() - began < 2.0


def test_a_failure_is_told_in_one_stable_line(world):
    world.grow("a")
    world.system.tell("a", Do(lambda _: raise_(ValueError(f"odd {object()!r}"))))
    world.settle()
    (failed,) = world.told(ChildFailed)
    assert failed.line() == (
        "0.000 a ChildFailed epoch=1 reason='ValueError: odd <object object at 0x>' during='run'"
    )
    assert "Traceback" in failed.traceback


def test_a_restart_is_told_in_one_stable_line(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.HANG, seconds=60.0))
    world.runtime.run_for(3.0)
    assert [event.line() for event in world.told(ChildRestarted)] == [
        "2.000 a ChildRestarted epoch=2 after_s=0.000"
    ]
    assert [event.line() for event in world.told(ChildHung)] == [
        "2.000 a ChildHung epoch=1 busy_s=2.000 message_type='InjectFault'"
    ]
    assert [event.line() for event in world.told(IncidentClosed)] == [
        (
            "2.000 a IncidentClosed id='a@1' cause='busy with InjectFault for 2.0 s' "
            "start_s=2.000 end_s=2.000 level=None"
        )
    ]


def test_children_added_to_a_branch_are_gone_after_its_restart(world):
    system = world.grow(branch("sub", world.puppet("a")))
    system.start_child("sub", world.puppet("guest"))
    system.inject("sub", Fault(FaultKind.CRASH))
    world.settle()
    assert set(world.states) == {"root", "sub", "sub/a"}
    assert not system.tell("sub/guest", Note("anybody?"))
