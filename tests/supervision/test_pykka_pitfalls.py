"""What pykka alone does wrong when an actor dies, hangs or is asked; here none of it happens."""

import threading

import pykka
import pytest
from kit import (
    Do,
    Note,
    Puppet,
    Recall,
    fail,
    raise_,
)

from supervision import (
    AskTimeout,
    ChildSpec,
    Fault,
    FaultKind,
    MailboxSpec,
    NobodyThere,
    Ping,
    Pong,
    Restart,
    StartFailed,
    ThreadRuntime,
)
from supervision.events import ChildFailed, ChildRestarted, Unexpected

BASE_EXCEPTIONS = [SystemExit("leave"), KeyboardInterrupt(), GeneratorExit(), BaseException("odd")]


@pytest.mark.parametrize("error", BASE_EXCEPTIONS, ids=repr)
def test_a_base_exception_in_a_handler_stops_no_other_actor(real_world, error):
    system = real_world.grow("a", "b")
    system.tell("a", Do(lambda _: raise_(error)))
    assert system.ask("a", Recall()) == ()
    assert real_world.epochs == {"root": 1, "a": 2, "b": 1}


@pytest.mark.parametrize("error", BASE_EXCEPTIONS, ids=repr)
def test_a_base_exception_under_ask_reaches_the_asker_and_replaces_the_actor(real_world, error):
    system = real_world.grow("a", "b")
    with pytest.raises(type(error)):
        system.ask("a", Do(lambda _: raise_(error)))
    assert system.ask("a", Recall()) == ()
    assert real_world.epochs["a"] == 2


def test_every_ask_is_answered_while_its_actor_keeps_dying(real_world):
    """In pykka an ask between the look and the enqueue is never resolved."""
    system = real_world.grow(real_world.puppet("a", intensity=10**6), intensity=10**6)
    outcomes = []

    def ask_often():
        for _ in range(60):
            try:
                outcomes.append(system.ask("a", Recall(), timeout_s=20.0))
            except NobodyThere:
                outcomes.append("nobody")

    askers = [threading.Thread(target=ask_often) for _ in range(4)]
    for asker in askers:
        asker.start()
    for _ in range(4):
        system.tell("a", fail())
    for asker in askers:
        asker.join()
    assert len(outcomes) == 240


def test_a_failure_under_ask_is_seen_by_the_supervisor(world):
    system = world.grow("a")
    with pytest.raises(ValueError, match="boom"):
        system.ask("a", fail())
    world.settle()
    assert [event.reason for event in world.told(ChildFailed)] == ["ValueError: boom"]
    assert world.epochs["a"] == 2


def test_a_failing_start_is_known_and_leaves_nothing_behind(world):
    with pytest.raises(StartFailed):
        world.grow(world.puppet("a", lambda _: raise_(ValueError("boom"))))
    assert pykka.ActorRegistry.get_all() == []


def test_an_exit_in_a_start_leaves_no_actor_that_only_seems_alive(real_world):
    with pytest.raises(StartFailed, match="SystemExit"):
        real_world.grow(real_world.puppet("a", lambda _: raise_(SystemExit())))
    assert pykka.ActorRegistry.get_all() == []
    with pytest.raises(NobodyThere):
        real_world.system.ask("a", Ping())


def test_life_is_proven_by_an_answer_to_a_ping(world):
    system = world.grow("a")
    assert system.ask("a", Ping(token=7)) == Pong("a", 1, 0.0, 7)


def test_a_constructor_fails_in_its_own_life_not_in_its_supervisor(world):
    ill = []

    def factory(context):
        if ill:
            raise ValueError("boom")
        return Puppet(context)

    system = world.grow(ChildSpec("a", factory), "b")
    ill.append(True)
    world.crash("a")
    ill.clear()
    world.runtime.run_for(1.0)
    assert world.epochs["root"] == 1
    assert system.ask("a", Recall()) == ()


def test_messages_behind_a_crash_are_not_lost(world):
    system = world.grow("a")
    for message in (Note(1), fail(), Note(2), Note(3)):
        system.tell("a", message)
    world.settle()
    assert world.recall("a") == (1, 2, 3)


def test_an_ask_behind_a_crash_is_answered_by_the_successor(world):
    system = world.grow("a")
    system.tell("a", fail())
    assert system.ask("a", Recall()) == ()
    assert world.epochs["a"] == 2


