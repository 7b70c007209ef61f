"""What a judge must remember to judge: last orders, last pictures, contacts, what is broken.

Filled from the facts alone. A relay *turns* when an order changes what holds: what was ordered
last, or what a later picture showed. What a relay did by itself is nobody's switching.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from pems_actors.domain.commands import SetHeating, device_of
from pems_actors.domain.house import House, Relay
from pems_actors.domain.readings import HouseReading, MeterReading
from pems_actors.simulation.invariants.facts import Broke, Fact, Life, Seen, Truth, Turn, Wrote

METER_LOST_S = 180.0
UNSEEN_S = 180.0
REMEMBERED_S = 86400.0  # no law looks back at a fault for longer
WRONG_CLOCKS = ("clock-forward", "clock-back")


class Turned(NamedTuple):
    """What an order did to a relay: on or off, or nothing, and since when the old state held."""

    relay: Relay
    on: bool
    changed: bool
    since_s: float


class Notes:
    """The memory that all laws share."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.relays = {relay.name: relay for relay in house.relays}
        self.offsets_k = {room.name: room.sensor_offset_k for room in house.rooms}
        self.seen: Seen | None = None
        self.seen_before: Seen | None = None
        self.truth: Truth | None = None
        self._meter: MeterReading | None = None
        self.blocked_since_s: float | None = None
        self.last: dict[str, Wrote] = {}
        self.ordered: dict[str, tuple[bool, float]] = {}  # relay -> on, since when
        self.asked: dict[str, tuple[bool, float]] = {}  # the same, of orders that got lost too
        self.shown: dict[str, bool] = {}  # relay -> contact, seen after its last order
        self.turned_on_s: dict[str, float] = {}
        self.turned_off_s: dict[str, float] = {}
        self.broken: list[Broke] = []
        self.failed_s: dict[str, float] = {}

    def turn_of(self, wrote: Wrote) -> Turned | None:
        """Tell what an order does to its relay; None for other devices and lost orders."""
        command = wrote.command
        if not isinstance(command, SetHeating) or not wrote.reached:
            return None
        relay = self.relays.get(command.relay)
        if relay is None:
            return None
        ordered_on, since_s = self.ordered.get(relay.name, (False, float("-inf")))
        shown_on = self.shown.get(relay.name, ordered_on)  # by pictures later than the last order
        if shown_on != ordered_on or command.on == ordered_on:
            since_s = float("-inf")
        return Turned(relay, command.on, command.on != shown_on, since_s)

    def asked_for_s(self, turned: Turned, at_s: float) -> float:
        """Tell how long a relay was asked to stay as it was until now, whatever became of it."""
        on, asked_s = self.asked.get(turned.relay.name, (turned.on, at_s))
        return 0.0 if on == turned.on else at_s - asked_s

    def note(self, fact: Fact) -> None:
        """Remember a fact, after it was judged."""
        match fact:
            case Wrote():
                self._note_order(fact)
            case Seen():
                self._note_picture(fact)
            case Truth():
                if not fact.blocked:
                    self.blocked_since_s = None
                elif self.blocked_since_s is None:
                    self.blocked_since_s = fact.at_s
                self.truth = fact
            case Broke():
                since_s = fact.at_s - REMEMBERED_S
                self.broken = [b for b in self.broken if b.until_s > since_s] + [fact]
            case Life(turn=Turn.FAILED | Turn.HUNG):
                self.failed_s[fact.path] = fact.at_s
            case _:
                pass

    def _note_order(self, wrote: Wrote) -> None:
        command = wrote.command
        if (
            isinstance(command, SetHeating)
            and command.on != self.asked.get(command.relay, (None, 0.0))[0]
        ):
            self.asked[command.relay] = (command.on, wrote.at_s)
        if not wrote.reached:
            return
        turned = self.turn_of(wrote)
        if turned is not None:
            self._note_turn(turned, wrote.at_s)
        self.last[device_of(wrote.command)] = wrote

    def _note_turn(self, turned: Turned, at_s: float) -> None:
        name = turned.relay.name
        self.shown.pop(name, None)
        if turned.on != self.ordered.get(name, (None, 0.0))[0]:
            self.ordered[name] = (turned.on, at_s if turned.changed else float("-inf"))
        if turned.changed:
            (self.turned_on_s if turned.on else self.turned_off_s)[name] = at_s

    def _note_picture(self, seen: Seen) -> None:
        self.seen_before, self.seen = self.seen, seen
        meter = seen.reading.meter
        if meter is not None and meter.grid_kw is not None and isfinite(meter.grid_kw):
            self._meter = meter
        for name, closed in contacts(seen.reading).items():
            if closed is not None:
                self.shown[name] = closed

    def contact(self, relay: str) -> bool | None:
        """Give a relay's contact as it was last seen; None if it was not."""
        return None if self.seen is None else contacts(self.seen.reading).get(relay)

    def believed_on(self) -> set[str]:
        """Name the relays that carry power as far as can be known: last picture, then orders."""
        seen_s = float("-inf") if self.seen is None else self.seen.at_s
        on = {name for name in self.relays if self.contact(name)}
        on |= {n for n, at_s in self.turned_on_s.items() if at_s >= seen_s}
        return on - {
            n
            for n, at_s in self.turned_off_s.items()
            if at_s >= max(seen_s, self.turned_on_s.get(n, seen_s))
        }

    @property
    def pictures(self) -> list[Seen]:
        """Give the last two pictures."""
        return [seen for seen in (self.seen_before, self.seen) if seen is not None]

    def on_since(self, at_s: float) -> set[str]:
        """Name the relays that turned on since an instant and are not off again."""
        on, off = self.turned_on_s, self.turned_off_s
        return {
            name for name, on_s in on.items() if on_s >= at_s and off.get(name, on_s - 1.0) < on_s
        }

    def meter(self, at_s: float) -> MeterReading | None:
        """Give the last usable meter reading; None if the meter is lost."""
        meter = self._meter
        return meter if meter is not None and at_s - meter.at_s <= METER_LOST_S else None

    def temps_c(self) -> list[Mapping[str, float]]:
        """Give what the rooms said in the last two pictures, corrected by their offsets [°C]."""
        pictures = self.pictures
        return [
            {
                r.room: r.temp_c + self.offsets_k.get(r.room, 0.0)
                for r in picture.reading.rooms
                if r.temp_c is not None
            }
            for picture in pictures
        ]

    def knows_blocks(self, at_s: float) -> bool:
        """Tell if anybody could know whether heating is blocked: a contact, or a right clock."""
        seen = self.seen
        fresh = seen is not None and at_s - seen.at_s <= UNSEEN_S
        if fresh and seen is not None and seen.reading.heating_blocked is not None:
            return True
        return not any(self.is_broken(name, at_s, UNSEEN_S) for name in WRONG_CLOCKS)

    def is_broken(self, name: str, at_s: float, after_s: float = 0.0) -> bool:
        """Tell if a fault of this name is in force, or ended less than `after_s` ago."""
        return any(b.name == name and b.at_s <= at_s < b.until_s + after_s for b in self.broken)

    def was_broken(self, target: str, at_s: float, within_s: float) -> bool:
        """Tell if a target suffered any fault in the last `within_s`."""
        return any(
            b.target == target and b.at_s <= at_s and b.until_s + within_s > at_s
            for b in self.broken
        )


def contacts(reading: HouseReading) -> dict[str, bool | None]:
    """Give the contacts that a picture shows, by relay."""
    return {room.room: room.relay_on for room in reading.rooms}
