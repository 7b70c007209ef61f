"""Reasons: short, true, and told in order of what decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import RelayHistory
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.why import price_rank
from tests.optimisation.problems import (
    at_temperature,
    constant,
    never_switched,
    plan_for,
    quick_problem,
    with_state,
)


def test_what_is_not_ours_to_decide_comes_first() -> None:
    problem = quick_problem()
    now = problem.grid.start_s
    past = {"hosti": RelayHistory(True, now - 60.0), "loznice": RelayHistory(False, now - 60.0)}
    slot = plan_for(
        replace(with_state(problem, relays=past), out_of_service=frozenset({"pracovna"}))
    ).slots[0]
    assert slot.reasons["hosti"].startswith("on: it has just started")
    assert slot.reasons["loznice"].startswith("off: it has just stopped")
    assert slot.reasons["pracovna"] == "off: out of service"


def test_a_cold_room_says_how_cold_it_is() -> None:
    problem = never_switched(at_temperature(quick_problem(), 15.0))
    missing_k = problem.comfort_low_c["hosti"][0] - 15.0
    said = plan_for(problem).slots[0].reasons["hosti"]
    assert said.startswith(f"on: {missing_k:.1f} K under its band, power at ")


def test_heating_ahead_of_a_block_says_so() -> None:
    problem = never_switched(constant(quick_problem(), import_per_kwh=3.0, pv_kw=0.0))
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / 3600.0
    block = tuple(((hours >= 3.0) & (hours < 8.0)).tolist())
    plan = plan_for(replace(problem, heating_blocked=block))
    said = [reason for slot in plan.slots for reason in slot.reasons.values()]
    assert any(r.startswith("on: pre-heats, the tariff blocks heating in 0.5 h") for r in said)
    assert "off: the tariff blocks heating" in said


def test_the_battery_says_what_its_charge_is_worth() -> None:
    problem = with_state(quick_problem(24.0), soc_frac=0.2)
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / 3600.0
    prices = tuple(np.where(hours < 4.0, 0.5, 9.0).tolist())
    plan = plan_for(replace(problem, import_per_kwh=prices))
    charging = [s for s in plan.slots if s.battery_mode is BatteryMode.CHARGE_GRID]
    assert charging
    for slot in charging:
        assert slot.reasons["battery"].startswith("charges from the grid: a stored kWh is worth")
        assert "the lowest of a day" in slot.reasons["battery"]
        assert slot.charge_price_per_kwh is not None
        assert slot.charge_price_per_kwh > 0.5


def test_export_says_what_it_earns_or_would_cost() -> None:
    problem = quick_problem()
    prices = tuple(-1.0 if k == 3 else 2.0 for k in range(len(problem.grid)))
    plan = plan_for(replace(problem, export_per_kwh=prices))
    assert plan.slots[3].reasons["export"] == "off: exporting would cost 1.00 per kWh"
    assert plan.slots[4].reasons["export"] == "allowed: a kWh earns 2.00"


def test_a_price_is_ranked_among_the_day_around_it_and_only_where_it_is_known() -> None:
    per_kwh = tuple(float(hour) for hour in range(48))
    grid = TimeGrid.uniform(0.0, 48, 3600.0)
    prices = PriceCurve(0.0, grid, per_kwh, per_kwh, 48 * 3600.0, (False,) * 48)
    assert price_rank(prices, 24 * 3600.0) == {"per_kwh": 24.0, "cheaper_frac": 12 / 25}
    assert price_rank(prices, 0.0) == {"per_kwh": 0.0, "cheaper_frac": 0.0}
    assert price_rank(prices, -1.0) is None
    assert price_rank(prices, 48 * 3600.0) is None
