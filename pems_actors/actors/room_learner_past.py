"""The history of the rooms as identification reads it: quarter hours of all rooms side by side.

Temperatures, heat by the relays' contacts, outdoors, the sun as forecast; hours in which a person
overrode a room are flagged. What is not known is NaN, never zero.
"""

from __future__ import annotations

import json
from typing import NamedTuple, Protocol

from pems_actors.actors.learner_past import Readable
from pems_actors.domain.house import House
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.learning.life.jobs import Columns
from pems_actors.learning.life.past import held, kept_as, on_slots
from pems_actors.learning.life.room_jobs import AIR, ASIDE, GHI, HEAT, OUTDOOR

LONGEST_DAYS = 120.0
LONGEST_WISH_S = 30 * DAY_S
WARM_S = 5 * DAY_S  # from so much before a judged day its hidden masses are known


class Recorded(Readable, Protocol):
    """What can be read of a history, records too."""

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read the records of one kind in `[start_s, end_s)`, oldest first."""


class RoomPast(NamedTuple):
    """Reads, and never writes."""

    store: Recorded
    house: House

    def days(self, now_s: float) -> float:
        """Days from the oldest known temperature on, as far as anyone learns from; 0 if none is."""
        for room in self.house.rooms:
            name = f"temp_c.{room.name}"
            by_day = self.store.range(name, now_s - LONGEST_DAYS * DAY_S, now_s, DAY_S)
            if by_day:
                first_s = by_day[0][0]
                rows = self.store.range(name, first_s, first_s + DAY_S, HOUR_S)
                return (now_s - rows[0][0]) / DAY_S
        return 0.0

    def columns(self, start_s: float, end_s: float) -> Columns:
        """Gather all rooms by quarter hours."""
        start_s = start_s // QUARTER_S * QUARTER_S
        slots = round((end_s - start_s) // QUARTER_S)

        def read(name: str) -> list[float]:
            rows = self.store.range(name, start_s, start_s + slots * QUARTER_S, QUARTER_S)
            return on_slots(rows, start_s, QUARTER_S, slots)

        sun = held(read(kept_as(GHI)), 3)
        series = {OUTDOOR: read("outdoor_c"), GHI: sun}
        series |= {f"{AIR}{room.name}": read(f"temp_c.{room.name}") for room in self.house.rooms}
        for relay in self.house.relays:
            on = read(f"relay.{relay.name}")
            for member, share in relay.members:
                series[f"{HEAT}{member}"] = [share * relay.power_kw * each for each in on]
        series |= self._overridden(start_s, slots)
        return Columns(start_s, QUARTER_S, {n: tuple(column) for n, column in series.items()})

    def _overridden(self, start_s: float, slots: int) -> dict[str, list[float]]:
        """Flag the hours in which a person had a wish of a room's own."""
        end_s = start_s + slots * QUARTER_S
        wishes: dict[str, list[tuple[float, float]]] = {}
        for at_s, body in self.store.records("wish", start_s - LONGEST_WISH_S, end_s):
            said = json.loads(body)
            spans = wishes.setdefault(said["room"], [])
            if spans:  # a new wish ends the one before
                spans[-1] = (spans[-1][0], min(spans[-1][1], at_s))
            if said["temp_c"] is not None:
                spans.append((at_s, said["until_s"]))
        return {
            f"{ASIDE}{room}": [
                float(any(a < start_s + (k + 1) * QUARTER_S and start_s + k * QUARTER_S < b
                          for a, b in spans))
                for k in range(slots)
            ]
            for room, spans in wishes.items()
        }  # fmt: skip
