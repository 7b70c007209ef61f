"""The planner's reading of the rooms against the house's own equations."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.domain.house import Emitter
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import Array, stages_of
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.thermal import AIR, simulate
from pems_actors.physics.house_model import HouseDynamics

DAY = 44  # the slot in which the first 24 h end


def exact(case: Case, duty: Array) -> Array:
    """Air at slot ends by the house's own equations, (K, R)."""
    problem = case.problem
    dynamics = HouseDynamics(problem.model)
    temps, rows = dynamics.pack(problem.state.rooms), []
    for k, hours in enumerate(case.stages.hours):
        heat = (duty[k] * case.power_kw) @ case.share
        temps = dynamics.step(
            temps, heat, problem.outdoor_c[k], problem.ghi_w_m2[k], hours * 3600.0
        )
        rows.append(temps[dynamics.rooms : 2 * dynamics.rooms])
    return np.array(rows)


@cache
def solved(kind: str, emitter: Emitter = Emitter.FLOOR) -> tuple[Case, Relaxed]:
    problem = instance(kind, 3, emitter=emitter)
    case = case_of(problem, stages_of(problem))
    relaxed = Formulation().solve(case)
    assert relaxed is not None
    return case, relaxed


@pytest.mark.parametrize("emitter", list(Emitter))
def test_modes_give_the_same_air_as_the_equations_for_any_switching(emitter: Emitter) -> None:
    problem = instance("winter", 3, emitter=emitter)
    case = case_of(problem, stages_of(problem))
    duty = np.random.default_rng(1).integers(0, 2, size=(68, 16)).astype(float)
    air = simulate(case.rooms, case.weather, (duty * case.power_kw) @ case.share)[:, :, AIR]
    assert np.abs(air - exact(case, duty)).max() < 0.05


@pytest.mark.parametrize("emitter", list(Emitter))
@pytest.mark.parametrize("kind", ["winter", "cold", "shoulder"])
def test_neighbours_seen_once_a_spell_cost_a_twentieth_of_a_kelvin_and_no_bias(
    kind: str, emitter: Emitter
) -> None:
    case, relaxed = solved(kind, emitter)
    error = relaxed.air_c - exact(case, relaxed.duty)
    assert np.sqrt((error[:DAY] ** 2).mean()) < 0.05
    assert np.abs(error[:DAY].mean(axis=0)).max() < 0.05
    assert np.abs(error[: case.stages.binary]).max() < 0.02


@pytest.mark.parametrize("kind", ["winter", "cold", "shoulder"])
def test_with_gentle_duties_air_is_within_a_tenth_of_a_kelvin_after_a_day(kind: str) -> None:
    problem = instance(kind, 3)
    case = case_of(problem, stages_of(problem))
    steady = np.where(case.stages.blocked[:, None], 0.0, np.full((68, 16), 0.45))
    fixed = Formulation().solve(case, (np.ones_like(steady), steady))
    assert fixed is not None
    assert np.abs(fixed.air_c - exact(case, steady))[DAY].max() < 0.1


def test_a_panel_keeps_its_air_as_a_state_and_drops_its_body() -> None:
    case, relaxed = solved("winter", Emitter.PANEL)
    assert case.rooms.kept.sum() == 2 * 17
    error = relaxed.air_c - exact(case, relaxed.duty)
    assert np.sqrt((error**2).mean()) < 0.1


def test_with_every_mode_kept_the_program_is_exact() -> None:
    problem = instance("winter", 3)
    case = case_of(problem, stages_of(problem), exact=True)
    relaxed = Formulation().solve(case)
    assert relaxed is not None
    assert np.abs(relaxed.air_c - exact(case, relaxed.duty)).max() < 0.05


def test_a_floor_keeps_its_air_as_a_state_too() -> None:
    case, _ = solved("winter")
    assert case.rooms.kept.all()
