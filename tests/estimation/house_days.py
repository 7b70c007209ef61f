"""Days of a small house, played minute by minute for an inspector: a model, and readings of it.

The readings follow the inspector's own model plus what a test does to them, so that a test decides
what the truth is. `TwinDays` plays the simulated house instead, whose truth differs.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import replace
from functools import cache

import numpy as np

from pems_actors.control.reconcile import LastOrder, relay_text
from pems_actors.domain.findings import Finding
from pems_actors.domain.house import Comfort, Emitter, House, HouseModel, Relay, Room, Site
from pems_actors.domain.readings import HouseReading, OutdoorReading, RoomReading
from pems_actors.estimation.inspection import Inspection, Inspector
from pems_actors.estimation.wording import Speaker
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

START_S = 1_768_435_200.0
NAMES = ("living", "bath", "hall")
HOUSE = House(
    name="three rooms",
    site=Site(49.95, 14.60),
    rooms=tuple(Room(name, name, Comfort()) for name in NAMES),
    relays=tuple(Relay(name, 1.2, 1.25, ((name, 1.0),)) for name in NAMES),
    model=HouseModel(
        (
            room_model("living", Emitter.FLOOR, 1.2, 50.0),
            room_model("bath", Emitter.FLOOR, 1.2, 40.0),
            room_model("hall", Emitter.PANEL, 1.2, 40.0),
        ),
        (("hall", "living", 0.01), ("hall", "bath", 0.01)),
    ),
)
Bend = Callable[[float, RoomReading], RoomReading]


def as_it_is(_minute: float, room: RoomReading) -> RoomReading:
    return room


class Days:
    """A true house and an inspector that sees it; `heats` says which relays really heat."""

    def __init__(self, *, house: House = HOUSE, outdoor_c: float = 0.0, seed: int = 1) -> None:
        self.house, self.outdoor_c = house, outdoor_c
        self.inspector = Inspector(house)
        self.speaker = Speaker(self.inspector)
        self.truth = HouseDynamics(house.model)
        self.rng = np.random.default_rng(seed)
        held = self.truth.steady_heat(np.full(len(house.rooms), 21.0), outdoor_c)
        self.temps_c = self.truth.steady_state(np.maximum(held, 0.0), outdoor_c)
        self.resting_duty = np.maximum(held, 0.0) / 1.2
        self.at_s = START_S
        self.seen: Inspection = self.inspector.first(START_S)
        self.bend: Bend = as_it_is
        self.ordered = dict.fromkeys(NAMES, False)
        self.broken: dict[str, bool] = {}  # relays that are so whatever is ordered
        self.unwritten: tuple[str, ...] = ()  # relays whose order is not renewed
        self.told: dict[str, float] = {}  # path -> minute at which it was first found
        self.draught_kw_k = dict.fromkeys(NAMES, 0.0)
        self.blocked = False
        self.contacts = True
        self._owed = np.zeros(len(house.rooms))

    @property
    def minute(self) -> float:
        return (self.at_s - START_S) / 60.0

    def order(self, relay: str, on: bool) -> None:
        self.ordered[relay] = on
        order = LastOrder(relay_text(on), self.at_s, self.at_s, self.at_s + 900.0)
        self.seen = self.inspector.commanded(self.seen, {relay: order})

    def rest(self, minutes: int) -> None:
        """Hold all rooms by switching as their losses ask, a quarter of an hour at a time."""
        for minute in range(minutes):
            if minute % 15 == 0:
                self._owed += self.resting_duty
                for k, name in enumerate(NAMES):
                    on = self._owed[k] >= 0.5
                    self._owed[k] -= on
                    self.order(name, bool(on))
            self.run(1)

    def run(self, minutes: int) -> None:
        """Let minutes pass, with a picture at the end of each."""
        for _ in range(minutes):
            on = {n: self.broken.get(n, o) and not self.blocked for n, o in self.ordered.items()}
            heat = np.array([1.2 * on[n] for n in NAMES])
            air = self.temps_c[3:6]
            loss = np.array([self.draught_kw_k[n] for n in NAMES])
            self.temps_c = self.truth.step(
                self.temps_c, heat, self.outdoor_c, 0.0, 60.0, loss * (self.outdoor_c - air)
            )
            self.at_s += 60.0
            for name in NAMES:
                if name not in self.unwritten:
                    self.order(name, self.ordered[name])
            self.look(on)

    def look(self, on: dict[str, bool]) -> None:
        said = self.temps_c[3:6] + self.rng.normal(0.0, 0.04, 3)
        rooms = tuple(
            self.bend(
                self.minute,
                RoomReading(n, self.at_s, round(float(t), 1), on[n] if self.contacts else None),
            )
            for n, t in zip(NAMES, said, strict=True)
        )
        reading = HouseReading(
            self.at_s, rooms, outdoor=OutdoorReading(self.at_s, self.outdoor_c, 0.0)
        )
        after = self.inspector.look(self.seen, reading, blocked=self.blocked)
        self.seen = self.speaker.told(after, reading)
        for finding in self.findings:
            self.told.setdefault(finding.path, self.minute)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.seen.findings

    @property
    def paths(self) -> set[str]:
        return {finding.path for finding in self.findings}

    def estimate_c(self, room: str) -> float:
        return float(self.seen.air_c()[NAMES.index(room)])

    def true_c(self, room: str) -> float:
        return float(self.temps_c[3 + NAMES.index(room)])


@cache
def _night() -> Days:
    days = Days()
    days.rest(13 * 60)
    assert days.told == {}
    return days


def settled() -> Days:
    """A house that has been watched for a night; each test gets one of its own."""
    days = copy(_night())
    days.rng = deepcopy(days.rng)
    for name in ("ordered", "broken", "told", "draught_kw_k"):
        setattr(days, name, dict(getattr(days, name)))
    days._owed = days._owed.copy()
    return days


def only(name: str, change: Callable[[float, RoomReading], RoomReading]) -> Bend:
    """Bend the readings of one room only."""
    return lambda minute, room: change(minute, room) if room.room == name else room


def without_contacts(reading: HouseReading) -> HouseReading:
    return replace(reading, rooms=tuple(r._replace(relay_on=None) for r in reading.rooms))
