"""The door for orders over MQTT: reads each message before it may wait anywhere.

A flood of nonsense meets the codec here, on the connection's own thread, so that it cannot crowd
a good order out of a mailbox. The door outlives the actors behind it, and with it the memory of
the orders that came already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pems_actors.domain.events import Request
from pems_actors.gateways.mqtt_queues import Incoming
from pems_actors.gateways.topics import Dedupe, Topics, parse_control
from pems_actors.gateways.wire import Rejected

REFUSALS_PER_S = 20.0
REFUSALS_AT_ONCE = 100.0


@dataclass
class OrderDoor:
    """Reads orders for one house. `paths` are the addresses of all actors.

    `now_s` is house time, `process_s` real time: a stranger who floods gets an answer to a hundred
    messages at once and to twenty a second; the rest is only counted.
    """

    topics: Topics
    paths: frozenset[str]
    now_s: Callable[[], float]
    process_s: Callable[[], float]
    counters: Counter[str] = field(default_factory=Counter)
    _seen: Dedupe = field(default_factory=Dedupe)
    _refused: Dedupe = field(default_factory=Dedupe)  # apart: it may come again, corrected
    _answers: float = REFUSALS_AT_ONCE
    _answered_s: float = 0.0

    def judge(self, arrival: Incoming) -> Request | Rejected | None:
        """Give the order, or why it is none; None if there is nothing to say to it."""
        order = parse_control(
            arrival.topic,
            arrival.payload,
            retained=arrival.retained,
            now_s=self.now_s(),
            paths=self.paths,
            topics=self.topics,
        )
        if isinstance(order, Rejected):
            self.counters["orders_refused"] += 1
            if order.id is not None and not self._refused.first(order.id):
                return None  # the network said it twice, and one answer is enough
            return order if self._may_answer() else None
        if not self._seen.first(order.id):
            self.counters["orders_repeated"] += 1
            return None
        self.counters["orders_taken"] += 1
        return order

    def _may_answer(self) -> bool:
        now_s = self.process_s()
        earned = max(0.0, now_s - self._answered_s) * REFUSALS_PER_S
        self._answers = min(REFUSALS_AT_ONCE, self._answers + earned)
        self._answered_s = now_s
        if self._answers < 1.0:
            self.counters["refusals_unanswered"] += 1
            return False
        self._answers -= 1.0
        return True
