"""Two lanes, a bound and a policy per message type, on one thread and on many."""

import threading
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pykka._envelope import Envelope

from supervision import MailboxFull, MailboxSpec, NobodyThere, Ping, Policy, StopActor
from supervision.future import Reply
from supervision.mailbox import CLOSED_MAILBOX, Mailbox, Outcome, ThreadMailbox, lanes_for


@dataclass(frozen=True)
class Plain:
    number: int


@dataclass(frozen=True)
class Reading:
    key: str
    value: float


@dataclass(frozen=True)
class Wish:
    number: int


@dataclass(frozen=True)
class Alarm:
    number: int


POLICIES = {
    Plain: Policy.FIFO,
    Reading: Policy.LATEST,
    Wish: Policy.REJECT,
    Alarm: Policy.SAFETY,
}
KINDS = pytest.mark.parametrize("kind", [Mailbox, ThreadMailbox])


def box(kind=Mailbox, bound=3):
    return kind(lanes_for(MailboxSpec(bound, POLICIES)), bound)


def drain(mailbox):
    taken = []
    while not mailbox.empty():
        item = mailbox.take()
        taken.append(item.message if isinstance(item, Envelope) else item)
    return taken


@KINDS
def test_messages_come_out_in_order(kind):
    mailbox = box(kind)
    for number in range(3):
        assert mailbox.offer(Plain(number)) is Outcome.ACCEPTED
    assert drain(mailbox) == [Plain(0), Plain(1), Plain(2)]


@KINDS
def test_control_and_safety_come_before_data_and_are_never_dropped(kind):
    mailbox = box(kind)
    for number in range(10):
        mailbox.offer(Plain(number))
        mailbox.offer(Alarm(number))
    mailbox.offer(Ping())
    assert drain(mailbox)[:11] == [*(Alarm(n) for n in range(10)), Ping()]


@KINDS
def test_the_oldest_is_dropped_when_the_bound_is_reached(kind):
    mailbox = box(kind)
    outcomes = [mailbox.offer(Plain(number)) for number in range(5)]
    assert outcomes == [Outcome.ACCEPTED] * 3 + [Outcome.OVERFLOWED] * 2
    assert drain(mailbox) == [Plain(2), Plain(3), Plain(4)]


@KINDS
def test_the_newest_reading_takes_the_place_of_the_older_one(kind):
    mailbox = box(kind)
    for message in (Reading("a", 1), Plain(0), Reading("b", 2), Reading("a", 3)):
        assert mailbox.offer(message) is Outcome.ACCEPTED
    assert drain(mailbox) == [Reading("a", 3), Plain(0), Reading("b", 2)]
    mailbox.offer(Reading("a", 4))
    assert drain(mailbox) == [Reading("a", 4)]


def test_a_reading_that_was_dropped_has_no_place_to_take():
    mailbox = box(bound=2)
    for message in (Reading("a", 1), Plain(0), Plain(1), Reading("a", 2)):
        mailbox.offer(message)
    assert drain(mailbox) == [Plain(1), Reading("a", 2)]


def test_an_asked_reading_is_not_replaced():
    mailbox, reply = box(), Reply()
    mailbox.offer(Reading("a", 1), reply)
    mailbox.offer(Reading("a", 2))
    assert drain(mailbox) == [Reading("a", 1), Reading("a", 2)]


@KINDS
def test_a_wish_is_refused_when_full_and_kept_once_accepted(kind):
    mailbox = box(kind, bound=2)
    assert mailbox.offer(Wish(0)) is Outcome.ACCEPTED
    assert mailbox.offer(Plain(0)) is Outcome.ACCEPTED
    assert mailbox.offer(Wish(1)) is Outcome.REFUSED
    assert mailbox.offer(Plain(1)) is Outcome.OVERFLOWED
    assert drain(mailbox) == [Wish(0), Plain(1)]


def test_nothing_is_dropped_for_a_newcomer_where_only_promises_wait():
    mailbox = box(bound=2)
    mailbox.offer(Wish(0))
    mailbox.offer(Wish(1))
    assert mailbox.offer(Plain(0)) is Outcome.REFUSED
    assert drain(mailbox) == [Wish(0), Wish(1)]


def test_an_ask_that_is_dropped_is_told_so():
    mailbox, reply = box(bound=1), Reply()
    mailbox.offer(Plain(0), reply)
    mailbox.offer(Plain(1))
    with pytest.raises(MailboxFull):
        reply.get(timeout=0.0)


