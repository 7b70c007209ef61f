"""Between two solves: the last prices moved on in time, and what was agreed before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pems_actors.bench.planning_instances import START_S, advanced, instance, rooms_only
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.optimisation.curve import problems_on_curve
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import coarsened
from pems_actors.optimisation.solver import Planner
from pems_actors.optimisation.validator import validate

FIVE = ("hosti", "loznice", "pracovna", "koupelna_dole", "pokoj_1")
FINE = rooms_only(instance("winter", 1, grid=TimeGrid.uniform(START_S, 4 * 96)), FIVE)


def later(steps: int, state: Any = None) -> PlanningProblem:
    """The same house some quarter hours on."""
    now = START_S + steps * QUARTER_S
    grid = TimeGrid.planning(now, DAY_S)
    state = FINE.state if state is None else state
    return replace(coarsened(FINE, grid), issued_at_s=now, state=replace(state, at_s=now))


def plan_of(answer: object) -> Plan:
    assert isinstance(answer, Plan), answer
    return answer


def test_a_plan_by_the_last_prices_is_sound_and_nearly_as_good() -> None:
    planner, state = Planner(), None
    plan_of(planner.solve(later(0)))
    state = advanced(later(0), plan_of(Planner().solve(later(0))))
    for step in (1, 2, 3):
        problem = later(step, state)
        quick, full = plan_of(planner.replan(problem)), plan_of(Planner().solve(problem))
        assert quick.solver.solver == "shifted"
        assert quick.level is Level.PLAN
        assert validate(problem, quick).accepted
        assert quick.totals["objective"] < 1.04 * full.totals["objective"]
        state = advanced(problem, quick)


def test_without_prices_of_this_house_or_hour_it_solves() -> None:
    planner = Planner()
    assert plan_of(planner.replan(later(0))).solver.solver == "piqp"
    fewer = rooms_only(later(1), FIVE[:3])
    assert plan_of(planner.replan(fewer)).solver.solver == "piqp"
    plan_of(planner.solve(later(0)))
    assert plan_of(planner.replan(later(12))).solver.solver == "piqp"


def test_a_block_that_was_not_known_is_kept_by_the_last_prices_too() -> None:
    planner = Planner()
    planner.solve(later(0))
    problem = later(1)
    problem = replace(problem, heating_blocked=tuple(k < 8 for k in range(len(problem.grid))))
    plan = plan_of(planner.replan(problem))
    assert plan.solver.solver == "shifted"
    assert not any(any(slot.relays.values()) for slot in plan.slots[:8])


def test_where_no_solver_finds_a_point_the_last_prices_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planner = Planner()
    planner.solve(later(0))
    monkeypatch.setattr(Formulation, "solve", lambda *_: None)
    plan = plan_of(planner.solve(later(1)))
    assert plan.solver.solver == "shifted"
    assert plan.level is Level.LATE


def test_without_news_most_of_what_was_told_stays() -> None:
    planner = Planner()
    problem = later(0)
    told: dict[float, dict[str, bool]] = {}
    kept = asked = 0
    for step in range(6):
        plan = plan_of(planner.solve(problem))
        near = [slot for slot in plan.slots if slot.start_s < problem.issued_at_s + 2 * HOUR_S]
        for slot in near:
            before = told.get(slot.start_s)
            if before is not None:
                asked += len(before)
                kept += sum(before[name] is slot.relays[name] for name in before)
            told[slot.start_s] = dict(slot.relays)
        problem = later(step + 1, advanced(problem, plan))
    assert asked > 100
    assert kept / asked > 0.93


@pytest.mark.parametrize(("solvable", "made_up"), [(True, 0.0), (False, 1.0)])
def test_heat_that_the_house_is_short_of_is_made_up_for_at_once_only_where_no_solve_follows(
    monkeypatch: pytest.MonkeyPatch, solvable: bool, made_up: float
) -> None:
    planner = Planner()
    first = plan_of(planner.solve(later(0)))
    state = advanced(later(0), first)
    colder = {
        name: replace(room, screed_c=room.screed_c - 0.5) for name, room in state.rooms.items()
    }
    monkeypatch.setattr(Formulation, "solve", lambda *_: None)
    ask = planner.replan if solvable else planner.solve
    usual, more = (plan_of(ask(later(1, now))) for now in (state, replace(state, rooms=colder)))
    short_kwh = 0.5 * sum(room.c_screed_kwh_k for room in FINE.model.rooms)
    given_kwh = more.totals["heat_kwh"] - usual.totals["heat_kwh"]
    assert given_kwh == pytest.approx(made_up * short_kwh, abs=0.15 * short_kwh)


def test_the_questions_of_a_curve_leave_no_trace() -> None:
    planner, alone = Planner(), Planner()
    state = advanced(later(0), plan_of(planner.solve(later(0))))
    plan_of(alone.solve(later(0)))
    for _, asked in problems_on_curve(later(1, state)):
        assert plan_of(planner.solve(asked)).solver.solver == "piqp"
    after, usual = (plan_of(each.replan(later(1, state))) for each in (planner, alone))
    assert after.solver.solver == "shifted"
    assert after.slots == usual.slots


def test_between_two_solves_the_battery_goes_on_with_its_orders() -> None:
    planner = Planner()
    first = plan_of(planner.solve(later(0)))
    again = plan_of(planner.replan(later(1, advanced(later(0), first))))
    for slot in again.slots[:15]:
        told = first.slot_at(slot.start_s + 1.0)
        assert told is not None
        assert slot.battery_mode is told.battery_mode
        assert slot.battery_rate_kw == told.battery_rate_kw


def test_a_battery_that_was_told_something_else_gets_new_orders_between_two_solves() -> None:
    planner = Planner()
    first = plan_of(planner.solve(later(0)))
    state = advanced(later(0), first)
    other = next(mode for mode in BatteryMode if mode is not state.battery_mode)
    changed = later(1, replace(state, battery_mode=other, battery_mode_since_s=state.at_s - 60.0))
    plan = plan_of(planner.replan(changed))
    assert validate(changed, plan).accepted
    assert plan.slots[0].battery_mode is other  # a mode lasts half an hour


def cheap_at_first(steps: int, base_kw: float, state: Any = None) -> PlanningProblem:
    """One phase, no sun, nothing may heat, and power that is nearly free for an hour and a half."""
    problem = later(steps, state)
    slots = len(problem.grid)
    cheap = [at_s < START_S + 1.5 * HOUR_S for at_s in problem.grid.starts_s]
    return replace(
        problem,
        limits=replace(problem.limits, phases=1),
        base_load_kw=(base_kw,) * slots,
        pv_kw=(0.0,) * slots,
        import_per_kwh=tuple(0.1 if each else 9.0 for each in cheap),
        export_per_kwh=(0.0,) * slots,
        heating_blocked=(True,) * slots,
    )


def test_a_charge_that_a_higher_base_load_leaves_no_room_for_is_not_kept() -> None:
    planner, first = Planner(), cheap_at_first(0, base_kw=0.5)
    calm = plan_of(planner.solve(first))
    assert calm.slots[1].battery_kw < -3.0
    charging = replace(advanced(first, calm), battery_mode_since_s=START_S)
    busier = cheap_at_first(1, base_kw=3.0, state=charging)
    again = plan_of(planner.replan(busier))
    assert again.solver.solver == "shifted"
    assert max(slot.grid_kw for slot in again.slots) <= busier.limits.grid_kw + 0.02
