"""pykka's three hooks that are replaced; each test fails if pykka stops calling its hook so."""

import inspect

import pykka
import pytest
from kit import Do, Note, Puppet

from supervision import Restart
from supervision.future import Reply
from supervision.mailbox import Mailbox


def test_the_inbox_is_made_by_its_hook_and_filled_by_pykkas_references(world):
    world.grow("a")
    me = world.system.ask("a", Do(lambda me: me))
    assert isinstance(me.actor_inbox, Mailbox)
    assert me.actor_ref.actor_inbox is me.actor_inbox
    me.actor_ref.tell(Note("by reference"))
    world.settle()
    assert world.recall("a") == ("by reference",)


def test_pykka_makes_the_inbox_once_in_its_constructor():
    made = []

    class Plain(pykka.Actor):
        def _create_actor_inbox(self):
            made.append("inbox")
            return []

        @staticmethod
        def _create_future():
            raise AssertionError

        def _start_actor_loop(self):
            raise AssertionError

    assert Plain().actor_inbox == []
    assert made == ["inbox"]


def test_pykka_puts_envelopes_with_these_two_fields_into_the_inbox():
    got = []

    class Inbox:
        def put(self, envelope):
            got.append((envelope.message, type(envelope.reply_to)))

    class Plain(Puppet):
        def _create_actor_inbox(self):
            return Inbox()

        def __init__(self):
            pykka.Actor.__init__(self)

    reference = Plain().actor_ref
    reference.tell("told")
    reference.ask("asked", block=False)
    assert got == [("told", type(None)), ("asked", Reply)]


def test_the_future_of_an_ask_by_reference_is_ours_and_turns_the_virtual_clock(world):
    world.grow("a")
    reference = world.system.ask("a", Do(lambda me: me.actor_ref))
    future = reference.ask(Do(lambda _: "answer"), block=False)
    assert isinstance(future, Reply)
    assert not future.done
    assert future.get() == "answer"


def test_an_ask_by_reference_works_on_threads(real_world):
    real_world.grow("a")
    reference = real_world.system.ask("a", Do(lambda me: me.actor_ref))
    assert reference.ask(Do(lambda _: "answer"), timeout=20.0) == "answer"


def test_pykka_starts_the_loop_by_its_hook_after_registering():
    seen = []

    class Plain(pykka.Actor):
        @staticmethod
        def _create_actor_inbox():
            return []

        @staticmethod
        def _create_future():
            raise AssertionError

        def _start_actor_loop(self):
            seen.append(self.actor_ref in pykka.ActorRegistry.get_all())
            pykka.ActorRegistry.unregister(self.actor_ref)

    Plain.start()
    assert seen == [True]


def test_the_loop_of_pykka_itself_never_runs(world, monkeypatch):
    def forbidden(_):
        raise AssertionError("pykka's own loop must not run")

    for name in ("_actor_loop", "_actor_loop_setup", "_actor_loop_running", "_stop"):
        assert inspect.isfunction(getattr(pykka.Actor, name))
        monkeypatch.setattr(pykka.Actor, name, forbidden)
    world.grow("a")
    world.system.tell("a", Note("heard"))
    assert world.recall("a") == ("heard",)
    world.system.stop()
    assert world.stops() == ["a"]


def test_the_way_pykka_starts_an_actor_is_refused_with_a_way_out():
    with pytest.raises(TypeError, match=r"put `ChildSpec\(name, lambda context: Puppet"):
        Puppet.start()


def test_a_stop_by_reference_ends_the_actor_and_is_answered(world):
    world.grow(world.puppet("a", restart=Restart.TRANSIENT))
    reference = world.system.ask("a", Do(lambda me: me.actor_ref))
    assert reference.stop() is True
    assert not reference.is_alive()
    assert world.stops() == ["a"]
    assert reference.stop() is False


def test_the_mailbox_speaks_pykkas_inbox_protocol(world):
    world.grow("a")
    inbox = world.runtime.mailbox({}, 10)
    inbox.put(pykka._envelope.Envelope("told"))
    reply = Reply()
    inbox.put(pykka._envelope.Envelope("asked", reply))
    assert not inbox.empty()
    assert inbox.get().message == "told"
    envelope = inbox.get()
    assert (envelope.message, envelope.reply_to) == ("asked", reply)
    assert inbox.empty()
