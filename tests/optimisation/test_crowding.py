"""Relays and battery together in a short plan where power is short and floors have to rest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from operator import lt

import pytest

from pems_actors.bench.planning_instances import START_S, instance
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation import solver
from pems_actors.optimisation.crowding import Crowd, crowd_of
from pems_actors.optimisation.modes import changes_left
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.relays import whole_relays
from pems_actors.optimisation.sequences import bits_of
from pems_actors.optimisation.solver import Planner, SolveOptions
from pems_actors.optimisation.switching import caps_of
from tests.optimisation.test_relays import near_of

SHORT = SolveOptions(binary_h=6.0)


def short_problem(seed: int, kind: str = "cold") -> PlanningProblem:
    return instance(kind, seed, grid=TimeGrid.uniform(START_S, 24))


@cache
def crowded(seed: int) -> tuple[Near, Crowd]:
    near = near_of(short_problem(seed), binary_h=6.0)
    crowd = crowd_of(near, near.case.stages.pv_kw, whole_relays(near))
    assert crowd is not None
    return near, crowd


def objective(problem: PlanningProblem) -> float:
    plan = Planner(SHORT).solve(problem)
    assert isinstance(plan, Plan)
    return plan.totals["objective"]


SEEDS = pytest.mark.parametrize("seed", [0, 3])


@SEEDS
def test_everybody_fits_beside_what_the_battery_gives(seed: int) -> None:
    near, crowd = crowded(seed)
    caps = caps_of(near.case, near.case.stages.pv_kw + crowd.feed_kw)
    assert (caps.left(crowd.on.astype(float)) > -1e-5).all()


@SEEDS
def test_floors_rest_and_all_rules_of_switching_are_kept(seed: int) -> None:
    near, crowd = crowded(seed)
    assert all(near.allowed(m, bits_of(crowd.on[None, :, m]))[0] for m in range(len(near.rules)))


@SEEDS
def test_the_plan_that_comes_of_it_changes_modes_no_more_often_than_it_may(seed: int) -> None:
    near, _ = crowded(seed)
    plan = Planner(SHORT).solve(short_problem(seed))
    assert isinstance(plan, Plan)
    assert plan.totals["mode_changes"] <= changes_left(near.case)
    assert max(slot.grid_kw for slot in plan.slots) <= near.case.problem.limits.grid_kw + 1e-6


def test_it_beats_orders_chosen_first_and_relays_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = [objective(short_problem(seed)) for seed in (0, 3)]
    monkeypatch.setattr(solver, "crowd_of", lambda *_: None)
    apart = [objective(short_problem(seed)) for seed in (0, 3)]
    assert all(map(lt, together, apart))
    assert sum(together) < 0.993 * sum(apart)


def test_the_same_problem_has_the_same_answer() -> None:
    near, crowd = crowded(0)
    again = crowd_of(near, near.case.stages.pv_kw, whole_relays(near))
    assert again is not None
    assert (again.on == crowd.on).all()
    assert (again.feed_kw == crowd.feed_kw).all()


def test_a_longer_plan_is_left_to_those_who_look_further() -> None:
    near = near_of(instance("cold", 0))
    assert crowd_of(near, near.case.stages.pv_kw, whole_relays(near)) is None


def test_a_battery_that_obeys_nobody_is_not_counted_on() -> None:
    near = near_of(replace(short_problem(0), battery_obeys=False), binary_h=6.0)
    assert crowd_of(near, near.case.stages.pv_kw, whole_relays(near)) is None
