"""A cost-comfort curve on request: planned beside the plan, told once, and a point chosen of it."""

from __future__ import annotations

import pytest

from pems_actors.actors.base import CONTROL, ESTIMATOR, PLAN_KEEPER
from pems_actors.domain.events import Outcome, PlanAdopted, Republish
from pems_actors.optimisation.curve import POINTS
from tests.actors.kit import order
from tests.actors.plans import house_state, informed, planner, solver


def test_before_there_is_a_question_there_is_no_curve() -> None:
    stage = planner()
    stage.tell(order("planning/planner", "curve"))
    [said] = stage.all_heard(CONTROL, Outcome)
    assert said.outcome == "rejected"


@pytest.mark.slow
def test_a_curve_is_told_once_and_the_plan_goes_on_beside_it() -> None:
    stage = informed()
    stage.tell(house_state())
    stage.tell(order("planning/planner", "curve"))
    stage.run(2.0)
    [said] = stage.all_heard(CONTROL, Outcome)
    assert said.outcome == "done"
    assert [each["point"] for each in said.result["points"]] == list(POINTS)
    assert said.result["currency"] == "CZK"
    assert stage.state.curve is None
    assert len(stage.all_heard(PLAN_KEEPER, PlanAdopted)) == 1


@pytest.mark.slow
def test_whoever_asks_last_is_answered() -> None:
    stage = informed()
    stage.tell(house_state())
    first, last = (order("planning/planner", "curve", id_=name) for name in "ab")
    stage.tell(first, last)
    stage.run(2.0)
    assert [said.id for said in stage.all_heard(CONTROL, Outcome)] == [last.id]


def test_a_solver_that_fails_is_told_and_not_taken_for_a_plan() -> None:
    stage = informed(solver("tests.actors.solvers:broken"))
    stage.tell(house_state())
    stage.tell(order("planning/planner", "curve"))
    stage.run(2.0)
    [said] = stage.all_heard(CONTROL, Outcome)
    assert (said.outcome, said.reason) == ("failed", "no point has a plan")


def test_a_point_is_planned_by_from_now_on() -> None:
    stage = informed()
    stage.forget()
    stage.tell(order("planning/planner", "point", point=1.0))
    [said] = stage.all_heard(CONTROL, Outcome)
    assert said.outcome == "done"
    assert stage.state.outlook.weights.cold_per_kh == 40.0
    assert stage.all_heard(ESTIMATOR, Republish)
    stage.tell(order("planning/planner", "point", point=7.0))
    assert stage.all_heard(CONTROL, Outcome)[-1].outcome == "rejected"
