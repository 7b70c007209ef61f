"""The relaxed program: its point, its prices, and its answer where nothing fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.planning_instances import START_S, instance, rooms_only
from pems_actors.domain.plan import PlanningProblem, RoomThermalState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import (
    ConicSolvers,
    Formulation,
    Point,
    SolverLimits,
)
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.program import Program
from pems_actors.optimisation.relaxed import Relaxed
from tests.optimisation.problems import THREE_ROOMS, constant, quick_problem, with_state

STEP = 0.01


@pytest.fixture(scope="module")
def formulation() -> Formulation:
    return Formulation(SolverLimits(duality_gap=1e-8))  # prices are compared with differences


def relax(formulation: Formulation, problem: PlanningProblem) -> tuple[Case, Relaxed]:
    case = case_of(problem, stages_of(problem))
    relaxed = formulation.solve(case)
    assert relaxed is not None
    return case, relaxed


@pytest.mark.parametrize("kind", ["winter", "cold", "shoulder"])
def test_the_point_satisfies_every_row_and_the_balance_closes(
    formulation: Formulation, kind: str
) -> None:
    case, relaxed = relax(formulation, instance(kind, 1))
    assert relaxed.residual < 1e-5
    load = case.stages.base_kw + relaxed.duty @ case.power_kw
    supply = relaxed.grid_kw + relaxed.discharge_kw - relaxed.charge_kw + relaxed.pv_kw
    assert np.abs(supply - load).max() < 1e-4


@pytest.mark.parametrize("k", [0, 7, 20])
def test_the_power_price_is_what_one_more_kwh_costs(formulation: Formulation, k: int) -> None:
    case, relaxed = relax(formulation, quick_problem())
    costs = []
    for sign in (-1.0, 1.0):
        base = case.stages.base_kw.copy()
        base[k] += sign * STEP
        more = formulation.solve(replace(case, stages=replace(case.stages, base_kw=base)))
        assert more is not None
        costs.append(more.objective)
    slope = (costs[1] - costs[0]) / (2 * STEP * case.stages.hours[k])
    assert relaxed.power_price[k] == pytest.approx(slope, abs=0.02)
    assert relaxed.power_price[k] > 0.0


def test_the_charge_price_is_what_a_stored_kwh_saves(formulation: Formulation) -> None:
    problem = with_state(quick_problem(), soc_frac=0.5)
    _, relaxed = relax(formulation, problem)
    costs = [
        relax(formulation, with_state(problem, soc_frac=0.5 + sign * 0.002))[1].objective
        for sign in (-1.0, 1.0)
    ]
    saved = (costs[0] - costs[1]) / (0.004 * problem.battery.capacity_kwh)
    assert relaxed.charge_price[0] == pytest.approx(saved, rel=0.02, abs=0.02)
    assert saved > 0.0


@pytest.mark.parametrize("room", THREE_ROOMS)
def test_the_heat_price_is_what_a_kwh_in_the_floor_saves(
    formulation: Formulation, room: str
) -> None:
    problem = quick_problem()
    case, relaxed = relax(formulation, problem)
    r = case.rooms.names.index(room)
    # A kWh given during the first slot is worth nearly what one in the screed now is worth.
    costs = []
    for sign in (-1.0, 1.0):
        state = problem.state.rooms[room]
        rise = sign * 0.01 / case.rooms.capacity_kwh_k[r, 0]
        moved = RoomThermalState(state.screed_c + rise, state.air_c, state.structure_c)
        rooms = {**problem.state.rooms, room: moved}
        costs.append(relax(formulation, with_state(problem, rooms=rooms))[1].objective)
    saved = (costs[0] - costs[1]) / 0.02
    assert saved > 0.0
    assert relaxed.heat_price[0, r] == pytest.approx(saved, rel=0.1)


def test_the_later_price_is_all_of_the_heat_price_but_the_stage_itself(
    formulation: Formulation,
) -> None:
    case, relaxed = relax(formulation, quick_problem())
    drive = case.rooms.drive[:, :, 0][case.rooms.kept]
    room = np.nonzero(case.rooms.kept)[0]
    for k in (0, 5, 16):
        lasting = case.weather.lasting[k][case.rooms.kept]
        later = -relaxed.later_price[k] * drive * lasting / case.stages.hours[k]
        per_room = np.bincount(room, later)
        assert (per_room <= relaxed.heat_price[k] + 1e-3).all()
        assert (per_room > 0.0).all()


def test_solving_again_after_another_shape_gives_the_same_numbers() -> None:
    formulation = Formulation()
    _, first = relax(formulation, quick_problem())
    relax(formulation, rooms_only(quick_problem(), ("hosti",)))
    _, again = relax(formulation, quick_problem())
    assert np.array_equal(first.duty, again.duty)
    assert first.objective == again.objective


def test_a_battery_never_charges_and_discharges_at_once_even_if_it_pays(
    formulation: Formulation,
) -> None:
    problem = constant(quick_problem(), import_per_kwh=-20.0, export_per_kwh=-25.0)
    _, relaxed = relax(formulation, problem)
    assert np.minimum(relaxed.charge_kw, relaxed.discharge_kw).max() < 0.02


def test_buying_and_selling_at_once_does_not_pay_even_at_odd_prices(
    formulation: Formulation,
) -> None:
    problem = constant(quick_problem(), import_per_kwh=2.0, export_per_kwh=6.0)
    _, relaxed = relax(formulation, problem)
    assert relaxed.grid_kw.max() < problem.limits.grid_kw - 1.0


def eager(floor_limit_c: float, start_s: float = START_S) -> PlanningProblem:
    """A house in the cold that wants to be so warm that its floors would burn."""
    cold = instance("cold", 2, grid=TimeGrid.uniform(start_s, 32))
    problem = rooms_only(cold, THREE_ROOMS)
    slots = len(problem.grid)
    return replace(
        problem,
        comfort_low_c=dict.fromkeys(THREE_ROOMS, (26.0,) * slots),
        heating_blocked=(False,) * slots,
        floor_limits_c={},
        limits=replace(problem.limits, floor_surface_c=floor_limit_c),
    )


def test_a_hot_floor_is_held_under_its_ceiling_where_comfort_would_burn_it(
    formulation: Formulation,
) -> None:
    assert relax(formulation, eager(60.0))[1].surface_c.max() > 27.0
    assert relax(formulation, eager(26.5))[1].surface_c.max() < 26.55


def test_floors_that_came_to_their_limit_are_watched_at_once_in_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solve, asked = ConicSolvers.solve, []

    def counted(self: ConicSolvers, plugin: str, program: Program, scale: float) -> Point:
        asked.append(plugin)
        return solve(self, plugin, program, scale)

    monkeypatch.setattr(ConicSolvers, "solve", counted)
    monkeypatch.setattr(
        "pems_actors.optimisation.formulation.likely_hot",
        lambda case: np.zeros(len(case.rooms.names), dtype=bool),
    )
    formulation = Formulation()
    for quarters, solves in ((0, 2), (1, 1), (2, 1), (40, 2)):
        asked.clear()
        _, relaxed = relax(formulation, eager(26.5, START_S + 900.0 * quarters))
        assert len(asked) == solves
        assert relaxed.surface_c.max() < 26.5 + 0.31


def test_another_algorithm_answers_where_the_first_returns_nonsense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solve = ConicSolvers.solve

    def broken(self: ConicSolvers, plugin: str, program: Program, scale: float) -> Point:
        point = solve(self, plugin, program, scale)
        return replace(point, residual=22.0) if plugin == "piqp" else point

    _, usual = relax(Formulation(), rooms_only(quick_problem(6.0), ("hosti",)))
    monkeypatch.setattr(ConicSolvers, "solve", broken)
    _, rescued = relax(Formulation(), rooms_only(quick_problem(6.0), ("hosti",)))
    assert rescued.solver == "ipopt"
    assert rescued.objective == pytest.approx(usual.objective, rel=1e-3)
    assert np.allclose(rescued.power_price, usual.power_price, atol=0.05)


def test_a_point_that_charges_and_discharges_within_its_gap_is_not_solved_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    solve = ConicSolvers.solve

    def counted(self: ConicSolvers, plugin: str, program: Program, scale: float) -> Point:
        asked.append(plugin)
        return solve(self, plugin, program, scale)

    monkeypatch.setattr(ConicSolvers, "solve", counted)
    for seed in (0, 1, 4):
        relax(Formulation(), instance("cold", seed))
    assert asked == ["piqp"] * 3
