"""However much comes and however slow the link: bounded, and the last word on a topic is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.gateways.mqtt_queues import Inbox, Incoming, Outbox
from pems_actors.gateways.wire import Message

TOPICS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("state"), TOPICS),
        st.tuples(st.just("event"), TOPICS),
        st.tuples(st.just("order"), TOPICS),
        st.tuples(st.sampled_from(["send", "cut", "link"]), st.just("")),
    ),
    max_size=80,
)


def arrival(size: int, topic: str = "a") -> Incoming:
    return Incoming(topic, b"x" * size, retained=False)


@given(STEPS)
def test_the_broker_ends_with_the_newest_of_every_state(steps: list[tuple[str, str]]) -> None:
    outbox, broker, newest = Outbox(3), {}, {}
    for number, (what, topic) in enumerate(steps):
        if what == "state":
            newest[topic] = Message(topic, str(number), retain=True)
            assert outbox.put(newest[topic], keep=False) == 0
        elif what in {"event", "order"}:
            outbox.put(Message(f"{what}/{topic}", str(number)), keep=what == "event")
        elif what == "send" and outbox:
            message, _ = outbox.take()
            broker[message.topic] = message
        elif what == "cut":
            outbox.drop_orders()
            broker.clear()  # it may be restarted empty
            outbox.tell_all()
        assert len(outbox._others) <= 3
        assert len(outbox._unsent) <= 6
    while outbox:
        message, _ = outbox.take()
        broker[message.topic] = message
    assert {t: m for t, m in broker.items() if m.retain} == newest


def test_a_state_that_changes_while_it_waits_is_told_once() -> None:
    outbox = Outbox(10)
    for number in range(5):
        outbox.put(Message("a", str(number), retain=True), keep=True)
    assert outbox.take() == (Message("a", "4", retain=True), True)
    assert not outbox


def test_orders_do_not_outlive_their_link_and_events_do() -> None:
    outbox = Outbox(10)
    outbox.put(Message("order", "on"), keep=False)
    outbox.put(Message("event", "happened"), keep=True)
    assert outbox.drop_orders() == 1
    assert outbox.take() == (Message("event", "happened"), True)


def test_the_oldest_events_give_way_and_are_counted() -> None:
    outbox = Outbox(2)
    assert [outbox.put(Message("e", str(k)), keep=True) for k in range(4)] == [0, 0, 1, 1]
    assert [outbox.take()[0].payload for _ in range(2)] == ["2", "3"]


@given(st.lists(st.integers(0, 50), max_size=60))
def test_an_inbox_is_bounded_in_messages_and_in_bytes(sizes: list[int]) -> None:
    inbox = Inbox(most=8, most_bytes=100)
    dropped = sum(inbox.put(arrival(size)) for size in sizes)
    assert inbox._bytes == sum(len(m.payload) for m in inbox._messages) <= 100
    assert len(inbox._messages) <= 8
    assert dropped + len(inbox._messages) == len(sizes)
    while inbox:
        inbox.take()
    assert inbox._bytes == 0


def test_news_of_the_link_come_first_and_survive_a_flood() -> None:
    inbox = Inbox(most=2)
    inbox.put(arrival(1, "early"))
    inbox.link(up=False)
    inbox.link(up=True)
    for _ in range(100):
        inbox.put(arrival(1))
    assert [inbox.take() for _ in range(2)] == [False, True]
    assert inbox.take() == arrival(1)
