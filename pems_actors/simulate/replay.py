"""A recorded day through the same actors: what would be decided now on what was seen then.

The record gives temperatures, meters and sun; the actors decide, and each minute their relays are
compared with those of the record, the battery's mode with the decisions that were stored. Weather
and prices come from the sources given, as a plan of that day would have had them.
"""

from __future__ import annotations

import json
import re
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from pems_actors.domain.ports import PriceSource, WeatherSource
from pems_actors.simulate.performance import Performance
from pems_actors.simulate.story import Story
from pems_actors.simulation.recorded_house import RecordedHouse, Stored

SETTLE_S = 1800.0  # what the actors need to know is known by then
DAY_S = 86400.0
_MODE = re.compile(r"mode=<BatteryMode\.\w+: '(\w+)'>")


@dataclass
class Agreement:
    """How often the replay decided as the record did."""

    asked: int = 0
    equal: int = 0

    def add(self, equal: bool) -> None:
        """Count one comparison."""
        self.asked += 1
        self.equal += equal

    @property
    def share(self) -> float | None:
        """Share of equal decisions, None if there was nothing to compare."""
        return round(self.equal / self.asked, 4) if self.asked else None


@dataclass
class Modes:
    """Battery modes as they were decided, from the stored decisions."""

    at_s: list[float] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, history: Stored, start_s: float, end_s: float) -> Modes:
        """Read the decisions of a span and of the day before it."""
        found = cls()
        for at_s, body in history.records("decision", start_s - DAY_S, end_s):
            decision = json.loads(body)
            mode = _MODE.search(str(decision.get("command", "")))
            if decision.get("device") == "battery" and mode is not None:
                found.at_s.append(at_s)
                found.modes.append(mode[1])
        return found

    def at(self, at_s: float) -> str | None:
        """Give the mode in force at an instant, None before the first decision."""
        k = bisect_right(self.at_s, at_s) - 1
        return self.modes[k] if k >= 0 else None


class Replay(Performance):
    """One recorded span, decided anew. `story` says from when, how long and what breaks."""

    def __init__(
        self, story: Story, history: Stored, prices: PriceSource, weather: WeatherSource
    ) -> None:
        """Read the record.

        Raises: ValueError if there is none in the span, or for a fault that there is not.
        """
        end_s = story.start_s + story.days * DAY_S
        self.record = RecordedHouse(story.house, history, story.start_s, end_s)
        self._modes = Modes.read(history, story.start_s, end_s)
        self.relays = {relay.name: Agreement() for relay in story.house.relays}
        self.battery, self.seen = Agreement(), Agreement()
        super().__init__(story, self.record, prices, weather)

    def run(self) -> dict[str, float | int | str | None]:
        """Replay the whole span and give the figures of `pems replay --json`."""
        began = time.process_time()
        self.start()
        self.run_until(self.story.start_s + self.story.days * DAY_S, self._compare)
        if self.alive:
            self.appliance.stop()
        shares = {name: each.share for name, each in self.relays.items()}
        known = {name: share for name, share in shares.items() if share is not None}
        total = _together(list(self.relays.values()))
        return {
            "hours": round(self.story.days * 24.0, 2),
            "recorded_frac": self.seen.share,
            "compared": total.asked,
            "relays_equal_frac": total.share,
            "battery_equal_frac": self.battery.share,
            "least_alike": min(known, key=lambda name: known[name]) if known else None,
            "least_alike_frac": min(known.values()) if known else None,
            "faults": len(self.strikes),
            "restarts": self.counters()["restarts"],
            "wall_s": round(time.process_time() - began, 3),
        }

    def _compare(self, _performance: object) -> None:
        record = self.record
        self.seen.add(record.seen)
        if record.at_s < self.story.start_s + SETTLE_S:
            return
        for name, agreement in self.relays.items():
            recorded, ordered = record.recorded(name), record.ordered.get(name)
            if recorded is not None and ordered is not None:
                agreement.add(recorded is ordered)
        recorded_mode = self._modes.at(record.at_s)
        if recorded_mode is not None and record.mode is not None:
            self.battery.add(recorded_mode == record.mode.value)


def _together(agreements: Sequence[Agreement]) -> Agreement:
    return Agreement(sum(a.asked for a in agreements), sum(a.equal for a in agreements))
