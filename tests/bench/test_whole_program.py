"""Branch and bound as the planner's judge: it starts where it is told, and its battery obeys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.highs import Numbers, minimised
from pems_actors.bench.planning_instances import START_S, instance, rooms_only
from pems_actors.bench.whole_program import solved, sought
from pems_actors.domain.plan import PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.assembly import assemble
from pems_actors.optimisation.case import case_of, shape_of
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.program import Layout

ROOMS = ("hosti", "loznice", "pracovna")


def knapsack(rng: np.random.Generator, things: int = 40) -> Numbers:
    """Take what is worth most of some things, as far as they fit."""
    size = rng.uniform(1.0, 2.0, things)
    return Numbers(
        cost=-size * rng.uniform(0.9, 1.1, things),
        low=np.zeros(things),
        high=np.ones(things),
        rows=np.zeros(things, dtype=np.intp),
        cols=np.arange(things),
        values=size,
        row_low=np.array([-np.inf]),
        row_high=np.array([size.sum() / 2.0]),
        whole=np.ones(things, dtype=bool),
    )


def battery_kw(problem: PlanningProblem) -> tuple[np.ndarray, np.ndarray]:
    """What the battery gives and what is imported in every slot at the least cost."""
    case = case_of(problem, stages_of(problem, 6.0), exact=True)
    layout = Layout(shape_of(case))
    program = assemble(case, layout)
    x = solved(program, sought(program, case, ()), {"mip_rel_gap": 1e-4})
    assert x is not None
    return x[layout.discharge] - x[layout.charge], x[layout.grid_in]


def short_problem() -> PlanningProblem:
    return rooms_only(instance("cold", 1, grid=TimeGrid.uniform(START_S, 24)), ROOMS)


def test_a_search_without_time_returns_what_it_was_given() -> None:
    numbers = knapsack(np.random.default_rng(1))
    start = np.zeros(40)
    start[:15] = 1.0
    assert minimised(numbers, {"time_limit": 0.0}, start) == pytest.approx(start)


def test_a_search_with_time_finds_better() -> None:
    numbers = knapsack(np.random.default_rng(2))
    start = np.zeros(40)
    found = minimised(numbers, {"mip_rel_gap": 1e-6}, start)
    assert found == pytest.approx(found.round())
    assert numbers.values @ found <= numbers.row_high[0] + 1e-6
    assert numbers.cost @ found < 0.99 * (numbers.cost @ minimised(numbers, {"time_limit": 0.0}))


def test_a_battery_under_orders_gives_the_same_for_half_an_hour_or_follows_the_house() -> None:
    given, drawn = battery_kw(short_problem())
    assert np.ptp(given) > 0.5
    for first in range(0, 24, 2):
        a, b = given[first : first + 2]
        less = first + int(b < a)
        assert a == pytest.approx(b, abs=1e-4) or drawn[less] == pytest.approx(0.0, abs=1e-4)


def test_a_battery_that_takes_powers_is_free_in_every_slot() -> None:
    problem = short_problem()
    given, _ = battery_kw(
        replace(problem, inverter=replace(problem.inverter, takes_powers=True, min_mode_s=0.0))
    )
    assert np.abs(given[0::2] - given[1::2]).max() > 0.2
