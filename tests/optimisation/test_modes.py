"""Battery modes: what the inverter can be told, and no worse than doing nothing clever."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.bench.planning_instances import instance
from pems_actors.domain.house import BatteryMode, InverterModel
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.economics.costs import slot_cost
from pems_actors.optimisation.strategies import ENVIRONMENTAL
from pems_actors.physics.battery_modes import battery_power
from tests.optimisation.problems import (
    constant,
    plan_for,
    quick_problem,
    small_problems,
    with_state,
)

MOST_PLANNED = InverterModel().max_mode_changes_per_day - 2


def swinging_prices() -> PlanningProblem:
    """A day on which every hour and a half it would pay to change the mode."""
    problem = quick_problem(24.0)
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / 3600.0
    prices = np.where(hours // 1.5 % 2 == 0, 1.0, 20.0)
    return replace(problem, import_per_kwh=tuple(prices.tolist()))


def self_use_cost(problem: PlanningProblem, plan: Plan) -> tuple[float, float]:
    """What the same heating would cost with the inverter left alone: money, final charge."""
    soc, money = problem.state.soc_frac, 0.0
    for k, slot in enumerate(plan.slots):
        flow = battery_power(
            BatteryMode.SELF_USE,
            problem.pv_kw[k],
            slot.base_load_kw + sum(slot.heat_kw.values()),
            soc,
            problem.battery,
            problem.inverter,
            problem.limits,
            slot.duration_s,
            export_allowed=slot.export_allowed,
        )
        soc = flow.soc_frac
        money += slot_cost(
            flow.grid_kw,
            flow.battery_kw,
            problem.import_per_kwh[k],
            problem.export_per_kwh[k],
            slot.duration_s,
            problem.battery.wear_per_kwh,
        ).total
    return money, soc


@settings(max_examples=25, deadline=None)
@given(small_problems(), st.sampled_from(list(BatteryMode)), st.sampled_from([0.0, 600.0, 5e3]))
def test_a_mode_lasts_half_an_hour_and_changes_are_few(
    problem: PlanningProblem, mode: BatteryMode, ago_s: float
) -> None:
    now = problem.grid.start_s
    before = with_state(problem, battery_mode=mode, battery_mode_since_s=now - ago_s)
    plan = plan_for(before)
    since, present, changes = now - ago_s, mode, 0
    for slot in plan.slots:
        if slot.battery_mode is not present:
            shed = changes == 0 and mode is BatteryMode.CHARGE_GRID  # may be left at once
            assert shed or slot.start_s - since >= problem.inverter.min_mode_s - 1.0
            since, present, changes = slot.start_s, slot.battery_mode, changes + 1
    assert changes <= problem.inverter.max_mode_changes_per_day


def changed(plan: Plan, before: BatteryMode) -> int:
    modes = [before, *(slot.battery_mode for slot in plan.slots)]
    return sum(a is not b for a, b in pairwise(modes))


def test_plans_leave_changes_for_what_nobody_foresees() -> None:
    problem = swinging_prices()
    assert changed(plan_for(problem), BatteryMode.SELF_USE) == MOST_PLANNED


@pytest.mark.parametrize("spent", [2, MOST_PLANNED, 2 * MOST_PLANNED])
def test_the_changes_of_the_last_day_are_not_made_once_more(spent: int) -> None:
    problem = swinging_prices()
    lately = tuple(problem.grid.start_s - 60.0 * (k + 1) for k in range(spent))
    plan = plan_for(with_state(problem, battery_changes_s=lately))
    assert changed(plan, BatteryMode.SELF_USE) == max(MOST_PLANNED - spent, 0)


def test_a_charge_from_the_grid_can_always_be_ended() -> None:
    problem = swinging_prices()
    lately = tuple(problem.grid.start_s - 60.0 * (k + 1) for k in range(MOST_PLANNED))
    charging = with_state(
        problem, battery_changes_s=lately, battery_mode=BatteryMode.CHARGE_GRID, soc_frac=0.8
    )
    assert changed(plan_for(charging), BatteryMode.CHARGE_GRID) == 1


def test_a_mode_that_may_not_change_yet_may_still_change_its_rate() -> None:
    problem = instance("shoulder", 1)
    just = problem.grid.start_s - 600.0
    first = plan_for(
        with_state(problem, battery_mode=BatteryMode.SELL, battery_mode_since_s=just, soc_frac=0.4)
    ).slots[0]
    assert first.battery_mode is BatteryMode.SELL
    assert first.battery_kw < 2.5


def test_a_dear_evening_after_a_cheap_night_is_served_from_the_night() -> None:
    problem = with_state(quick_problem(24.0), soc_frac=0.1)
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / 3600.0
    prices = np.where(hours < 6.0, 1.0, np.where(hours < 18.0, 4.0, 12.0))
    plan = plan_for(replace(problem, import_per_kwh=tuple(prices.tolist())))
    night = [s for s, h in zip(plan.slots, hours, strict=True) if h < 6.0]
    evening = [s for s, h in zip(plan.slots, hours, strict=True) if h >= 18.0]
    assert any(slot.battery_mode is BatteryMode.CHARGE_GRID for slot in night)
    assert night[-1].soc_frac > 0.8
    assert sum(slot.battery_kw * slot.duration_s for slot in evening) > 5.0 * 3600.0


def test_a_flat_price_leaves_the_grid_charge_alone() -> None:
    problem = constant(quick_problem(24.0), import_per_kwh=3.0, export_per_kwh=0.5, pv_kw=0.0)
    plan = plan_for(with_state(problem, soc_frac=0.1))
    assert all(slot.battery_mode is not BatteryMode.CHARGE_GRID for slot in plan.slots)
    assert max(slot.soc_frac for slot in plan.slots) == pytest.approx(0.1)


def test_a_run_of_charging_tells_the_inverter_where_to_stop() -> None:
    problem = with_state(quick_problem(24.0), soc_frac=0.2)
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / 3600.0
    prices = tuple(np.where(hours < 4.0, 0.5, 9.0).tolist())
    plan = plan_for(replace(problem, import_per_kwh=prices))
    runs = [slot for slot in plan.slots if slot.battery_mode is BatteryMode.CHARGE_GRID]
    assert runs
    for slot in runs:
        assert slot.battery_stop_soc_frac is not None
        assert slot.soc_frac <= slot.battery_stop_soc_frac + 1e-6
        assert slot.battery_stop_soc_frac <= problem.battery.max_soc_frac


@pytest.mark.parametrize("hours", [12.0, 24.0])
def test_modes_are_no_dearer_than_self_use_alone(hours: float) -> None:
    problem = with_state(quick_problem(hours), soc_frac=0.6)
    plan = plan_for(problem)
    money, soc = self_use_cost(problem, plan)
    worth = max(problem.import_per_kwh) * problem.battery.leg_frac
    missing_kwh = max(soc - plan.slots[-1].soc_frac, 0.0) * problem.battery.capacity_kwh
    assert plan.totals["cost"] <= money + missing_kwh * worth + 0.05


def test_a_house_without_a_battery_has_a_plan_too() -> None:
    problem = quick_problem()
    none = replace(problem.battery, capacity_kwh=0.0, max_charge_kw=0.0, max_discharge_kw=0.0)
    plan = plan_for(replace(problem, battery=none))
    assert all(slot.battery_kw == 0.0 for slot in plan.slots)


@pytest.mark.parametrize("breaker_a", [16.0, 19.5, 25.0])
def test_a_battery_charges_as_fast_as_the_breaker_bears_where_that_is_under_its_rate(
    breaker_a: float,
) -> None:
    """One phase; an hour and a half nearly for nothing, then dear; half a kilowatt is used."""
    problem = constant(quick_problem(24.0), base_load_kw=0.5, pv_kw=0.0, export_per_kwh=0.0)
    slots = len(problem.grid)
    limits = replace(problem.limits, phases=1, breaker_a=breaker_a)
    plan = plan_for(
        replace(
            with_state(problem, soc_frac=0.1),
            limits=limits,
            import_per_kwh=(*(0.1 for _ in range(6)), *(9.0 for _ in range(slots - 6))),
            heating_blocked=(True,) * slots,
        )
    )
    bearable_kw = min(limits.grid_kw - 0.5, problem.battery.max_charge_kw)
    charged_kw = [-slot.battery_kw for slot in plan.slots[:6]]
    assert min(charged_kw) > bearable_kw - 0.2
    assert max(charged_kw) < bearable_kw + 0.02


@pytest.mark.parametrize("cheap_per_kwh", [0.5, 1.0, 1.5])
def test_a_charge_does_not_make_a_peak_that_costs_more_than_it_saves(cheap_per_kwh: float) -> None:
    problem = constant(quick_problem(24.0), base_load_kw=0.5, pv_kw=0.0, export_per_kwh=0.0)
    slots = len(problem.grid)
    problem = replace(
        with_state(problem, soc_frac=0.1),
        import_per_kwh=(*(cheap_per_kwh for _ in range(2)), *(3.2 for _ in range(slots - 2))),
        heating_blocked=(True,) * slots,
        weights=replace(ENVIRONMENTAL, peak_per_kw=3.0),
    )
    alone = plan_for(replace(problem, battery_obeys=False))
    assert plan_for(problem).totals["objective"] <= alone.totals["objective"] + 0.05


def test_of_changes_beyond_what_a_day_has_the_first_to_grow_old_give_nothing_back() -> None:
    """Eight changes were made where four a day are allowed now; the last ones an hour ago."""
    problem = swinging_prices()
    now_s = problem.issued_at_s
    lately = tuple(now_s - hours * 3600.0 for hours in range(8, 0, -1))
    state = replace(problem.state, battery_changes_s=lately)
    few = replace(problem.inverter, max_mode_changes_per_day=4)
    plan = plan_for(replace(problem, state=state, inverter=few))
    changed = [
        after.start_s
        for before, after in pairwise(plan.slots)
        if before.battery_mode is not after.battery_mode
    ]
    for at_s in changed:
        of_a_day = [s for s in (*lately, *changed) if at_s - 86400.0 < s <= at_s]
        assert len(of_a_day) <= 4
