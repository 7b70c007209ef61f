"""How far the base load was above its last reading lately: what a start has to leave room for.

A base load goes up and down from minute to minute. Whoever starts by a reading that happens to be
low goes over the limit with the next one, so a start is judged beside the high of the last minutes.
A single high reading does not count: a relay that went off between two looks would be one.
"""

from __future__ import annotations

from typing import NamedTuple

from pems_actors.control.limits import Phases

REMEMBERS_S = 300.0
FRESH_S = 180.0  # without a reading for so long nothing is known of any high
NONE: Phases = (0.0, 0.0, 0.0)


class BaseHigh(NamedTuple):
    """The base load of each phase in the readings of the last minutes, the oldest first [kW]."""

    readings: tuple[tuple[float, Phases], ...] = ()

    def heard(self, base_kw: Phases | None, at_s: float) -> BaseHigh:
        """Take in the base load by phase at an instant; None is skipped."""
        last_s = self.readings[-1][0] if self.readings else float("-inf")
        if base_kw is None or at_s <= last_s:
            return self
        recent = [each for each in self.readings if each[0] > at_s - REMEMBERS_S]
        return BaseHigh((*recent, (at_s, base_kw)))

    def rise_kw(self, now_s: float) -> Phases:
        """Tell by how much each phase would rise to its second highest reading of late [kW]."""
        if len(self.readings) < 2 or now_s - self.readings[-1][0] > FRESH_S:
            return NONE
        l1, l2, l3 = self.readings[-1][1]
        by_phase = zip(*(kw for _, kw in self.readings), strict=True)
        h1, h2, h3 = (sorted(phase)[-2] for phase in by_phase)
        return max(h1 - l1, 0.0), max(h2 - l2, 0.0), max(h3 - l3, 0.0)
