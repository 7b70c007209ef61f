"""The cost-comfort curve of one problem, and the weights of any point on it.

A point is a number from 0 (as cheap as strategy economic) over 0.5 (balanced) to 1 (as warm as
comfort). Prices of discomfort go in equal ratios from one to the next, set-points in equal steps.
`problems_on_curve` needs no solver; whoever has one plans each of them, and `told` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from pems_actors.domain.plan import Plan, PlanningProblem, PlanRefused, Purpose, Weights
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.strategies import BALANCED, COMFORT, ECONOMIC, scaled

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ANCHORS = ((0.0, ECONOMIC), (0.5, BALANCED), (1.0, COMFORT))


class CurvePoint(NamedTuple):
    """What one point would cost over the horizon, how cold and how warm it would be.

    `cold_kh` counts all rooms below the wish as people set it, whatever the point shifts.
    """

    point: float
    cost: float
    cold_kh: float
    mean_c: float


def weights_at(point: float) -> Weights:
    """Give the weights of a point.

    Raises: ValueError outside of 0 to 1.
    """
    if not 0.0 <= point <= 1.0:
        raise ValueError(f"point is {point:g}; give 0 (cheap) to 1 (warm)")
    (low_at, low), (high_at, high) = _ANCHORS[:2] if point <= 0.5 else _ANCHORS[1:]
    share = (point - low_at) / (high_at - low_at)
    shift_k = low.setpoint_shift_k + share * (high.setpoint_shift_k - low.setpoint_shift_k)
    return replace(
        BALANCED,
        name=f"point {point:g}",
        cold_per_kh=_between(low.cold_per_kh, high.cold_per_kh, share),
        warm_per_kh=_between(low.warm_per_kh, high.warm_per_kh, share),
        setpoint_shift_k=shift_k,
    )


def problems_on_curve(
    problem: PlanningProblem, price_level: float = 1.0, points: tuple[float, ...] = POINTS
) -> tuple[tuple[float, PlanningProblem], ...]:
    """Ask the same question once for each point; price_level: as the weights are scaled by."""
    return tuple((point, _at(problem, point, price_level)) for point in points)


def told(problem: PlanningProblem, point: float, plan: Plan) -> CurvePoint:
    """Compare a plan with the wish of the problem from which the curve was asked."""
    shift_k = problem.weights.setpoint_shift_k
    cold_kh = temp_kh = hours = 0.0
    for k, slot in enumerate(plan.slots):
        hour = slot.duration_s / HOUR_S
        for room, temp_c in slot.temps_c.items():
            cold_kh += max(0.0, problem.comfort_low_c[room][k] - shift_k - temp_c) * hour
            temp_kh, hours = temp_kh + temp_c * hour, hours + hour
    return CurvePoint(point, plan.totals["cost"], cold_kh, temp_kh / max(hours, 1e-9))


def cost_comfort_curve(
    problem: PlanningProblem,
    solve: Callable[[PlanningProblem], Plan | PlanRefused],
    points: tuple[float, ...] = POINTS,
) -> tuple[CurvePoint, ...]:
    """Plan every point; one for which there is no plan is left out."""
    found = []
    for point, question in problems_on_curve(problem, points=points):
        answer = solve(question)
        if isinstance(answer, Plan):
            found.append(told(problem, point, answer))
    return tuple(found)


def _at(problem: PlanningProblem, point: float, price_level: float) -> PlanningProblem:
    weights = scaled(weights_at(point), price_level)
    by_k = weights.setpoint_shift_k - problem.weights.setpoint_shift_k
    low, high = problem.comfort_low_c, problem.comfort_high_c
    return replace(
        problem,
        purpose=Purpose.COMPARE,
        weights=weights,
        comfort_low_c={room: tuple(t + by_k for t in row) for room, row in low.items()},
        comfort_high_c={room: tuple(t + by_k for t in row) for room, row in high.items()},
    )


def _between(low: float, high: float, share: float) -> float:
    return float(low ** (1.0 - share) * high**share)