@KINDS
def test_what_was_not_handled_passes_to_the_heir_before_what_came_later(kind):
    old, heir = box(kind, 10), box(kind, 10)
    for message in (Plain(0), Alarm(0), StopActor(), Reading("a", 1), Plain(1)):
        old.offer(message)
    heir.offer(Plain(2))
    assert old.hand_over_to(heir) == 0
    assert old.offer(Plain(9)) is Outcome.CLOSED
    heir.offer(Reading("a", 2))
    assert drain(heir) == [Alarm(0), Plain(0), Reading("a", 2), Plain(1), Plain(2)]


def test_an_heir_keeps_its_bound():
    old, heir = box(bound=3), box(bound=3)
    for number in range(3):
        old.offer(Plain(number))
    heir.offer(Plain(3))
    assert old.hand_over_to(heir) == 1
    assert drain(heir) == [Plain(1), Plain(2), Plain(3)]


def test_an_heir_of_too_many_promises_keeps_the_older_ones():
    old, heir = box(bound=2), box(bound=2)
    for number in range(2):
        old.offer(Wish(number))
        heir.offer(Wish(number + 2))
    assert old.hand_over_to(heir) == 2
    assert drain(heir) == [Wish(0), Wish(1)]


def test_an_order_to_one_life_is_not_inherited_and_its_asker_is_told():
    old, heir, reply = box(), box(), Reply()
    old.offer(StopActor(), reply)
    old.hand_over_to(heir)
    assert heir.empty()
    with pytest.raises(NobodyThere):
        reply.get(timeout=0.0)


@KINDS
def test_closing_tells_everybody_who_asked(kind):
    mailbox, asked, pinged = box(kind), Reply(), Reply()
    mailbox.offer(Plain(0))
    mailbox.offer(Plain(1), asked)
    mailbox.offer(Ping(), pinged)
    assert mailbox.close("the house sleeps") == 2
    for reply in (asked, pinged):
        with pytest.raises(NobodyThere, match="the house sleeps"):
            reply.get(timeout=0.0)
    assert mailbox.offer(Plain(2)) is Outcome.CLOSED


@KINDS
def test_an_envelope_that_cannot_be_taken_is_answered(kind):
    mailbox, reply = box(kind), Reply()
    mailbox.close("over")
    mailbox.put(Envelope("anything"))
    mailbox.put(Envelope("anything", reply))
    with pytest.raises(MailboxFull):
        reply.get(timeout=0.0)


def test_a_foreign_future_is_answered_too():
    import pykka

    mailbox, foreign = box(), pykka.ThreadingFuture()
    mailbox.close("over")
    mailbox.put(Envelope("anything", foreign))
    with pytest.raises(MailboxFull):
        foreign.get(timeout=0.0)


def test_a_reader_waits_for_a_message_and_wakes_when_it_is_closed():
    mailbox, taken = box(ThreadMailbox), []

    def read():
        while (item := mailbox.wait_and_take()) is not CLOSED_MAILBOX:
            taken.append(item)

    reader = threading.Thread(target=read)
    reader.start()
    mailbox.offer(Plain(1))
    while not mailbox.empty():
        pass
    mailbox.close("over")
    reader.join(5.0)
    assert taken == [Plain(1)]


messages = st.one_of(
    st.builds(Plain, st.integers(0, 5)),
    st.builds(Reading, st.sampled_from("ab"), st.integers(0, 5)),
    st.builds(Wish, st.integers(0, 5)),
    st.builds(Alarm, st.integers(0, 5)),
)


@given(st.lists(st.one_of(messages, st.just("take"))), st.integers(1, 4))
def test_for_every_story_the_bound_holds_and_promises_are_kept(story, bound):
    mailbox, promised, kept = box(bound=bound), [], []
    for step in story:
        if step == "take":
            if not mailbox.empty():
                kept.append(mailbox.take())
            continue
        outcome = mailbox.offer(step)
        if isinstance(step, Wish | Alarm) and outcome is not Outcome.REFUSED:
            promised.append(step)
        assert len(mailbox.data) <= bound
        waiting = [item.key for item in mailbox.data if hasattr(item, "key")]
        assert len(waiting) == len(set(waiting))
    kept += drain(mailbox)
    for kind in (Wish, Alarm):
        assert [m for m in kept if isinstance(m, kind)] == [
            m for m in promised if isinstance(m, kind)
        ]
