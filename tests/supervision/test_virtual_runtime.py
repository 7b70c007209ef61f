"""Virtual time: the same seed gives the same run, time stands still unless it is turned."""

import sys
import time

import pykka
import pytest
from kit import Do, Note, Recall, World, fail, raise_

from supervision import (
    ActorSystem,
    AskTimeout,
    ChildSpec,
    Fault,
    FaultKind,
    MailboxSpec,
    Park,
    Policy,
    SupervisedActor,
    SupervisorSpec,
    VirtualRuntime,
)
from supervision.events import ChildHung, FalseAlarm, Unexpected
from supervision.future import Reply
from supervision.runtimes.timers import SWEEP_AT_LEAST
from supervision.worker import WorkerSpec


class Gossip(SupervisedActor):
    """Tells what it hears to the next one, a few times."""

    heard = ()

    def on_receive(self, message):
        self.heard = (*self.heard, message)
        if len(message) < 6:
            for listener in ("a", "b", "c"):
                self.tell(listener, message + self.path)


def gossip(seed):
    heard = []
    system = ActorSystem(VirtualRuntime(seed))

    class Recorder(Gossip):
        def on_receive(self, message):
            heard.append((self.path, message))
            super().on_receive(message)

    system.start(SupervisorSpec("root", children=tuple(ChildSpec(n, Recorder) for n in "abc")))
    system.tell("a", "-")
    system.runtime.run_until_quiet()
    system.stop()
    return heard


def test_the_same_seed_gives_the_same_order_and_another_seed_another():
    assert gossip(1) == gossip(1)
    assert gossip(1) != gossip(2)
    assert sorted(gossip(1)) == sorted(gossip(2))


def stormy_lines(seed):
    world = World(VirtualRuntime(seed))
    world.grow(*(f"a{number}" for number in range(8)), intensity=100)
    for number in range(8):
        world.system.inject(f"a{number}", Fault(FaultKind.CRASH, at_message=1, count=3))
        for _ in range(4):
            world.system.tell(f"a{number}", Note("x"))
    world.runtime.run_for(100.0)
    world.system.stop()
    return world.lines()


def test_the_same_seed_gives_the_same_event_lines_and_another_seed_others():
    assert stormy_lines(3) == stormy_lines(3)
    assert stormy_lines(3) != stormy_lines(4)
    assert sorted(line.split()[2] for line in stormy_lines(3)) == sorted(
        line.split()[2] for line in stormy_lines(4)
    )


def test_messages_between_the_same_two_actors_stay_in_order(world):
    def tell_twice(number):
        def act(me):
            me.tell("ear", Note((me.path, number)))
            me.tell("ear", Note((me.path, number + 1)))

        return Do(act)

    system = world.grow("a", "b", "ear")
    for number in range(0, 20, 2):
        for mouth in ("a", "b"):
            system.tell(mouth, tell_twice(number))
    world.settle()
    heard = world.recall("ear")
    for mouth in ("a", "b"):
        assert [number for path, number in heard if path == mouth] == list(range(20))
    assert heard != tuple(sorted(heard))


def test_time_passes_only_when_it_is_turned(world):
    world.grow("a")
    world.system.ask("a", Do(lambda me: me.after(10.0, Note("rang"))))
    world.runtime.run_until_quiet()
    assert world.runtime.now_s() == 0.0
    world.runtime.run_until_quiet(within_s=9.0)
    assert (world.runtime.now_s(), world.recall("a")) == (0.0, ())
    world.runtime.run_until_quiet(within_s=50.0)
    assert (world.runtime.now_s(), world.recall("a")) == (10.0, ("rang",))
    world.runtime.run_until(25.0)
    assert world.runtime.now_s() == world.runtime.process_s() == 25.0


def test_timers_due_together_ring_in_the_order_of_arming(world):
    def arm(me):
        for number in range(5):
            me.after(3.0, Note(number), key=number)

    world.grow("a")
    world.system.ask("a", Do(arm))
    world.runtime.run_for(3.0)
    assert world.recall("a") == (0, 1, 2, 3, 4)


