"""The second opinion: it sees each planted fault, and needs no solver to do so."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan, PlanningProblem, PlanSlot, RelayHistory
from pems_actors.optimisation.validator import validate
from tests.optimisation.problems import (
    constant,
    plan_for,
    quick_problem,
    with_relays,
    with_state,
)


def changed(plan: Plan, k: int, **values: Any) -> Plan:
    slots = list(plan.slots)
    slots[k] = replace(slots[k], **values)
    return replace(plan, slots=tuple(slots))


def switched(plan: Plan, relay: str, states: dict[int, bool], power_kw: float) -> Plan:
    """Switch a relay in some slots and let the grid carry the difference."""
    for k, on in states.items():
        slot: PlanSlot = plan.slots[k]
        heat = power_kw if on else 0.0
        plan = changed(
            plan,
            k,
            relays={**slot.relays, relay: on},
            heat_kw={**slot.heat_kw, relay: heat},
            grid_kw=slot.grid_kw + heat - slot.heat_kw[relay],
        )
    return plan


@pytest.fixture(scope="module")
def problem() -> PlanningProblem:
    """Battery at its lowest, no sun: powers follow from the load alone."""
    quiet = constant(quick_problem(), pv_kw=0.0, import_per_kwh=3.0)
    return with_state(quiet, soc_frac=0.1, relays={})


@pytest.fixture(scope="module")
def plan(problem: PlanningProblem) -> Plan:
    return plan_for(problem)


def test_a_sound_plan_is_accepted_with_its_comfort_in_figures(
    problem: PlanningProblem, plan: Plan
) -> None:
    verdict = validate(problem, plan)
    assert verdict.accepted
    assert verdict.disagreement_k < 0.05
    assert verdict.cold_kh == pytest.approx(plan.totals["cold_kh"], abs=0.3)


def nan_temperature(plan: Plan) -> Plan:
    return changed(plan, 3, temps_c={**plan.slots[3].temps_c, "hosti": math.nan})


PLANTED: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "nan": (nan_temperature, "not a number"),
    "fewer slots": (lambda p: replace(p, slots=p.slots[:-1]), "slots for"),
    "another time": (lambda p: changed(p, 2, start_s=p.slots[2].start_s + 60.0), "elsewhere"),
    "a relay forgotten": (lambda p: changed(p, 2, relays={}, heat_kw={}), "every relay"),
    "a room forgotten": (lambda p: changed(p, 2, temps_c={}), "every room"),
    "too much heat": (
        lambda p: switched(p, "hosti", dict.fromkeys(range(4), True), 9.0),
        "outside 0",
    ),
    "a state that is none": (
        lambda p: changed(
            p, 1, relays={**p.slots[1].relays, "hosti": not p.slots[1].relays["hosti"]}
        ),
        "and is",
    ),
    "a charge out of nothing": (lambda p: changed(p, 5, soc_frac=0.5), "state of charge"),
    "a charge under the window": (lambda p: changed(p, 5, soc_frac=0.02), "outside its window"),
    "a power the mode does not give": (
        lambda p: changed(p, 5, battery_kw=2.0, grid_kw=p.slots[5].grid_kw - 2.0),
        "battery power",
    ),
    "another mode": (lambda p: changed(p, 5, battery_mode=BatteryMode.CHARGE_GRID), "charge_grid"),
    "an open balance": (lambda p: changed(p, 5, base_load_kw=9.0), "balance"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_each_planted_fault_is_refused_with_one_sentence(
    problem: PlanningProblem, plan: Plan, fault: str
) -> None:
    plant, words = PLANTED[fault]
    verdict = validate(problem, plant(plan))
    assert not verdict.accepted
    assert words in (verdict.refusal or "")


def test_limits_that_shrank_since_the_plan_are_seen(problem: PlanningProblem, plan: Plan) -> None:
    hot = max(range(len(plan.slots)), key=lambda k: sum(plan.slots[k].heat_kw.values()))
    assert sum(plan.slots[hot].heat_kw.values()) > 1.5
    for limits, words in (
        (replace(problem.limits, heating_kw=1.0), "heating takes"),
        (replace(problem.limits, import_kw=1.0), "are imported"),
    ):
        assert words in (validate(replace(problem, limits=limits), plan).refusal or "")
    weak = replace(with_relays(problem, phases=(1.0, 0.0, 0.0)))
    weak = replace(weak, limits=replace(problem.limits, breaker_a=6.0, import_kw=20.0))
    assert "a phase carries" in (validate(weak, plan).refusal or "")


def test_a_block_or_a_relay_out_of_service_is_seen(problem: PlanningProblem, plan: Plan) -> None:
    blocked = replace(problem, heating_blocked=(True,) * len(problem.grid))
    assert "tariff blocks" in (validate(blocked, plan).refusal or "")
    name = next(name for slot in plan.slots for name, on in slot.relays.items() if on)
    out = replace(problem, out_of_service=frozenset({name}))
    assert "out of service" in (validate(out, plan).refusal or "")


def test_export_at_a_price_below_zero_is_seen(problem: PlanningProblem, plan: Plan) -> None:
    assert plan.slots[0].export_allowed
    costly = constant(problem, export_per_kwh=-1.0)
    assert "export is allowed" in (validate(costly, plan).refusal or "")


def test_dwell_and_starts_are_followed_from_the_relays_past(problem: PlanningProblem) -> None:
    now = problem.grid.start_s
    power = next(relay.power_kw for relay in problem.relays if relay.name == "hosti")
    patient = with_relays(problem, min_on_s=1800.0, min_off_s=1800.0)
    calm = plan_for(patient)
    states = {k: k >= 8 for k in range(16)}
    steady = switched(calm, "hosti", states, power)
    assert validate(patient, steady).accepted
    short_run = switched(steady, "hosti", {4: True}, power)
    assert "switches off after 900 s" in (validate(patient, short_run).refusal or "")
    short_rest = switched(steady, "hosti", {12: False}, power)
    assert "starts after 900 s" in (validate(patient, short_rest).refusal or "")
    just_on = with_state(patient, relays={"hosti": RelayHistory(True, now - 60.0)})
    assert "switches off after 60 s" in (validate(just_on, steady).refusal or "")
    tired = RelayHistory(False, now - 4e3, tuple(now + 7200.0 - s for s in (900.0, 1800.0)))
    once = with_relays(with_state(patient, relays={"hosti": tired}), max_starts_per_h=2)
    assert "3th time" in (validate(once, steady).refusal or "")


def test_a_block_may_end_a_run_early(problem: PlanningProblem) -> None:
    now = problem.grid.start_s
    blocked = tuple(k == 0 for k in range(len(problem.grid)))
    cut = replace(
        with_state(problem, relays={"hosti": RelayHistory(True, now - 60.0)}),
        heating_blocked=blocked,
    )
    assert validate(cut, plan_for(cut)).accepted


def test_the_second_opinion_on_the_whole_house_takes_milliseconds() -> None:
    problem = instance("winter", 1)
    plan = plan_for(problem)
    validate(problem, plan)
    spent = []
    for _ in range(5):
        begin = time.process_time()
        validate(problem, plan)
        spent.append(time.process_time() - begin)
    assert min(spent) < 0.01


def test_the_core_needs_no_solver_library_for_its_second_opinion() -> None:
    code = (
        "import sys, pems_actors.optimisation.validator, pems_actors.optimisation.strategies;"
        "print([m for m in ('casadi', 'scipy', 'pandas', 'xgboost') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
