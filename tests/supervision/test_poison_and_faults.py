"""Faults on purpose, and messages that crash whoever reads them."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import Do, Note, Puppet, Recall, raise_

from supervision import (
    ActorSystem,
    ChildSpec,
    Fault,
    FaultKind,
    FaultPlan,
    Health,
    MailboxSpec,
    NobodyThere,
    Policy,
    VirtualRuntime,
)
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildRestarted,
    FaultInjected,
    LateEffect,
    MailboxOverflow,
    Quarantined,
)
from supervision.quarantine import HOLD_S, REMEMBERED, Quarantine, fingerprint


@dataclass(frozen=True)
class Tick:
    """A message without content."""


@dataclass(frozen=True)
class Parcel:
    content: object


class Array:
    def __init__(self, *values):
        self.values = values

    def tobytes(self):
        return repr(self.values).encode()


# The fingerprint.


@pytest.mark.parametrize(
    "content",
    ["text", 1.5, (1, "a"), [1, 2], {"a": 1, "b": (2, 3)}, None, Parcel(7), Array(1, 2, 3)],
    ids=lambda content: type(content).__name__,
)
def test_equal_content_has_an_equal_fingerprint_and_other_content_another(content):
    assert fingerprint(Parcel(content)) == fingerprint(Parcel(content))
    assert fingerprint(Parcel(content)) != fingerprint(Parcel("something else"))


def test_the_type_counts_too():
    assert fingerprint(Parcel(1)) != fingerprint(Note(1))
    assert fingerprint(Parcel(1)) != fingerprint(Parcel("1"))


def test_a_message_without_content_cannot_be_blamed():
    assert fingerprint(Tick()) is None
    quarantine = Quarantine()
    for _ in range(5):
        quarantine.blame(Tick(), 0.0)
    assert quarantine.holds(Tick(), 0.0) is None


def test_a_message_is_held_after_two_crashes_for_a_while():
    quarantine = Quarantine()
    quarantine.blame(Parcel(1), 0.0)
    assert quarantine.holds(Parcel(1), 1.0) is None
    quarantine.blame(Parcel(1), 10.0)
    assert quarantine.holds(Parcel(1), 11.0) == fingerprint(Parcel(1))
    assert quarantine.holds(Parcel(2), 11.0) is None
    assert quarantine.holds(Note(1), 11.0) is None
    assert quarantine.holds(Parcel(1), 10.0 + HOLD_S + 1.0) is None
    assert quarantine.holds(Parcel(1), 11.0) is None


def test_two_crashes_far_apart_are_no_reason():
    quarantine = Quarantine()
    quarantine.blame(Parcel(1), 0.0)
    quarantine.blame(Parcel(1), HOLD_S + 1.0)
    assert quarantine.holds(Parcel(1), HOLD_S + 2.0) is None


def test_a_message_that_must_never_be_dropped_is_never_put_aside(world):
    spec = world.puppet("a", mailbox=MailboxSpec(10, {Do: Policy.SAFETY}))
    system = world.grow(spec)
    for _ in range(4):
        system.tell("a", Do(_explode, content="frost"))
        world.runtime.run_for(2.0)
    assert system.counters()["crashes"] == 4
    assert system.counters()["quarantined"] == 0


def test_only_so_many_suspects_are_remembered():
    quarantine = Quarantine()
    for number in range(REMEMBERED + 10):
        quarantine.blame(Parcel(number), 0.0)
        quarantine.blame(Parcel(number), 0.0)
    held = [n for n in range(REMEMBERED + 10) if quarantine.holds(Parcel(n), 0.0)]
    assert held == list(range(10, REMEMBERED + 10))


# Poison in the tree.


def poisonous(number):
    return Do(lambda _: raise_(ValueError("boom")), content=number)


def test_a_message_that_crashed_its_reader_twice_is_put_aside(world):
    system = world.grow("a")
    poison = Do(_explode, content="bad reading")
    for _ in range(4):
        system.tell("a", poison)
        world.runtime.run_for(1.0)
    assert len(world.told(ChildFailed)) == 2
    assert [(event.path, event.message_type) for event in world.told(Quarantined)] == [
        ("a", "Do")
    ] * 2
    assert system.counters()["quarantined"] == 2
    with pytest.raises(NobodyThere, match="this Do crashed its reader before"):
        system.ask("a", poison)
    system.tell("a", Note("fine"))
    assert world.recall("a") == ("fine",)


def _explode(_):
    raise ValueError("boom")


def test_a_message_that_hung_its_reader_twice_is_put_aside(world):
    system = world.grow("a")
    heavy = Do(_sleep_long, content="heavy")
    for _ in range(3):
        system.tell("a", heavy)
        world.runtime.run_for(20.0)
    assert len(world.told(ChildHung)) == 2
    assert len(world.told(Quarantined)) == 1


def _sleep_long(me):
    me.context.system.runtime.stall(me.context.life, 10.0, burn=False)


def test_a_zombie_that_ends_badly_does_not_blame_its_message_again(world):
    system = world.grow("a")

    def sleep_and_fail(me):
        _sleep_long(me)
        raise ValueError("boom")

    heavy = Do(sleep_and_fail, content="heavy")
    system.tell("a", heavy)
    world.runtime.run_for(20.0)
    assert system.directory.find("a").quarantine.holds(heavy, 20.0) is None


def test_a_message_an_actor_sends_itself_by_timer_is_never_put_aside(world):
    def armed(me):
        me.after(1.0, Parcel("tick"))

    class Ticker(Puppet):
        def on_receive(self, message):
            return raise_(ValueError("a bug")) if message == Parcel("tick") else None

    system = world.grow(ChildSpec("a", lambda c: Ticker(c, armed), intensity=100), intensity=100)
    world.runtime.run_for(30.0)
    assert system.counters()["crashes"] > 3
    assert system.counters()["quarantined"] == 0


# Faults.


def test_a_fault_is_suffered_at_its_message():
    plan, suffered = FaultPlan().add(Fault(FaultKind.CRASH, at_message=3)), []
    for _ in range(5):
        plan, fault = plan.at_message()
        suffered.append(fault is not None)
    assert suffered == [False, False, True, False, False]


def test_of_two_faults_at_one_message_the_younger_waits():
    plan = FaultPlan().add(Fault(FaultKind.CRASH)).add(Fault(FaultKind.HANG))
    plan, first = plan.at_message()
    plan, second = plan.at_message()
    assert (first.kind, second.kind) == (FaultKind.CRASH, FaultKind.HANG)
    assert plan == FaultPlan()


def test_a_fault_of_starts_does_not_count_messages():
    plan = FaultPlan().add(Fault(FaultKind.CRASH_START, count=2))
    plan, fault = plan.at_message()
    assert fault is None
    plan, first = plan.at_start()
    plan, second = plan.at_start()
    plan, third = plan.at_start()
    assert (first is None, second is None, third is None) == (False, False, True)


@given(st.sampled_from(FaultKind), st.integers(1, 9), st.integers(1, 9))
def test_every_fault_is_suffered_as_often_as_it_says(kind, at_message, count):
    plan, suffered = FaultPlan().add(Fault(kind, at_message, count=count)), 0
    for _ in range(20):
        plan, at_message_fault = plan.at_message()
        plan, at_start_fault = plan.at_start()
        suffered += (at_message_fault is not None) + (at_start_fault is not None)
    expected = 0 if kind in {FaultKind.POISON, FaultKind.FLOOD} else count
    assert suffered == expected


@pytest.mark.parametrize("wrong", [{"count": 0}, {"seconds": -1.0}, {"at_message": -1}])
def test_a_fault_that_could_never_happen_is_refused(wrong):
    with pytest.raises(ValueError, match="a fault needs"):
        Fault(FaultKind.CRASH, **wrong)


def test_faults_have_names_shared_with_drills():
    assert {Fault.named(kind.value).kind for kind in FaultKind} == set(FaultKind)
    assert Fault.named("crash", at_message=4).at_message == 4
    with pytest.raises(ValueError, match="give one of: crash, crash-base"):
        Fault.named("earthquake")


def test_faults_need_a_system_made_for_drills(world):
    with pytest.raises(PermissionError, match="drills=True"):
        ActorSystem(VirtualRuntime(1)).inject("a", Fault(FaultKind.CRASH))
    world.grow("a")
    with pytest.raises(NobodyThere, match="to harm"):
        world.system.inject("b", Fault(FaultKind.CRASH))


@pytest.mark.parametrize("kind", [FaultKind.CRASH, FaultKind.CRASH_BASE])
@pytest.mark.parametrize("at_message", [None, 2])
def test_a_crash_is_survived_by_name(world, kind, at_message):
    system = world.grow("a", "b")
    system.inject("a", Fault(kind, at_message))
    for number in range(3):
        system.tell("a", Note(number))
    assert world.recall("a") == ((0, 1, 2) if at_message is None else (0, 2))
    assert world.epochs == {"root": 1, "a": 2, "b": 1}
    assert [event.fault for event in world.told(FaultInjected)] == [kind.value]


def test_a_start_that_fails_twice_is_tried_until_it_works(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.CRASH_START, count=2))
    world.crash("a")
    world.runtime.run_for(5.0)
    failures = [(event.during, event.reason[:13]) for event in world.told(ChildFailed)]
    assert failures == [("run", "ValueError: b"), *[("start", "InjectedCrash")] * 2]
    assert world.states["a"] == "running"
    assert world.epochs["a"] == 4
    assert system.counters()["restarts"] == 1
    (restarted,) = world.told(ChildRestarted)
    assert restarted.after_s == restarted.at_s > 0.2


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.SPIN])
def test_a_hang_is_found_at_the_deadline_and_its_late_effect_is_refused(world, kind):
    done = []
    system = world.grow("a", "b")
    system.inject("a", Fault(kind, at_message=1, seconds=10.0))

    def act(me):
        me.effect(lambda: done.append(me.context.epoch))
        me.tell("b", Note("from a zombie"))
        me.after(1.0, Note("never"))
        me.health(Health.DEGRADED, "from a zombie")
        me.state = (*me.state, "half done")

    system.tell("a", Note("before"))
    world.settle()
    world.runtime.run_for(20.0)
    system.inject("a", Fault(kind, at_message=1, seconds=10.0))
    system.tell("a", Do(act))
    system.tell("a", Note("waiting"))
    world.runtime.run_for(1.0)
    assert world.system.status("a").busy_ms == 1000.0
    world.runtime.run_for(1.0)
    assert [event.at_s for event in world.told(ChildHung)] == [2.0, 22.0]
    world.runtime.run_for(0.2)  # the delay of a second failure
    assert world.epochs["a"] == 3
    assert world.system.status("a").zombies == 1
    assert world.recall("a") == ("waiting",)
    world.runtime.run_for(20.0)
    assert done == []
    assert world.recall("b") == ()
    assert world.system.status("a").zombies == 0
    assert [event.resource for event in world.told(LateEffect)] == [None, "tell b"]
    counters = system.counters()
    assert (counters["hangs"], counters["zombies"], counters["zombies_total"]) == (2, 0, 2)
    assert (counters["late_effects"], counters["late_tells"]) == (1, 1)


def test_a_slow_actor_is_shown_as_degraded_and_not_restarted(world):
    done = []
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.SLOW, seconds=0.7, count=3))
    for number in range(3):
        system.tell("a", Do(lambda me, n=number: me.effect(lambda: done.append(n))))
    world.runtime.run_for(2.2)
    assert done == [0, 1, 2]
    assert (world.states["a"], world.epochs["a"]) == ("degraded", 1)
    assert "slow" in world.system.status("a").reason
    for number in range(4):
        system.tell("a", Note(number))
    world.settle()
    assert world.states["a"] == "running"


def test_a_slow_actor_that_fails_fails_when_it_is_through(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.SLOW, seconds=0.5))
    system.tell("a", Do(_explode))
    world.runtime.run_for(0.4)
    assert world.told(ChildFailed) == []
    world.runtime.run_for(0.2)
    assert [event.at_s for event in world.told(ChildRestarted)] == [0.5]


def test_messages_for_a_frozen_actor_wait_until_it_thaws(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.SLOW, seconds=1.0))
    for number in range(3):
        system.tell("a", Note(number))
    world.runtime.run_for(0.5)
    assert system.state_of("a") == ()
    system.ask("a", Recall(), timeout_s=5.0)
    assert system.state_of("a") == (0, 1, 2)


def test_a_poison_is_put_aside_after_two_crashes(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.POISON, count=4))
    world.runtime.run_for(5.0)
    assert len(world.told(ChildFailed)) == 2
    assert len(world.told(Quarantined)) == 2
    assert world.states["a"] == "running"


def test_a_flood_is_bounded_and_told_once(world):
    system = world.grow(world.puppet("a", mailbox=MailboxSpec(bound=100)))
    system.inject("a", Fault(FaultKind.FLOOD, count=1000))
    world.settle()
    assert system.counters()["dropped"] == 900
    assert [event.bound for event in world.told(MailboxOverflow)] == [100]
    system.tell("a", Note("after the flood"))
    assert world.recall("a") == ("after the flood",)


def test_a_dropped_message_is_lost_and_nothing_else(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.DROP, count=2))
    for number in range(4):
        system.tell("a", Note(number))
    assert world.recall("a") == (2, 3)
