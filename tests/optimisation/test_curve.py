"""The cost-comfort curve: warmer is dearer, all the way, and every point is a way to plan."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.optimisation.curve import POINTS, cost_comfort_curve, weights_at
from pems_actors.optimisation.solver import solve
from pems_actors.optimisation.strategies import BALANCED, COMFORT, ECONOMIC


def test_the_strategies_lie_on_the_curve() -> None:
    for point, known in ((0.0, ECONOMIC), (0.5, BALANCED), (1.0, COMFORT)):
        there = weights_at(point)
        assert there.cold_per_kh == pytest.approx(known.cold_per_kh)
        assert there.warm_per_kh == pytest.approx(known.warm_per_kh)
        assert there.setpoint_shift_k == pytest.approx(known.setpoint_shift_k)


def test_every_step_to_the_right_asks_for_more_comfort() -> None:
    steps = [weights_at(k / 20.0) for k in range(21)]
    for low, high in pairwise(steps):
        assert low.cold_per_kh < high.cold_per_kh
        assert low.setpoint_shift_k < high.setpoint_shift_k


@pytest.mark.parametrize("point", [-0.01, 1.01, float("nan")])
def test_there_is_nothing_beyond_the_ends(point) -> None:
    with pytest.raises(ValueError, match=r"give 0 \(cheap\) to 1 \(warm\)"):
        weights_at(point)


@pytest.mark.slow
def test_warmer_is_dearer_and_less_cold_all_along_the_curve() -> None:
    curve = cost_comfort_curve(instance("shoulder", 1), solve)
    assert [each.point for each in curve] == list(POINTS)
    for low, high in pairwise(curve):
        assert low.cost < high.cost
        assert low.mean_c < high.mean_c
        assert low.cold_kh >= high.cold_kh - 0.05
