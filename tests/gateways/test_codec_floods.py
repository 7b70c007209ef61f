"""Whatever arrives, and however much: a value or a refusal comes out, and memory stays as it is."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from pems_actors.domain.commands import SetHeating
from pems_actors.domain.events import Request
from pems_actors.gateways.growatt import Growatt
from pems_actors.gateways.growatt_registers import RESULTS, learned, read_answer, read_clock
from pems_actors.gateways.growatt_sender import GrowattSender
from pems_actors.gateways.growatt_twin import SimulatedGrowatt
from pems_actors.gateways.loxone import LONGEST_LEASE_S, read_heating
from pems_actors.gateways.mqtt_picture import MqttPicture
from pems_actors.gateways.payloads import refusal_message
from pems_actors.gateways.topics import Dedupe, parse_control
from pems_actors.gateways.wire import MAX_BYTES, Rejected, json_text, read_object
from tests.gateways.houses import MINUTE_S, NOW_S, two_rooms
from tests.gateways.mutants import Mutant, Mutants

PATHS = frozenset(
    {"rooms/obyvak", "rooms/kuchyne", "rooms/loznice", "devices/battery", "devices/inverter",
     "planning/planner"}
)  # fmt: skip
MEMORY_MB = 8.0


class Edge:
    """Everything of ours that reads a stranger's bytes, as it stands in a running house."""

    def __init__(self) -> None:
        self.house = two_rooms()
        self.picture = MqttPicture(self.house)
        self.sender = GrowattSender()
        self.inverter = SimulatedGrowatt()
        self.seen = Dedupe()
        self.now_s = NOW_S
        self.counts: Counter[str] = Counter()

    def hear(self, mutant: Mutant) -> None:
        """Let every reader that such a topic could reach have it."""
        self.now_s += 0.01
        topic, payload, retained = mutant
        if topic.startswith("pems/control"):
            self._order(mutant)
        elif topic.startswith("pems/"):
            self._heating(mutant)
        elif topic.startswith("energy/solar/command"):
            answer = self.inverter.apply(topic, payload, self.now_s)
            self.inverter.commands(self.now_s, 0.5)
            self.counts["written" if answer.success else "refused"] += 1
        else:
            if topic == RESULTS:
                self._answer(payload)
            heard = self.picture.hear(topic, payload, retained=retained, now_s=self.now_s)
            self.counts["heard" if heard else "refused"] += 1
            reading = self.picture.reading(self.now_s, self.sender.known)
            assert {room.room for room in reading.rooms} <= {r.name for r in self.house.rooms}

    def _order(self, mutant: Mutant) -> None:
        order = parse_control(
            mutant.topic, mutant.payload, retained=mutant.retained, now_s=self.now_s, paths=PATHS
        )
        if isinstance(order, Request):
            assert not mutant.retained
            assert order.path in PATHS | {"house"}
            self.seen.first(order.id)
            json_text(dict(order.args)).encode()
            self.counts["orders"] += 1
            return
        answer = refusal_message(order, self.now_s)
        assert order.reason
        assert not any(mark in answer.topic for mark in "+#$\0")
        assert json.loads(answer.payload)["outcome"] == "rejected"
        answer.payload.encode()
        self.counts["refused"] += 1

    def _heating(self, mutant: Mutant) -> None:
        order = read_heating(
            mutant.topic, mutant.payload, retained=mutant.retained, now_s=self.now_s
        )
        if isinstance(order, SetHeating):
            assert self.now_s < order.lease_until_s <= self.now_s + LONGEST_LEASE_S
        self.counts["heated" if isinstance(order, SetHeating) else "refused"] += 1

    def _answer(self, payload: bytes) -> None:
        answer = read_answer(payload)
        if isinstance(answer, Rejected):
            return
        self.sender.known = learned(self.sender.known, answer)
        self.sender.answered(answer, self.now_s, self.now_s)
        shown = read_clock(answer)
        if shown is not None:
            device = Growatt().with_clock(shown, self.now_s)
            assert 0 <= device.minute(self.now_s) < 24 * 60

    def kept(self) -> int:
        """How many things it remembers of strangers."""
        picture = self.picture
        kept = (picture._temps, picture._floors, picture._relays, picture._windows)
        return sum(map(len, kept)) + len(self.seen._seen)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def flood(edge: Edge, seed: int, count: int) -> None:
    for number, mutant in enumerate(Mutants(seed).take(count)):
        try:
            edge.hear(mutant)
        except Exception as error:  # tell which one, to be tried alone
            error.add_note(f"seed {seed}, message {number}: {mutant}")
            raise


def flooded_within_bounds(seed: int, count: int) -> Edge:
    edge = Edge()
    flood(edge, seed + 1000, count // 10)
    before_mb = resident_mb()
    flood(edge, seed, count)
    assert resident_mb() - before_mb < MEMORY_MB
    assert edge.kept() <= 4 * 3 + edge.seen.size
    return edge


@pytest.mark.slow
def test_twenty_thousand_broken_messages_are_read_or_refused_in_bounded_memory() -> None:
    edge = flooded_within_bounds(seed=1, count=20_000)
    assert edge.counts["refused"] > 8_000
    assert min(edge.counts[name] for name in ("orders", "heated", "written", "heard")) > 80


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_broken_messages_are_read_or_refused_in_bounded_memory() -> None:
    edge = flooded_within_bounds(seed=2, count=1_000_000)
    assert edge.counts["refused"] > 400_000


def test_the_stream_of_broken_messages_is_the_same_for_the_same_seed() -> None:
    assert list(Mutants(3).take(200)) == list(Mutants(3).take(200))
    assert list(Mutants(3).take(200)) != list(Mutants(4).take(200))


@pytest.mark.parametrize(
    "payload",
    [b"[" * 60_000, b"9" * 60_000, b'{"a":' * 10_000, b'"' + b"\\u0000" * 10_000 + b'"',
     b"x" * (MAX_BYTES + 1), b"\xff" * 60_000],
    ids=["nested", "digits", "objects", "nulls", "huge", "noise"],
)  # fmt: skip
def test_a_monster_is_refused_quickly(payload: bytes) -> None:
    assert isinstance(read_object(payload), Rejected)


def test_strangers_names_are_not_remembered() -> None:
    edge = Edge()
    for k in range(500):
        stranger = json.dumps({"timestamp": "x", "temperature": {
            f"temperature_{k}": {"value": 1.0}, "temperature_obyvak": {"value": 20.0}},
            "relay": {f"r{k}": {"value": 1}}})  # fmt: skip
        edge.hear(Mutant("loxone/status", stranger.encode(), retained=False))
        edge.hear(Mutant(f"loxone/heating/r{k}/status", b'{"state": "on"}', retained=False))
    assert edge.kept() == 1
    reading = edge.picture.reading(edge.now_s + MINUTE_S, edge.sender.known)
    assert [room.temp_c for room in reading.rooms] == [20.0]
