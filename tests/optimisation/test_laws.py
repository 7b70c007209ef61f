"""Laws of the plan: order of listing, currency, summer time and knowledge do what they should."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.bench.planning_instances import instance, reference, rooms_only
from pems_actors.domain.house import HouseModel
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.economics.costs import slot_cost
from pems_actors.economics.local_hours import local_hour
from pems_actors.optimisation.strategies import scaled
from pems_actors.optimisation.validator import validate
from tests.optimisation.problems import plan_for, small_problems

FOUR = ("hosti", "loznice", "pracovna", "koupelna_dole")
ZONE = "Europe/Prague"


def decided(plan: Plan) -> list[object]:
    return [(dict(s.relays), s.battery_mode, s.battery_kw, s.grid_kw) for s in plan.slots]


@settings(max_examples=8, deadline=None)
@given(st.permutations(FOUR), st.sampled_from(["winter", "cold", "shoulder", "summer"]))
def test_the_order_in_which_a_house_is_listed_decides_nothing(order: list[str], kind: str) -> None:
    problem = rooms_only(instance(kind, 2, horizon_s=12 * HOUR_S), FOUR)
    rooms = {room.name: room for room in problem.model.rooms}
    links = tuple((b, a, g) for a, b, g in reversed(problem.model.links))
    model = HouseModel(tuple(rooms[name] for name in order), links)
    turned = replace(problem, model=model, relays=tuple(reversed(problem.relays)))
    one, other = plan_for(problem), plan_for(turned)
    assert other.totals["objective"] == pytest.approx(one.totals["objective"], rel=1e-3)


def test_a_house_that_pays_in_euro_gets_the_same_plan() -> None:
    problem = rooms_only(instance("shoulder", 1, horizon_s=24 * HOUR_S), FOUR)
    level = 1.0 / 25.0
    battery = replace(problem.battery, wear_per_kwh=problem.battery.wear_per_kwh * level)
    relays = tuple(replace(r, start_cost=r.start_cost * level) for r in problem.relays)
    euro = replace(
        problem,
        import_per_kwh=tuple(p * level for p in problem.import_per_kwh),
        export_per_kwh=tuple(p * level for p in problem.export_per_kwh),
        battery=battery,
        relays=relays,
        weights=scaled(problem.weights, level),
    )
    crowns, euros = plan_for(problem), plan_for(euro)
    assert euros.totals["objective"] == pytest.approx(
        level * crowns.totals["objective"], rel=2e-3, abs=0.002
    )
    assert euros.totals["cold_kh"] == pytest.approx(crowns.totals["cold_kh"], abs=0.2)


def test_the_weights_of_a_problem_are_in_the_currency_of_its_prices() -> None:
    _, tariff = reference()
    assert instance().weights.cold_per_kh == pytest.approx(12.0)
    assert replace(tariff, currency="EUR", eur_rate=1.0).price_level == pytest.approx(0.04)
    assert tariff.price_level == pytest.approx(1.0)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_blocks_and_bands_keep_to_the_clock_on_the_wall_when_summer_time_changes(day: str) -> None:
    start_s = seconds(f"{day}T11:00:00Z")
    problem = instance("shoulder", 3, start_s=start_s)
    _, tariff = reference()
    for at, blocked in zip(problem.grid.starts_s, problem.heating_blocked, strict=True):
        hour = local_hour(at, tariff.timezone)
        in_vt = any(a <= hour < b for a, b in ((10, 11), (12, 13), (14, 15), (17, 18)))
        assert blocked is in_vt
    low = problem.comfort_low_c["pokoj_1"]
    ends = [local_hour(end, ZONE) for end in problem.grid.edges_s[1:]]
    by_day = [t for t, hour in zip(low, ends, strict=True) if 7.0 < hour < 21.0]
    by_night = [t for t, hour in zip(low, ends, strict=True) if hour < 5.0]
    assert min(by_day) > max(by_night) + 1.0
    plan = plan_for(problem)
    assert validate(problem, plan).accepted
    assert problem.grid.end_s - start_s == 2 * DAY_S


@pytest.mark.parametrize(("day", "slots"), [("2026-03-29", 92), ("2026-10-25", 100)])
def test_a_local_day_of_23_or_25_hours_is_planned_whole(day: str, slots: int) -> None:
    from datetime import date

    grid = TimeGrid.local_day(date.fromisoformat(day), ZoneInfo(ZONE))
    whole = instance("shoulder", 1, start_s=grid.start_s, grid=grid)
    problem = rooms_only(whole, FOUR)
    plan = plan_for(problem)
    assert len(plan.slots) == slots
    assert validate(problem, plan).accepted


def objective_at(plan: Plan, problem: PlanningProblem, prices: tuple[float, ...]) -> float:
    """A plan's objective where power costs something else than it was told."""
    told = paid = 0.0
    for k, slot in enumerate(plan.slots):
        for price, true in ((problem.import_per_kwh[k], False), (prices[k], True)):
            money = slot_cost(
                slot.grid_kw,
                slot.battery_kw,
                price,
                problem.export_per_kwh[k],
                slot.duration_s,
                problem.battery.wear_per_kwh,
            ).total
            told, paid = (told, paid + money) if true else (told + money, paid)
    return plan.totals["objective"] - told + paid


@pytest.mark.parametrize("kind", ["winter", "shoulder"])
@pytest.mark.parametrize("seed", [0, 1])
def test_who_knows_more_of_the_prices_never_pays_more(kind: str, seed: int) -> None:
    """Between hours 5 and 20; what the end is worth is told by the last day, and alike for both."""
    problem = rooms_only(instance(kind, seed), FOUR)
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / HOUR_S
    true = np.array(problem.import_per_kwh)
    unknown = (hours >= 5.0) & (hours < 20.0)
    flat = tuple(np.where(unknown, true[unknown].mean(), true).tolist())
    ignorant = replace(problem, import_per_kwh=flat)
    knows = plan_for(problem).totals["objective"]
    guesses = objective_at(plan_for(ignorant), ignorant, problem.import_per_kwh)
    assert knows <= guesses + 0.01 * abs(guesses)


@settings(max_examples=15, deadline=None)
@given(small_problems())
def test_the_balance_closes_and_the_charge_follows_from_the_powers(
    problem: PlanningProblem,
) -> None:
    plan, battery = plan_for(problem), problem.battery
    soc = problem.state.soc_frac
    for slot in plan.slots:
        load = slot.base_load_kw + sum(slot.heat_kw.values())
        assert slot.grid_kw + slot.battery_kw + slot.pv_kw == pytest.approx(load, abs=1e-6)
        hours = slot.duration_s / HOUR_S
        leg = 1.0 / battery.leg_frac if slot.battery_kw > 0.0 else battery.leg_frac
        soc -= slot.battery_kw * hours * leg / battery.capacity_kwh
        assert slot.soc_frac == pytest.approx(soc, abs=1e-6)
        soc = slot.soc_frac
        assert not (slot.battery_kw < -1e-6 and slot.grid_kw < -problem.limits.export_kw - 0.01)