def test_a_memory_error_is_a_crash_like_any_other(world):
    system = world.grow("a")
    system.tell("a", Do(lambda _: raise_(MemoryError())))
    world.settle()
    assert [event.reason for event in world.told(ChildFailed)] == ["MemoryError"]
    assert world.epochs["a"] == 2


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit()], ids=repr)
def test_a_failure_while_stopping_answers_everybody_who_waits(real_world, error):
    spec = real_world.puppet("a", at_stop=lambda _: raise_(error), restart=Restart.TRANSIENT)
    system = real_world.grow(spec)
    reference = system.ask("a", Do(lambda me: me.actor_ref))
    assert reference.stop(timeout=20.0) is True
    assert system.count_children("root")["specs"] == 1


def test_stopping_a_hung_actor_takes_no_longer_than_its_patience(real_world):
    busy, free = threading.Event(), threading.Event()
    system = real_world.grow(real_world.puppet("a", shutdown_s=0.05, deadline_s=None))
    system.tell("a", Do(lambda _: (busy.set(), free.wait(20.0))))
    assert busy.wait(20.0)
    system.stop(timeout_s=10.0)
    assert system.verdict == "the system stops"
    assert system.counters()["zombies"] == 1
    free.set()


def test_a_stop_that_succeeded_is_no_proof_of_a_good_end_but_the_events_are(world):
    world.grow("a")
    reference = world.system.ask("a", Do(lambda me: me.actor_ref))
    reference.tell(fail())
    reference.stop()
    world.settle()
    assert [event.path for event in world.told(ChildFailed)] == ["a"]


def test_an_actor_that_asks_is_refused_instead_of_waiting_for_ever(real_world):
    system = real_world.grow("a")
    with pytest.raises(RuntimeError, match="an actor must not ask and wait"):
        system.ask("a", Do(lambda me: me.context.system.ask("a", Recall())))


def test_the_runtime_holds_its_actors_strongly(world):
    import gc

    world.grow("a")
    gc.collect()
    assert world.recall("a") == ()


def test_a_flood_stays_within_its_bound(world):
    system = world.grow(world.puppet("a", mailbox=MailboxSpec(bound=10)))
    for number in range(1000):
        assert system.tell("a", Note(number))
    assert world.system.status("a").mailbox == 10
    assert world.recall("a") == tuple(range(991, 1000))
    assert system.counters()["dropped"] == 991


def test_a_hung_actor_does_not_keep_the_process_from_ending(real_world):
    real_world.grow("a")
    assert real_world.system.ask("a", Do(lambda _: threading.current_thread().daemon))


def test_a_proxy_call_is_an_unexpected_message(world):
    world.grow("a")
    reference = world.system.ask("a", Do(lambda me: me.actor_ref))
    assert reference.proxy().now_s().get() is None
    assert [event.message_type for event in world.told(Unexpected)] == ["ProxyCall"]


def test_stopping_all_actors_through_pykka_restarts_what_is_permanent(world):
    world.grow("a", "b")
    references = pykka.ActorRegistry.get_by_class_name("Puppet")
    for reference in references:
        reference.stop()
    world.settle()
    assert {world.states["a"], world.states["b"]} == {"running"}
    assert len(world.told(ChildRestarted)) == 2


def test_a_dead_reference_says_so(world):
    world.grow("a")
    reference = world.system.ask("a", Do(lambda me: me.actor_ref))
    world.crash("a")
    with pytest.raises(pykka.ActorDeadError):
        reference.tell(Note("too late"))


def test_an_ask_that_is_not_answered_ends_in_time(world):
    system = world.grow("a")
    system.inject("a", Fault(FaultKind.SLOW, seconds=1.5))
    with pytest.raises(AskTimeout, match="a gave no answer to Recall within 1 s"):
        system.ask("a", Recall(), timeout_s=1.0)
    assert world.runtime.now_s() == 1.0


def test_an_ask_for_nobody_says_so(world):
    system = world.grow("a")
    with pytest.raises(NobodyThere, match="no actor at 'b'"):
        system.ask("b", Recall())
    system.terminate_child("root", "a")
    with pytest.raises(NobodyThere, match=r"a does not run \(stopped: stopped\)"):
        system.ask("a", Recall())


def test_killing_everybody_at_once_brings_everybody_back(real_world):
    names = [f"a{number}" for number in range(50)]
    system = real_world.grow(*names, intensity=1000)
    for name in names:
        system.tell(name, fail())
    for name in names:
        assert system.ask(name, Recall(), timeout_s=5.0) == ()
    assert {real_world.epochs[name] for name in names} == {2}
    assert isinstance(real_world.runtime, ThreadRuntime)
