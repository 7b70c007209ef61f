"""What an actor can do: speak by name, keep state, act through the gate, say how it is, work."""

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
    ChildSpec,
    GetSnapshot,
    Health,
    MailboxFull,
    MailboxSpec,
    NobodyThere,
    Ping,
    Policy,
    Pong,
    Restart,
    Snapshot,
    WorkerDone,
    WorkerFailed,
    WorkerSpec,
)
from supervision.events import DeadLetter, HealthChanged, LateEffect, Unexpected


def test_actors_find_each_other_by_name_whatever_happens_to_them(world):
    system = world.grow("a", "b")
    assert system.ask("a", Do(lambda me: me.tell("b", Note("hello"))))
    world.crash("b")
    assert system.ask("a", Do(lambda me: me.tell("b", Note("again"))))
    assert world.recall("b") == ("hello", "again")


def test_a_message_for_nobody_is_counted_and_told_once_in_a_while(world):
    system = world.grow("a")
    for _ in range(3):
        assert not system.ask("a", Do(lambda me: me.tell("nowhere", Note("anybody?"))))
    assert system.counters()["dead_letters"] == 3
    assert len(world.told(DeadLetter)) == 1
    world.runtime.run_for(61.0)
    system.tell("nowhere", Note("anybody?"))
    assert len(world.told(DeadLetter)) == 2


def test_invented_addresses_do_not_fill_the_memory(world):
    system = world.grow("a")
    for number in range(5000):
        system.tell(f"nowhere/{number}", Note(number))
    assert system.counters()["dead_letters"] == 5000
    assert len(system.journal._last_s) < 4100


def test_messages_told_during_a_delay_wait_for_the_successor(world):
    system = world.grow("a")
    world.crash("a", "a")
    assert world.states["a"] == "restarting"
    for number in range(3):
        assert system.tell("a", Note(number))
    world.runtime.run_for(1.0)
    assert world.recall("a") == (0, 1, 2)


def test_state_is_kept_from_the_last_message_that_went_well(world):
    def spoil(me):
        me.state = (*me.state, "half done")
        raise ValueError("boom")

    system = world.grow("a")
    system.tell("a", Note("good"))
    system.tell("a", Do(spoil))
    world.settle()
    assert world.recall("a") == ("good",)
    assert system.state_of("a") == ("good",)
    assert system.state_of("nowhere") is None


def test_a_successor_has_the_state_before_it_starts(world):
    seen = []
    system = world.grow(world.puppet("a", lambda me: seen.append(me.state)))
    system.tell("a", Note("kept"))
    world.crash("a")
    assert seen == [(), ("kept",)]


def test_a_state_that_keeps_a_successor_from_starting_is_dropped(world):
    def dislike(me):
        if me.state:
            raise ValueError("corrupt")

    system = world.grow(world.puppet("a", dislike))
    system.tell("a", Note("corrupt"))
    world.crash("a")
    world.runtime.run_for(1.0)
    assert world.states["a"] == "running"
    assert world.recall("a") == ()


def test_an_effect_goes_through_the_gate(world):
    done = []
    system = world.grow("a")
    act = Do(lambda me: me.effect(lambda: done.append("switched"), "relay"))
    assert not system.ask("a", act)
    system.gate.grant("relay", "a")
    assert system.ask("a", act)
    assert done == ["switched"]
    assert system.counters()["late_effects"] == 1
    assert [(event.resource, event.reason) for event in world.told(LateEffect)] == [
        ("relay", "no lease")
    ]


def test_health_is_shown_with_its_reason_and_since_when(world):
    system = world.grow("a")
    world.runtime.run_for(5.0)
    for reason in ("no plan", "no plan", "no sensor"):
        system.ask("a", Do(lambda me, r=reason: me.health(Health.FALLBACK, r, level=3)))
        world.runtime.run_for(1.0)
    status = system.status("a")
    assert (status.state, status.reason, status.level) == ("fallback", "no sensor", 3)
    assert status.since_s == 5.0
    assert [event.reason for event in world.told(HealthChanged)] == ["no plan", "no sensor"]
    world.crash("a")
    assert system.status("a").state == "running"


def test_an_unknown_message_is_counted_and_harms_nobody(world):
    system = world.grow("a")
    system.tell("a", "gibberish")
    world.settle()
    assert system.counters()["unexpected"] == 1
    assert [event.message_type for event in world.told(Unexpected)] == ["str"]
    assert world.epochs["a"] == 1