def test_arming_a_timer_again_replaces_it_and_cancelling_forgets_it(world):
    def arm(me):
        me.after(1.0, Note("first"))
        me.after(2.0, Note("second"))
        me.after(1.0, Note("cancelled"), key="k")
        me.cancel("k")
        me.cancel("never armed")
        me.after(4.0, Note("process"), key="p", process=True)

    world.grow("a")
    world.system.ask("a", Do(arm))
    world.runtime.run_for(10.0)
    assert world.recall("a") == ("second", "process")


def test_timers_end_with_the_actor(world):
    world.grow("a")
    world.system.ask("a", Do(lambda me: me.after(5.0, Note("from a former life"))))
    world.crash("a")
    world.runtime.run_for(10.0)
    assert world.recall("a") == ()


def test_timers_that_no_longer_count_are_swept_out(world):
    world.grow("a")

    def arm_often(me):
        for _ in range(3 * SWEEP_AT_LEAST):
            me.after(1e6, Note("far away"))

    world.system.ask("a", Do(arm_often))
    assert len(world.runtime._timers.heap) < 2 * SWEEP_AT_LEAST
    world.runtime.run_for(2e6)
    assert world.recall("a") == ("far away",)


def test_a_timer_whose_message_finds_a_full_mailbox_is_counted(world):
    spec = world.puppet("a", mailbox=MailboxSpec(1, {Note: Policy.REJECT}))
    world.grow(spec)

    def arm(me):
        me.after(1.0, Note(1), key=1)
        me.after(1.0, Note(2), key=2)

    world.system.ask("a", Do(arm))
    world.runtime.run_for(1.0)
    assert world.recall("a") == (1,)
    assert world.system.counters()["refused"] == 1


def test_a_handler_cannot_turn_the_clock(world):
    system = world.grow("a")
    with pytest.raises(RuntimeError, match="cannot be turned from inside a handler"):
        system.ask("a", Do(lambda me: me.context.system.runtime.run_for(1.0)))


def test_a_process_that_stood_still_blames_nobody(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.SLOW, seconds=9.0))
    system.tell("a", Note("slow"))
    world.settle()
    world.runtime.stand_still(5.0)
    world.settle()
    assert [event.late_s for event in world.told(FalseAlarm)] == [3.0]
    assert system.counters()["false_alarms"] == 1
    world.runtime.run_for(1.9)
    assert world.told(ChildHung) == []
    world.runtime.run_for(0.2)
    assert len(world.told(ChildHung)) == 1


def test_a_watch_that_finds_another_message_looks_again(world):
    system = world.grow("a")
    for _ in range(2):
        system.inject("a", Fault(FaultKind.SLOW, seconds=9.0))
        system.tell("a", Note("slow"))
    world.settle()
    world.runtime.stand_still(8.0)
    world.runtime.run_for(2.5)
    assert len(world.told(FalseAlarm)) == 1
    assert world.told(ChildHung) == []
    world.runtime.run_for(1.0)
    assert [event.at_s for event in world.told(ChildHung)] == [11.0]


def test_a_start_that_hangs_in_virtual_time_is_replaced(world):
    first = [True]

    def hang_once(me):
        if first:
            first.clear()
            me.context.system.runtime.stall(me.context.life, 9.0, burn=False)

    world.grow(world.puppet("a", hang_once, when_exhausted=Park()), "b")
    world.runtime.run_for(20.0)
    assert world.epochs["a"] == 2
    assert set(world.states.values()) == {"running"}
    assert world.system.counters()["zombies"] == 0


def test_only_the_newest_reading_is_read(world):
    spec = world.puppet("a", mailbox=MailboxSpec(10, {Note: Policy.LATEST}))
    system = world.grow(spec)
    for number in range(3):
        system.tell("a", Note(number))
    assert world.recall("a") == (2,)
    system.tell("a", Note(3))
    assert world.recall("a") == (2, 3)


