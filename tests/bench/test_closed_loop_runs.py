"""Controllers in a world: the product as itself, thermostats that keep the limits, a true bound."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pems_actors.bench import closed_loop
from pems_actors.bench.closed_loop.hindsight import hindsight, later_cost
from pems_actors.bench.closed_loop.market import QuarterMarket
from pems_actors.bench.closed_loop.product_run import run_product, staged
from pems_actors.bench.closed_loop.retelling import retold
from pems_actors.bench.closed_loop.solver_desk import Desk, at_desk, factory
from pems_actors.bench.closed_loop.spans import Span
from pems_actors.bench.closed_loop.tally import Tally
from pems_actors.bench.closed_loop.thermostat_run import Loop, run_thermostat
from pems_actors.bench.closed_loop.thermostats import Hysteresis
from pems_actors.bench.closed_loop.variants import KNOWN
from pems_actors.bench.closed_loop.world import World
from pems_actors.bench.planning_instances import instance
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan, PlanRefused
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.solver import solve
from pems_actors.optimisation.validator import validate
from pems_actors.simulate import Simulation, Story

SHORT = Span("short", "winter", "2023-01-16", days=1, run_in_days=0.0)


LATER = replace(SHORT, begins="2026-01-15")  # where the planning instances lie


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(SHORT, 0)


@pytest.fixture(scope="module")
def later() -> World:
    return World.of(LATER, 0)


@pytest.mark.slow
def test_what_is_measured_is_what_pems_simulate_runs_to_the_last_event(world: World) -> None:
    story = Story(world.house, world.tariff, SHORT.start_s, SHORT.days, world.seed)
    simulated = Simulation(story)
    simulated.start()
    simulated.run_until(SHORT.start_s + 0.75 * HOUR_S)
    with at_desk(Desk(world, KNOWN["ours"])) as desk:
        twin, measured = staged(world, KNOWN["ours"], world.scenario)
        measured.start()
        measured.run_until(SHORT.start_s + 0.75 * HOUR_S)
    assert len(desk.plans) >= 3
    assert measured._digest.hexdigest() == simulated._digest.hexdigest()
    assert twin.figures() == simulated.twin.figures()


@pytest.mark.slow
def test_hindsight_pays_less_than_a_thermostat_and_leaves_nobody_cold(world: World) -> None:
    twin = world.twin()
    state, soc = twin.true_state(), twin.inverter.soc_frac
    bound = hindsight(world, state, soc, 200.0)
    after = later_cost(world, SHORT.end_s, bound.rooms, bound.soc_frac)
    before = later_cost(world, SHORT.start_s, state, soc)
    thermostat = run_thermostat(world, KNOWN["hysteresis"])
    assert sum(bound.cold_kh) < 1.5  # of 17 rooms, while they wake up
    assert bound.money.total + after - before < float(str(thermostat["settled"]))


@pytest.mark.slow
def test_cheaper_cold_makes_hindsight_colder_and_cheaper() -> None:
    world = World.of(replace(SHORT, days=1), 0)
    twin = world.twin()
    state, soc = twin.true_state(), twin.inverter.soc_frac
    warm, cold = (hindsight(world, state, soc, price) for price in (200.0, 1.0))
    assert sum(cold.cold_kh) > sum(warm.cold_kh)
    assert cold.money.total < warm.money.total


def test_warmth_and_charge_that_are_left_make_the_days_after_cheaper(world: World) -> None:
    state = world.twin().true_state()
    warmer = {n: replace(s, screed_c=s.screed_c + 1.0, structure_c=s.structure_c + 1.0)
              for n, s in state.items()}  # fmt: skip
    as_it_is = later_cost(world, SHORT.end_s, state, 0.5)
    assert later_cost(world, SHORT.end_s, warmer, 0.5) < as_it_is
    assert later_cost(world, SHORT.end_s, state, 0.9) < as_it_is


def test_a_thermostat_keeps_the_house_warm_within_block_dwell_and_breaker(world: World) -> None:
    twin = world.twin()
    tally = Tally(world, twin)
    loop = Loop(world, twin, Hysteresis(world.house))
    closed = []
    for minute in range(14 * 60):
        loop.run_until(SHORT.start_s + (minute + 1) * 60.0)
        closed.append(list(twin.relays.closed))
    tally.mark()
    figures = tally.figures()
    assert float(str(figures["cold_kh_room_day"])) < 0.6  # from rest, on a cold morning
    assert twin.over_breaker_s <= 120.0
    blocked = [world.tariff.blocked(SHORT.start_s + m * 60.0) for m in range(14 * 60)]
    assert not any(any(row) for row, off in zip(closed, blocked, strict=True) if off)
    assert _shortest_off_min(np.array(closed)) >= 9


def _shortest_off_min(closed: np.ndarray) -> int:
    """Shortest time that a relay was off between two runs, in minutes."""
    shortest = 10**6
    for relay in closed.T:
        edges = np.flatnonzero(np.diff(relay.astype(int)))
        offs = [b - a for a, b in pairwise(edges) if not relay[a + 1]]
        shortest = min([shortest, *offs])
    return shortest


def test_the_price_of_a_run_is_settled_at_the_quarter_hour_prices_of_its_world(
    world: World,
) -> None:
    twin = world.twin()
    tally = Tally(world, twin)
    Loop(world, twin, Hysteresis(world.house)).run_until(SHORT.start_s + 4 * HOUR_S)
    paid = tally.paid()
    twice = tally.paid()
    assert paid == twice
    other = Tally(replace(world, market=QuarterMarket(5, world.tariff.timezone)), twin)
    other._rows, other._starts = tally._rows, tally._starts
    assert other.paid().import_cost != pytest.approx(paid.import_cost, abs=1e-6)


# --- the desk


def test_nobody_plans_in_the_run_in_or_while_the_planner_is_away(later: World) -> None:
    problem = instance("winter", 0, start_s=LATER.start_s - HOUR_S, horizon_s=6 * HOUR_S)
    then = instance("winter", 0, start_s=LATER.start_s + 25 * HOUR_S, horizon_s=6 * HOUR_S)
    assert isinstance(Desk(later, KNOWN["ours"]).answer(problem), PlanRefused)
    assert isinstance(Desk(later, KNOWN["level2"]).answer(then), PlanRefused)


def test_a_plan_to_be_forgotten_does_not_reach_beyond_that_hour(later: World) -> None:
    problem = instance("winter", 0, start_s=LATER.start_s + 23.5 * HOUR_S, horizon_s=6 * HOUR_S)
    plan = Desk(later, KNOWN["level3"]).answer(problem)
    assert isinstance(plan, Plan)
    assert plan.valid_until_s <= LATER.start_s + 24 * HOUR_S
    assert max(plan.path_until_s, plan.known_until_s) <= LATER.start_s + 24 * HOUR_S


def test_a_schedule_of_the_day_is_made_once(later: World) -> None:
    desk = Desk(later, KNOWN["day_ahead"])
    first = instance("winter", 0, start_s=LATER.start_s, horizon_s=6 * HOUR_S)
    second = instance("winter", 0, start_s=LATER.start_s + HOUR_S, horizon_s=6 * HOUR_S)
    assert isinstance(desk.answer(first), Plan)
    assert isinstance(desk.answer(second), PlanRefused)


@pytest.mark.parametrize("name", ["exact", "no_estimator", "powers", "hedged"])
def test_what_a_variant_plans_is_told_so_that_the_core_accepts_it(later: World, name: str) -> None:
    problem = instance("winter", 1, start_s=LATER.start_s, horizon_s=12 * HOUR_S)
    plan = Desk(later, KNOWN[name]).answer(problem)
    assert isinstance(plan, Plan)
    assert validate(problem, plan).refusal is None


def test_a_plan_told_again_with_the_same_forecasts_is_the_same_plan() -> None:
    problem = instance("winter", 2, horizon_s=12 * HOUR_S)
    plan = solve(problem)
    assert isinstance(plan, Plan)
    again = retold(problem, plan)
    assert [s.battery_kw for s in again.slots] == pytest.approx([s.battery_kw for s in plan.slots])
    held = retold(problem, plan, [(BatteryMode.HOLD, None, None)] * len(plan.slots))
    assert held.slots[-1].soc_frac >= problem.state.soc_frac - 1e-9


def test_without_a_run_there_is_no_solver_at_the_desk() -> None:
    with pytest.raises(LookupError, match="no run is at the desk"):
        factory()


# --- the whole


@pytest.mark.long
def test_without_a_planner_the_product_stands_on_level_3_and_cold_adds_up_over_rooms(
    world: World,
) -> None:
    figures = run_product(world, KNOWN["duty"])
    assert figures["level_h_3"] == pytest.approx(24.0, abs=0.1)
    by_room = figures["cold_kh_by_room_day"]
    assert isinstance(by_room, dict)
    told = float(str(figures["cold_kh_room_day"]))
    assert sum(by_room.values()) / len(by_room) == pytest.approx(told, abs=1e-3)


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_stopped(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(closed_loop, "FORTNIGHTS", (SHORT,))
    results = str(tmp_path / "results.jsonl")
    first = closed_loop.run(days=1, controllers=("hysteresis+0.2", "bound"), results=results)
    assert capsys.readouterr().err.count("CPU seconds") == 2
    again = closed_loop.run(days=1, controllers=("hysteresis+0.2", "bound"), results=results)
    joined = closed_loop.run(results=results, report_only=True)
    assert capsys.readouterr().err == ""
    assert first["figures"] == again["figures"] == joined["figures"]
    assert set(first["figures"]["controllers"]) == {"hysteresis+0.2", "bound"}
    assert first["met"]["captured_frac_winter"] is False  # nobody has measured us


def test_an_unknown_controller_is_refused_before_anything_runs() -> None:
    with pytest.raises(ValueError, match="controller is 'magic'"):
        closed_loop.run(controllers=("magic",))