def test_a_snapshot_and_a_pong_can_be_asked_for_or_be_told_to_somebody(world):
    heard = []

    class Ear(Puppet):
        def on_receive(self, message):
            if isinstance(message, Pong | Snapshot):
                heard.append(message)
                return None
            return super().on_receive(message)

    system = world.grow("a", ChildSpec("ear", Ear))
    system.tell("a", Note("kept"))
    world.settle()
    assert system.ask("a", GetSnapshot(token=1)) == Snapshot("a", 1, ("kept",), 1)
    system.tell("a", GetSnapshot(reply_to="ear", token=2))
    system.tell("a", Ping(reply_to="ear", token=3))
    world.settle()
    assert heard == [Snapshot("a", 1, ("kept",), 2), Pong("a", 1, 0.0, 3)]


def test_a_ping_overtakes_a_flood(world):
    system = world.grow("a")
    for number in range(500):
        system.tell("a", Note(number))
    assert system.ask("a", GetSnapshot()).state == ()
    assert len(world.recall("a")) == 500


def test_a_command_is_refused_with_a_reply_when_the_mailbox_is_full(world):
    spec = world.puppet("a", mailbox=MailboxSpec(2, {Recall: Policy.REJECT, Note: Policy.REJECT}))
    system = world.grow(spec)
    assert system.tell("a", Note(1))
    assert system.tell("a", Note(2))
    assert not system.tell("a", Note(3))
    with pytest.raises(MailboxFull, match="a has 2 messages waiting; try again later"):
        system.ask("a", Recall())
    assert system.counters()["refused"] == 2


def test_an_orderly_end_by_itself_is_no_failure(world):
    system = world.grow("a")
    system.ask("a", Do(lambda me: me.stop()))
    world.settle()
    assert system.counters()["crashes"] == 0
    assert world.epochs["a"] == 2


def test_an_actor_may_end_itself_in_its_start(world):
    world.grow(world.puppet("a", lambda me: me.stop(), restart=Restart.TRANSIENT), "b")
    assert world.states == {"root": "running", "a": "stopped", "b": "running"}
    assert world.stops() == ["a"]


def test_the_clock_of_an_actor_is_house_time(world):
    system = world.grow("a")
    world.runtime.run_for(42.0)
    assert system.ask("a", Do(lambda me: (me.now_s(), me.process_s()))) == (42.0, 42.0)


WORKER = WorkerSpec("calculator", "worker_jobs:calculator", virtual_latency_s=(0.1, 0.2))


def work(me, *jobs):
    worker = me.worker(WORKER)
    for ticket, job in enumerate(jobs):
        worker.submit(ticket, job)
    me.workers = [worker]


class Employer(Puppet):
    """Notes what its worker answers."""

    def on_receive(self, message):
        if isinstance(message, WorkerDone | WorkerFailed):
            self.state = (*self.state, message)
            return None
        return super().on_receive(message)


def test_a_worker_answers_by_a_message_after_a_seeded_latency(world):
    system = world.grow(ChildSpec("a", Employer))
    system.ask("a", Do(lambda me: work(me, ("double", 21), ("raise_error",))))
    world.runtime.run_for(0.09)
    assert world.recall("a") == ()
    world.runtime.run_for(0.2)
    by_ticket = {outcome.ticket: outcome for outcome in world.recall("a")}
    assert by_ticket[0].result == 42
    assert 0.1 <= by_ticket[0].took_s <= 0.2
    assert (by_ticket[1].kind, "no such room" in by_ticket[1].reason) == ("error", True)


def test_a_worker_ends_with_its_actor_and_its_answer_is_not_inherited(world):
    system = world.grow(ChildSpec("a", Employer))
    kept = []

    def hire(me):
        work(me, ("double", 21))
        kept.extend(me.workers)

    system.ask("a", Do(hire))
    world.crash("a")
    world.runtime.run_for(1.0)
    assert world.recall("a") == ()
    assert not kept[0].status().ready


def test_a_zombie_that_hires_a_worker_late_gets_a_closed_one(world):
    system = world.grow("a")
    me = system.ask("a", Do(lambda me: me))
    world.crash("a")
    assert not me.worker(WORKER).status().ready
    me.after(1.0, Note("too late"))
    me.health(Health.DEGRADED, "too late")
    world.runtime.run_for(5.0)
    assert system.status("a").state == "running"
    assert not me.tell("a", Note("too late")) or world.recall("a") == ("too late",)


def test_dead_references_raise_what_they_should(world):
    system = world.grow("a")
    system.tell("a", fail())
    world.settle()
    with pytest.raises(ValueError, match="odd"):
        system.ask("a", Do(lambda _: raise_(ValueError("odd"))))
    with pytest.raises(NobodyThere):
        system.ask("zzz", Recall())
