"""The door reads every order once, and a stranger who floods gets no flood of answers."""

from __future__ import annotations

import json
from typing import Any

from pems_actors.domain.events import Request
from pems_actors.gateways.mqtt_queues import Incoming
from pems_actors.gateways.order_door import REFUSALS_AT_ONCE, OrderDoor
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Rejected
from tests.gateways.houses import NOW_S

PATHS = frozenset({"rooms/obyvak"})


class Clock:
    """Real time, turned by hand."""

    def __init__(self) -> None:
        self.process_s = 1000.0
        self.door = OrderDoor(Topics(), PATHS, lambda: NOW_S, lambda: self.process_s)

    def says(self, body: Any) -> Request | Rejected | None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.door.judge(Incoming("pems/control/rooms/obyvak", payload, retained=False))


def boost(order_id: str) -> dict[str, str]:
    return {"id": order_id, "verb": "boost", "reply_to": "me"}


def test_an_order_that_comes_twice_is_one_order() -> None:
    clock = Clock()
    assert isinstance(clock.says(boost("1")), Request)
    assert clock.says(boost("1")) is None
    assert isinstance(clock.says(boost("2")), Request)
    assert clock.door.counters == {"orders_taken": 2, "orders_repeated": 1}


def test_a_flood_of_nonsense_is_counted_and_mostly_not_answered() -> None:
    clock = Clock()
    answers = [clock.says(b"nonsense") for _ in range(10_000)]
    assert sum(isinstance(a, Rejected) for a in answers) == REFUSALS_AT_ONCE
    assert clock.door.counters["orders_refused"] == 10_000
    assert clock.door.counters["refusals_unanswered"] == 10_000 - REFUSALS_AT_ONCE
    assert isinstance(clock.says(boost("in between")), Request)
    clock.process_s += 1.0
    later = [clock.says(b"nonsense") for _ in range(100)]
    assert sum(isinstance(a, Rejected) for a in later) == 20


def test_a_clock_that_jumps_back_earns_nothing_and_harms_nothing() -> None:
    clock = Clock()
    for _ in range(200):
        clock.says(b"nonsense")
    clock.process_s -= 500.0
    assert clock.says(b"nonsense") is None
    clock.process_s += 1.0
    assert isinstance(clock.says(b"nonsense"), Rejected)
