"""Every order over MQTT has one final answer, whatever becomes of those who serve it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pems_actors.domain.events import Outcome, Request
from pems_actors.gateways.open_orders import OpenOrders
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message
from tests.gateways.houses import NOW_S

ORDER = Request("1", "rooms/obyvak", "boost", {}, "", NOW_S, reply_to="me")


class Book:
    """The book of open orders, what it said, and its timers to be let off by hand."""

    def __init__(self) -> None:
        self.said: list[Message] = []
        self.timers: list[Callable[[], object]] = []
        self.orders = OpenOrders(
            Topics(), self.said.append, lambda: NOW_S, lambda _, act: self.timers.append(act)
        )

    def hands_out(self, *, taken: bool = True) -> None:
        self.orders.begin(ORDER, lambda _: taken)

    def hears(self, outcome: str, order_id: str = "1") -> None:
        self.orders.answer(Outcome(order_id, "rooms/obyvak", "boost", outcome, "", NOW_S))

    def outcomes(self) -> list[str]:
        assert all(message.topic == "me" for message in self.said)
        return [json.loads(message.payload)["outcome"] for message in self.said]


def time_is_up(book: Book) -> None:
    for timer in book.timers:
        timer()


def test_an_order_that_nobody_answers_times_out_once() -> None:
    book = Book()
    book.hands_out()
    time_is_up(book)
    time_is_up(book)
    book.hears("done")
    assert book.outcomes() == ["timeout"]


def test_an_order_that_was_answered_does_not_time_out() -> None:
    book = Book()
    book.hands_out()
    book.hears("done")
    time_is_up(book)
    assert book.outcomes() == ["done"]


def test_accepted_is_told_and_is_not_the_last_word() -> None:
    book = Book()
    book.hands_out()
    for outcome in ("accepted", "failed", "accepted", "done"):
        book.hears(outcome)
    assert book.outcomes() == ["accepted", "failed"]


def test_an_order_that_nobody_can_take_is_refused_to_who_sent_it() -> None:
    book = Book()
    book.hands_out(taken=False)
    assert book.outcomes() == ["rejected"]
    assert "again" in json.loads(book.said[0].payload)["reason"]
    assert not book.timers


def test_an_id_that_comes_again_has_its_own_time() -> None:
    book = Book()
    book.hands_out()
    book.hears("done")
    book.orders.begin(Request("1", "rooms/obyvak", "release", {}, "", NOW_S, reply_to="me"), bool)
    book.timers[0]()
    assert book.outcomes() == ["done"]
    book.timers[1]()
    assert book.outcomes() == ["done", "timeout"]


@pytest.mark.parametrize("outcome", ["done", "accepted"])
def test_an_answer_that_nobody_waits_for_is_not_told(outcome: str) -> None:
    book = Book()
    book.hears(outcome, "stranger")
    assert book.outcomes() == []
