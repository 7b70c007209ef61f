"""A car and a boiler in the plan: their energy by its hour, within every limit, when it is best."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.bench.planning_instances import instance
from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind, LoadTask
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan, PlanningProblem, PlanRefused
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.solver import Planner, solve
from pems_actors.optimisation.validator import validate
from pems_actors.optimisation.why import explain
from pems_actors.physics.balance import grid_by_phase
from tests.optimisation.problems import constant, plan_for, quick_problem

CAR = FlexibleLoad("car", LoadKind.CAR, 11.0)
BOILER = FlexibleLoad(
    "boiler", LoadKind.BOILER, 2.0, (0.0, 1.0, 0.0), tariff_blocked=True, volume_l=150.0
)
HALF_KWH = 0.05


def with_tasks(problem: PlanningProblem, *tasks: LoadTask) -> PlanningProblem:
    return replace(problem, loads=tasks)


def in_hours(problem: PlanningProblem, load: FlexibleLoad, kwh: float, hours: float) -> LoadTask:
    return LoadTask(load, kwh, problem.grid.start_s + hours * HOUR_S)


def kwh_of(plan: Plan, load: str, until_s: float = float("inf")) -> float:
    return sum(
        slot.loads_kw[load] * slot.duration_s / HOUR_S
        for slot in plan.slots
        if slot.start_s < until_s
    )


@cache
def cold_house() -> PlanningProblem:
    return instance("winter", 0)


@cache
def car_by_morning() -> tuple[PlanningProblem, Plan]:
    problem = with_tasks(cold_house(), in_hours(cold_house(), CAR, 20.0, 14.0))
    return problem, plan_for(problem)


def test_a_car_has_its_energy_by_its_hour_and_not_a_kilowatt_hour_more():
    problem, plan = car_by_morning()
    by_s = problem.loads[0].by_s
    assert kwh_of(plan, "car", by_s) == pytest.approx(20.0, abs=HALF_KWH)
    assert kwh_of(plan, "car") == pytest.approx(20.0, abs=HALF_KWH)
    assert plan.totals["loads_kwh"] == pytest.approx(20.0, abs=HALF_KWH)


def test_beside_a_charging_car_every_limit_holds_and_the_battery_gives_it_nothing():
    problem, plan = car_by_morning()
    limits = problem.limits
    for slot in plan.slots:
        assert slot.grid_kw <= limits.grid_kw + 0.02
        heat = [
            sum(slot.heat_kw[r.name] * r.phases[p] for r in problem.relays)
            + sum(slot.loads_kw[t.load.name] * t.load.phases[p] for t in problem.loads)
            for p in range(3)
        ]
        by_phase = grid_by_phase(heat, slot.base_load_kw, slot.battery_kw + slot.pv_kw)
        assert max(by_phase) <= limits.phase_kw + 0.02
        if slot.loads_kw["car"] > 0.1 and slot.start_s > problem.grid.start_s + HOUR_S:
            assert slot.battery_kw <= 1e-6


def test_a_car_is_charged_in_the_cheapest_hours_that_there_are():
    problem = constant(quick_problem(), import_per_kwh=5.0, pv_kw=0.0)
    prices = [5.0] * len(problem.grid)
    cheap = [
        k
        for k, s in enumerate(problem.grid.starts_s)
        if 4 <= (s - problem.grid.start_s) / HOUR_S < 6
    ]
    for k in cheap:
        prices[k] = 2.0
    priced = replace(problem, import_per_kwh=tuple(prices))
    plan = plan_for(with_tasks(priced, in_hours(priced, CAR, 11.0, 10.0)))
    inside = sum(plan.slots[k].loads_kw["car"] * plan.slots[k].duration_s / HOUR_S for k in cheap)
    assert inside == pytest.approx(11.0, abs=HALF_KWH)


def test_a_boiler_behind_the_contactor_waits_for_the_end_of_a_block():
    problem = quick_problem()
    blocked = tuple(k < 8 for k in range(len(problem.grid)))
    task = in_hours(problem, BOILER, 4.0, 8.0)
    plan = plan_for(with_tasks(replace(problem, heating_blocked=blocked), task))
    assert not any(slot.loads_kw["boiler"] for slot in plan.slots[:8])
    assert kwh_of(plan, "boiler") == pytest.approx(4.0, abs=HALF_KWH)
    assert plan.slots[0].reasons["boiler"] == "off: the tariff blocks it"


def test_what_cannot_be_had_in_time_is_named_as_softened_and_the_rest_is_given():
    problem = quick_problem()
    plan = plan_for(with_tasks(problem, in_hours(problem, CAR, 40.0, 2.0)))
    [late] = [s for s in plan.softened if s.limit == "energy of car by its hour [kWh]"]
    assert late.by == pytest.approx(40.0 - kwh_of(plan, "car"), abs=HALF_KWH)
    assert kwh_of(plan, "car") > 15.0


def test_two_loads_share_the_breaker():
    problem = quick_problem()
    tasks = (in_hours(problem, CAR, 15.0, 6.0), in_hours(problem, BOILER, 4.0, 6.0))
    plan = plan_for(with_tasks(problem, *tasks))
    assert kwh_of(plan, "car") == pytest.approx(15.0, abs=HALF_KWH)
    assert kwh_of(plan, "boiler") == pytest.approx(4.0, abs=HALF_KWH)
    assert all(slot.grid_kw <= problem.limits.grid_kw + 0.02 for slot in plan.slots)


def test_a_house_without_loads_has_the_plan_that_it_always_had():
    problem = quick_problem()
    plan = plan_for(problem)
    assert all(not slot.loads_kw for slot in plan.slots)
    assert "loads_kwh" not in plan.totals


def test_every_slot_says_why_the_car_waits_or_is_charged():
    _, plan = car_by_morning()
    for slot in plan.slots:
        assert slot.reasons["car"].startswith("on: " if slot.loads_kw["car"] > 0.0 else "off: ")
    told = explain(plan, None, "car", plan.slots[0].start_s, None)
    waits = plan.slots[0].loads_kw["car"] == 0.0
    assert (told["action"] == "waits") is waits
    assert told["reason"] == plan.slots[0].reasons["car"]


def test_the_battery_holds_while_the_car_is_charged_and_says_so():
    problem, plan = car_by_morning()
    later = [s for s in plan.slots if s.start_s > problem.grid.start_s + HOUR_S]
    holding = [s for s in later if s.loads_kw["car"] > 0 and s.battery_mode is BatteryMode.HOLD]
    assert all("car" in slot.reasons["battery"] for slot in holding)


def test_a_task_without_sense_is_refused_with_a_sentence():
    problem = quick_problem()
    for kwh in (float("nan"), -1.0, float("inf")):
        answer = solve(with_tasks(problem, in_hours(problem, CAR, kwh, 4.0)))
        assert isinstance(answer, PlanRefused)
        assert "'car'" in answer.reason
    twice = in_hours(problem, CAR, 4.0, 4.0)
    answer = solve(with_tasks(problem, twice, twice))
    assert isinstance(answer, PlanRefused)
    assert "two tasks" in answer.reason


def test_the_validator_refuses_a_load_that_draws_what_it_cannot():
    problem, plan = car_by_morning()
    slots = (replace(plan.slots[0], loads_kw={"car": 12.0}), *plan.slots[1:])
    assert "outside 0 to 11.00 kW" in str(validate(problem, replace(plan, slots=slots)).refusal)
    slots = (replace(plan.slots[0], loads_kw={}), *plan.slots[1:])
    assert "flexible load" in str(validate(problem, replace(plan, slots=slots)).refusal)


def test_the_validator_refuses_a_load_that_draws_in_a_block_of_the_tariff():
    problem, plan = car_by_morning()
    behind = replace(CAR, tariff_blocked=True)
    task = replace(problem.loads[0], load=behind)
    blocked = (True,) * len(problem.grid)
    under_block = replace(problem, loads=(task,), heating_blocked=blocked)
    off = tuple(
        replace(s, relays=dict.fromkeys(s.relays, False), heat_kw=dict.fromkeys(s.heat_kw, 0.0))
        for s in plan.slots
    )
    refusal = validate(under_block, replace(plan, slots=off)).refusal
    assert "'car'" in str(refusal)
    assert "although the tariff blocks it" in str(refusal)


def test_a_replan_on_shifted_prices_knows_the_car_too():
    problem, _ = car_by_morning()
    planner = Planner()
    assert isinstance(planner.solve(problem), Plan)
    again = planner.replan(problem)
    assert isinstance(again, Plan)
    assert kwh_of(again, "car") == pytest.approx(20.0, abs=HALF_KWH)
    without = planner.replan(replace(problem, loads=()))
    assert isinstance(without, Plan)


@settings(max_examples=12, deadline=None)
@given(
    kwh=st.floats(0.0, 60.0),
    hours=st.floats(-1.0, 14.0),
    power_kw=st.sampled_from([1.4, 3.7, 11.0]),
    soc=st.floats(0.1, 0.9),
)
def test_whatever_is_wanted_there_is_a_plan_within_the_limits(kwh, hours, power_kw, soc):
    problem = quick_problem()
    problem = replace(problem, state=replace(problem.state, soc_frac=soc))
    car = replace(CAR, power_kw=power_kw)
    plan = plan_for(with_tasks(problem, in_hours(problem, car, kwh, hours)))
    assert kwh_of(plan, "car") <= kwh + HALF_KWH
    late = [s.by for s in plan.softened if "energy of car" in s.limit]
    assert kwh_of(plan, "car") + sum(late) == pytest.approx(kwh, abs=2 * HALF_KWH)


# --- the base load's split by phase


def test_heating_on_the_fullest_phase_stays_under_its_breaker_when_the_split_is_known():
    problem = constant(cold_house(), base_load_kw=4.0, pv_kw=0.0)
    split = (0.7, 0.2, 0.1)
    plan = plan_for(replace(problem, state=replace(problem.state, base_split=split)))
    most = 0.0
    for slot in plan.slots:
        heat = [sum(slot.heat_kw[r.name] * r.phases[p] for r in problem.relays) for p in range(3)]
        phases = grid_by_phase(heat, slot.base_load_kw, slot.battery_kw + slot.pv_kw, split)
        most = max(most, *phases)
    assert most <= problem.limits.phase_kw + 0.02


def test_a_plan_for_equal_thirds_breaks_a_phase_that_is_known_to_carry_more():
    problem = constant(cold_house(), base_load_kw=4.0, pv_kw=0.0)
    even, split = plan_for(problem), (0.7, 0.2, 0.1)
    uneven = replace(problem, state=replace(problem.state, base_split=split))
    assert "phase" in str(validate(uneven, even).refusal)
