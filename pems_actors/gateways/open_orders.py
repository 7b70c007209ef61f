"""The orders over MQTT that wait for their one final answer.

An actor may crash, hang or be parked with an order in its hands, or with the answer to one. Who
ordered hears one final answer all the same: this book outlives the actors, and what nobody answers
in time it answers itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pems_actors.domain.events import Outcome, Request
from pems_actors.gateways.payloads import reply_message
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message

ANSWER_WITHIN_S = 15.0  # of process time; the control actor gives its own answer after 5 s
BUSY = "too many orders wait, or nobody takes any just now; send it again, with a new id"


@dataclass
class OpenOrders:
    """Hands orders on and lets each be answered once; any thread may call it.

    publish: sends a message without blocking.    now_s: house time.
    call_later: calls a function after a delay in process time [s].
    """

    topics: Topics
    publish: Callable[[Message], object]
    now_s: Callable[[], float]
    call_later: Callable[[float, Callable[[], object]], None]
    _open: dict[str, Request] = field(default_factory=dict)

    def begin(self, order: Request, hand_on: Callable[[Request], bool]) -> None:
        """Hand an order on and stand for its answer, whatever becomes of those who have it."""
        self._open[order.id] = order
        if hand_on(order):
            self.call_later(ANSWER_WITHIN_S, partial(self._time_is_up, order))
        else:
            self.refuse(order)

    def waits(self, order: Request) -> bool:
        """Tell if an order still waits; one whose time is up must not be carried out any more."""
        return self._open.get(order.id) is order

    def refuse(self, order: Request) -> None:
        """Answer an order that nobody can take."""
        self._end(order, "rejected", BUSY)

    def answer(self, outcome: Outcome) -> None:
        """Tell the answer to an order that still waits; `accepted` is not the last word."""
        final = outcome.outcome != "accepted"
        order = self._open.pop(outcome.id, None) if final else self._open.get(outcome.id)
        if order is not None:
            self.publish(reply_message(outcome, order.reply_to, self.topics))

    def _time_is_up(self, order: Request) -> None:
        if self.waits(order):
            self._end(order, "timeout", f"no answer within {ANSWER_WITHIN_S:g} s")

    def _end(self, order: Request, outcome: str, reason: str) -> None:
        self.answer(Outcome(order.id, order.path, order.verb, outcome, reason, self.now_s()))
