"""Strategies are weights, and each is visibly itself."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.domain.plan import Plan, PlanningProblem, Weights
from pems_actors.optimisation.strategies import STRATEGIES, strategy
from tests.optimisation.problems import plan_for


def wished(problem: PlanningProblem, weights: Weights) -> PlanningProblem:
    """Plan with a strategy as the house does: its shift is already in the band."""
    shift = weights.setpoint_shift_k
    low = {room: tuple(t + shift for t in row) for room, row in problem.comfort_low_c.items()}
    high = {room: tuple(t + shift for t in row) for room, row in problem.comfort_high_c.items()}
    return replace(problem, weights=weights, comfort_low_c=low, comfort_high_c=high)


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    problem = instance("shoulder", 1)
    return {name: plan_for(wished(problem, weights)) for name, weights in STRATEGIES.items()}


def mean_temp_c(plan: Plan) -> float:
    return mean(mean(slot.temps_c.values()) for slot in plan.slots)


def test_comfort_is_warmer_and_dearer_economic_cooler_and_cheaper(plans: dict[str, Plan]) -> None:
    economic, balanced, comfort = (plans[n] for n in ("economic", "balanced", "comfort"))
    assert mean_temp_c(economic) < mean_temp_c(balanced) - 0.1
    assert mean_temp_c(comfort) > mean_temp_c(balanced) + 0.1
    assert economic.totals["cost"] < 0.95 * balanced.totals["cost"]
    assert comfort.totals["cost"] > 1.05 * balanced.totals["cost"]


def test_environmental_takes_less_from_the_grid_and_lowers_the_peak(plans: dict[str, Plan]) -> None:
    green, usual = plans["environmental"].totals, plans["balanced"].totals
    assert green["import_kwh"] < usual["import_kwh"] - 0.5
    assert green["peak_kw"] < usual["peak_kw"] - 0.5


def test_a_strategy_is_found_by_name_and_scaled_to_its_currency() -> None:
    assert strategy("Balanced") == STRATEGIES["balanced"]
    euro = strategy("environmental", mean_price_per_kwh=0.16)
    assert euro.import_extra_per_kwh == pytest.approx(0.04 * 3.0)
    assert euro.setpoint_shift_k == STRATEGIES["environmental"].setpoint_shift_k
    with pytest.raises(KeyError, match="balanced, comfort, economic, environmental"):
        strategy("maintenance")
