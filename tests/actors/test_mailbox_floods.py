"""A hundred thousand messages at an actor that is too slow for them, with the house's own rules."""

import statistics
import threading
import time
from typing import Any

import pytest

from pems_actors.domain.events import (
    HouseMode,
    ModeChanged,
    Outcome,
    RelayGrant,
    RelayShed,
    Request,
)
from pems_actors.house import MAILBOX
from supervision import (
    ActorSystem,
    ChildSpec,
    Context,
    GetSnapshot,
    SupervisedActor,
    SupervisorSpec,
    ThreadRuntime,
)
from tests.gateways.test_codec_floods import resident_mb

FLOOD, EVERY = 100_000, 1000
PATIENCE_S = 20.0
ROOM = "rooms/bath"


class Slow(SupervisedActor):
    """Takes half a millisecond for a grant, nothing for the rest, and notes what it was told."""

    def __init__(self, context: Context, heard: dict[type, list[Any]]) -> None:
        super().__init__(context)
        self.heard, self.pause = heard, threading.Event()

    def on_receive(self, message: Any) -> None:
        self.heard.setdefault(type(message), []).append(message)
        if isinstance(message, RelayGrant):
            self.pause.wait(0.0005)


@pytest.fixture
def flooded():
    heard: dict[type, list[Any]] = {}
    system = ActorSystem(ThreadRuntime())
    bath = ChildSpec("bath", lambda c: Slow(c, heard), mailbox=MAILBOX)
    system.start(SupervisorSpec("root", children=(SupervisorSpec("rooms", children=(bath,)),)))
    yield system, heard
    system.stop()


def safety(number: int) -> tuple[object, ...]:
    return (
        RelayShed("bath", "breaker", float(number)),
        ModeChanged(HouseMode.EMERGENCY, float(number)),
        Outcome(str(number), ROOM, "boost", "done", "", float(number)),
    )


@pytest.mark.slow
def test_a_flood_is_bounded_and_counted_and_stops_neither_safety_nor_a_look(flooded):
    system, heard = flooded
    looks_s: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            began_s = time.perf_counter()
            system.ask(ROOM, GetSnapshot(), timeout_s=PATIENCE_S)
            looks_s.append(time.perf_counter() - began_s)

    onlooker = threading.Thread(target=look)
    before_mb, longest = resident_mb(), 0
    onlooker.start()
    for number in range(FLOOD):
        system.tell(ROOM, RelayGrant("bath", float(number), float(number)))
        if number % EVERY == 0:
            assert all(system.tell(ROOM, message) for message in safety(number))
            longest = max(longest, system.status(ROOM).mailbox)
    over.set()
    onlooker.join()
    system.ask(ROOM, GetSnapshot(), timeout_s=PATIENCE_S)  # behind all safety messages

    expected = dict.fromkeys((RelayShed, ModeChanged, Outcome), FLOOD // EVERY)
    assert {kind: len(heard.get(kind, ())) for kind in expected} == expected
    assert longest <= MAILBOX.bound + 3 * FLOOD // EVERY
    dropped, handled = system.counters()["dropped"], len(heard[RelayGrant])
    assert dropped > FLOOD // 2
    assert 0 <= FLOOD - dropped - handled <= MAILBOX.bound
    assert statistics.median(looks_s) < 0.05
    assert resident_mb() - before_mb < 20.0


def test_of_orders_each_is_taken_for_good_or_refused_at_once(flooded):
    system, heard = flooded
    answers = []
    for number in range(3 * MAILBOX.bound):
        system.tell(ROOM, RelayGrant("bath", float(number), float(number)))
        order = Request(str(number), ROOM, "boost", {}, "", float(number))
        answers.append((order.id, system.tell(ROOM, order)))
    taken = [order_id for order_id, took in answers if took]
    assert 0 < len(taken) < len(answers)
    until_s, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while len(heard.get(Request, ())) < len(taken) and time.monotonic() < until_s:
        pause.wait(0.005)
    assert [order.id for order in heard[Request]] == taken
    assert system.counters()["refused"] >= len(answers) - len(taken)
