"""How the base load hangs on the three phases: slowly learned, told only once it is known.

The meter's phases less our own relays and flexible loads, and the inverter given back to all
alike, leave the base load of each phase. Hours of it make a split that moves slowly and stays
within bounds; before, or without phases, it is unknown and everybody reckons with equal thirds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp
from typing import NamedTuple

from pems_actors.domain.flexible_load import FlexibleLoad, LoadReading
from pems_actors.domain.house import Relay
from pems_actors.domain.readings import MeterReading
from pems_actors.physics.balance import grid_by_phase

Phases = tuple[float, float, float]

REMEMBERS_S = 6 * 3600.0
KNOWN_AFTER_S = 2 * 3600.0
LONGEST_STEP_S = 300.0
LEAST_KW = 0.05  # a house that draws less tells nothing
BOUNDS = (0.05, 0.80)


class BaseSplit(NamedTuple):
    """Mean base load of each phase [kW], for how long it was seen, and when last."""

    mean_kw: Phases = (0.0, 0.0, 0.0)
    seen_s: float = 0.0
    at_s: float = float("-inf")

    def heard(self, base_kw: Phases | None, at_s: float) -> BaseSplit:
        """Take in the base load by phase at an instant; None, and less than nothing, is skipped."""
        if base_kw is None or at_s <= self.at_s:
            return self._replace(at_s=max(at_s, self.at_s))
        step_s = min(at_s - self.at_s, LONGEST_STEP_S)
        drawn = (max(base_kw[0], 0.0), max(base_kw[1], 0.0), max(base_kw[2], 0.0))
        weight = 1.0 - exp(-step_s / min(max(self.seen_s, step_s), REMEMBERS_S))
        mean = [old + weight * (new - old) for old, new in zip(self.mean_kw, drawn, strict=True)]
        return BaseSplit((mean[0], mean[1], mean[2]), self.seen_s + step_s, at_s)

    @property
    def shares(self) -> Phases | None:
        """Give the share of each phase, summing to 1; None while it is not known."""
        total = sum(self.mean_kw)
        if self.seen_s < KNOWN_AFTER_S or total < LEAST_KW:
            return None
        low, high = BOUNDS
        bounded = [min(max(kw / total, low), high) for kw in self.mean_kw]
        whole = sum(bounded)
        return bounded[0] / whole, bounded[1] / whole, bounded[2] / whole


def base_by_phase(
    meter: MeterReading | None,
    inverter_kw: float | None,
    relays: Iterable[Relay],
    loads: Mapping[str, FlexibleLoad],
    readings: Iterable[LoadReading],
) -> Phases | None:
    """Find the base load of each phase [kW]; None if anything that it takes is unknown.

    Args:
        inverter_kw: PV and battery together, positive when they feed the house.
        relays: those that are on.    readings: of all flexible loads.
    """
    if meter is None or meter.phase_kw is None or inverter_kw is None:
        return None
    readings = tuple(readings)
    if {r.load for r in readings if r.power_kw is not None} != loads.keys():
        return None
    ours = drawn_by_phase(relays, loads, readings)
    (m1, m2, m3), (o1, o2, o3), each_kw = meter.phase_kw, ours, inverter_kw / 3.0
    return m1 + each_kw - o1, m2 + each_kw - o2, m3 + each_kw - o3


def drawn_by_phase(
    relays: Iterable[Relay], loads: Mapping[str, FlexibleLoad], readings: Iterable[LoadReading]
) -> Phases:
    """Add up relays that are on and flexible loads as measured, by phase [kW]."""
    drawn = [(relay.power_kw, relay.phases) for relay in relays]
    drawn += [(r.power_kw or 0.0, loads[r.load].phases) for r in readings if r.load in loads]
    l1 = l2 = l3 = 0.0
    for kw, (s1, s2, s3) in drawn:
        l1, l2, l3 = l1 + kw * s1, l2 + kw * s2, l3 + kw * s3
    return l1, l2, l3


def phases_of(grid_kw: float, base_kw: float, ours_kw: Phases, shares: Phases) -> Phases:
    """Spread the grid's power over phases whose meters are silent.

    Args:
        grid_kw: import in all.    base_kw: base load.    ours_kw: relays and loads by phase.
        shares: of the base load.
    """
    return grid_by_phase(ours_kw, base_kw, base_kw + sum(ours_kw) - grid_kw, shares)
