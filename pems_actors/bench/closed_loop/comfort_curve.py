"""Equal comfort: what a controller would have paid had it been set as cold as another one.

A thermostat is turned up or down until the house is as warm; its cost at any cold lies on the
curve through its set-points. Costs are of the lower convex edge: whoever runs two set-points in
turn pays the mean of both. Pure arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """What one set-point costs, and how cold it leaves the house [K·h per room and day]."""

    cold: float
    cost: float


@dataclass(frozen=True, slots=True)
class ComfortCurve:
    """The lower convex edge of some points, from the warmest to the coldest."""

    points: tuple[Point, ...]

    @classmethod
    def of(cls, points: Sequence[Point]) -> ComfortCurve:
        """Make the curve. Raises: ValueError without points."""
        if not points:
            raise ValueError("a comfort curve needs at least one point; run its controller first")
        edge: list[Point] = []
        for point in sorted(points):
            if edge and point.cost >= edge[-1].cost:
                continue  # colder and no cheaper
            while len(edge) > 1 and _lies_above(edge[-1], edge[-2], point):
                edge.pop()
            edge.append(point)
        return cls(tuple(edge))

    def at(self, cold: float) -> float:
        """Give the cost at a cold; beyond its ends the curve stays level."""
        first, last = self.points[0], self.points[-1]
        if cold <= first.cold:
            return first.cost
        for left, right in zip(self.points, self.points[1:], strict=False):
            if cold <= right.cold:
                share = (cold - left.cold) / (right.cold - left.cold)
                return left.cost + share * (right.cost - left.cost)
        return last.cost

    def holds(self, cold: float) -> bool:
        """Tell if a cold lies within the curve, so that `at` needs no end to stay level."""
        return self.points[0].cold <= cold <= self.points[-1].cold


def _lies_above(middle: Point, left: Point, right: Point) -> bool:
    """Tell if a point lies on or above the line from its left neighbour to its right one."""
    rise, run = middle.cost - left.cost, middle.cold - left.cold
    return rise * (right.cold - middle.cold) >= (right.cost - middle.cost) * run


def captured_frac(
    baseline: ComfortCurve, bound: ComfortCurve, ours: Point, least: float = 0.0
) -> float | None:
    """Give the share of what could be won that was won, all at the same cold.

    Args:
        least: where less than this could be won, the share says nothing.
    Returns: 1 for the bound, 0 for the baseline, negative for worse; None where it says nothing.
    """
    to_win = baseline.at(ours.cold) - bound.at(ours.cold)
    return (baseline.at(ours.cold) - ours.cost) / to_win if to_win > least else None
