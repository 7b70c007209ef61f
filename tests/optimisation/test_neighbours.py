"""What rooms feel of their neighbours in the program, against the house's own links."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.planning_instances import instance, rooms_only
from pems_actors.domain.house import Emitter
from pems_actors.domain.plan import PlanningProblem
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.thermal import AIR, simulate


def relaxed_case(problem: PlanningProblem) -> tuple[Case, Relaxed]:
    case = case_of(problem, stages_of(problem))
    relaxed = Formulation().solve(case)
    assert relaxed is not None
    return case, relaxed


def alone(problem: PlanningProblem) -> PlanningProblem:
    """Take the links between the rooms away."""
    return replace(problem, model=replace(problem.model, links=()))


@pytest.mark.parametrize("emitter", list(Emitter))
@pytest.mark.parametrize("kind", ["winter", "cold", "shoulder", "summer"])
def test_neighbours_seen_in_few_views_stray_by_two_hundredths_of_a_kelvin(
    kind: str, emitter: Emitter
) -> None:
    case, relaxed = relaxed_case(instance(kind, 5, emitter=emitter))
    real = simulate(case.rooms, case.weather, (relaxed.duty * case.power_kw) @ case.share)
    error = relaxed.air_c - real[:, :, AIR]
    day = case.stages.start_s < case.stages.start_s[0] + 24 * 3600.0
    assert np.sqrt((error[day] ** 2).mean()) < 0.02


def test_no_heat_is_lost_between_rooms_whatever_the_views_leave_out() -> None:
    case, _ = relaxed_case(instance("winter", 0))
    near = case.neighbours
    assert np.allclose((near.feel @ near.look).sum(axis=0), case.rooms.links.sum(axis=0))
    assert len(near.look) < len(case.rooms.names) / 4


def test_a_small_house_sees_its_neighbours_as_they_are() -> None:
    names = ("chodba_dole", "loznice", "hosti", "pracovna")
    case, _ = relaxed_case(rooms_only(instance("winter", 0), names))
    near = case.neighbours
    assert np.allclose(near.feel @ near.look, case.rooms.links, atol=1e-5)


def test_rooms_without_neighbours_feel_nothing() -> None:
    case, relaxed = relaxed_case(alone(rooms_only(instance("cold", 0), ("hosti", "loznice"))))
    assert not case.neighbours.expected_kw.any()
    assert case.neighbours.spell.max() == 0
    assert relaxed.solver == "piqp"