def test_a_slow_actor_that_moved_on_is_not_replaced(world):
    """The report that it is busy meets a supervisor that sees it was another message."""
    system = world.grow("a", "b")
    system.inject("a", Fault(FaultKind.SLOW, seconds=2.0))
    system.tell("a", Note("just in time"))
    world.runtime.run_for(10.0)
    assert world.epochs["a"] == 1
    assert world.recall("a") == ("just in time",)


def test_a_person_at_the_keyboard_can_end_a_simulation(world):
    system = world.grow("a")
    system.tell("a", Do(lambda _: raise_(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        world.runtime.run_for(1.0)
    with pytest.raises(KeyboardInterrupt):
        system.ask("a", Do(lambda _: raise_(KeyboardInterrupt())))


def test_an_ask_turns_the_clock_only_as_far_as_its_answer(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.SLOW, seconds=1.0))
    assert system.ask("a", Recall(), timeout_s=100.0) == ()
    assert world.runtime.now_s() == 1.0


def test_an_ask_whose_time_is_over_leaves_the_clock_there(world):
    system = world.grow(world.puppet("a", deadline_s=None))
    system.inject("a", Fault(FaultKind.SLOW, seconds=100.0))
    with pytest.raises(AskTimeout):
        system.ask("a", Recall(), timeout_s=7.0)
    assert world.runtime.now_s() == 7.0


def test_a_future_without_a_time_limit_waits_as_long_as_something_is_to_come(world):
    world.grow("a")
    reply = Reply()
    world.runtime.call_later(1000.0, lambda: reply.set("late"))
    assert world.runtime.wait(reply, None) == "late"
    assert world.runtime.now_s() == 1000.0


def test_the_first_answer_counts():
    reply = Reply()
    reply.set("first")
    reply.set("second")
    reply.refuse(ValueError("third"))
    assert reply.get() == "first"
    with pytest.raises(pykka.Timeout):
        Reply().get(timeout=0.0)


def test_a_runtime_without_a_system_says_so():
    with pytest.raises(AssertionError, match="give the runtime to an ActorSystem first"):
        VirtualRuntime(1)._bound()


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer costs more than the message")
def test_a_message_and_a_timer_cost_little_beside_their_handler():
    """The bound is loose: it is there to catch a cost that has become another one."""

    class Sink(SupervisedActor):
        def on_start(self):
            self.after(1.0, self)

        def on_receive(self, message):
            if message is self:
                self.after(1.0, self)

    system = ActorSystem(VirtualRuntime(1))
    system.start(SupervisorSpec("root", children=(ChildSpec("a", Sink), ChildSpec("b", Sink))))
    began = time.process_time()
    for number in range(20_000):
        system.tell("ab"[number % 2], number)
    system.runtime.run_until_quiet()
    system.runtime.run_for(10_000.0)
    system.stop()
    assert time.process_time() - began < 20_000 * 6e-6 + 20_000 * 10e-6


def test_a_virtual_tree_can_be_stopped_from_any_state(world):
    system = world.grow("a", "b")
    system.inject("a", Fault(FaultKind.HANG, seconds=1000.0))
    system.tell("b", fail())
    system.stop()
    assert system.verdict == "the system stops"
    assert world.runtime.now_s() == 2.0


def test_what_a_worker_says_after_its_actor_has_ended_reaches_no_successor(world):
    world.grow("planner")
    spec = WorkerSpec("solver", "worker_jobs:calculator", deadline_s=5.0)
    worker = world.system.ask("planner", Do(lambda planner: planner.worker(spec)))
    worker.submit(1, ("double", 4))
    world.crash("planner")
    worker.submit(2, ("double", 4))
    world.runtime.run_for(10.0)
    assert world.epochs["planner"] == 2
    assert world.told(Unexpected) == []
