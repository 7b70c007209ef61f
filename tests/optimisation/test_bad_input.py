"""Whatever comes in, there is a plan with its softened limits named, or one sentence why not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pems_actors.bench.mpc import with_rooms
from pems_actors.bench.planning_instances import START_S, instance, reference, rooms_only
from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind, LoadTask
from pems_actors.domain.forecasts import Forecast, WeatherForecast
from pems_actors.domain.house import BatteryMode, Emitter
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import (
    Plan,
    PlanningProblem,
    PlanRefused,
    RelayHistory,
    RoomThermalState,
)
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.economics.tariff import Band, Tariff
from pems_actors.optimisation.grid import SERIES
from pems_actors.optimisation.outlook import Outlook, planning_problem
from pems_actors.optimisation.solver import solve
from tests.optimisation.problems import (
    THREE_ROOMS,
    at_temperature,
    band,
    constant,
    heat_kwh,
    plan_for,
    quick_problem,
    with_state,
)


def named(plan: Plan) -> set[str]:
    """Limits that the plan says it has softened, without their rooms and units."""
    return {told.limit.split(" of ")[0] for told in plan.softened}


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("what", [math.nan, math.inf])
def test_a_forecast_with_a_hole_is_refused_by_name(series: str, what: float) -> None:
    problem = quick_problem()
    row = (*getattr(problem, series)[:5], what, *getattr(problem, series)[6:])
    answer = solve(replace(problem, **{series: row}))
    assert isinstance(answer, PlanRefused)
    assert answer.permanent
    assert answer.reason == f"{series} is not a number in slot 5"


def test_without_a_forecast_there_is_no_problem_but_a_sentence_what_is_missing() -> None:
    house, _ = reference()
    problem = instance()
    weather = WeatherForecast(START_S, problem.grid, *(4 * (problem.outdoor_c,)))
    load = Forecast("base_load_kw", START_S, problem.grid, problem.base_load_kw)
    outlook = Outlook(weather=weather, base_load=load)
    with pytest.raises(ValueError, match="no plan without prices"):
        planning_problem(house, problem.state, outlook, problem.grid)


@pytest.mark.parametrize("factor", [-1.0, -20.0, 0.0, 100.0])
def test_negative_and_hundredfold_prices_have_a_plan(factor: float) -> None:
    problem = quick_problem()
    plan = plan_for(
        replace(
            problem,
            import_per_kwh=tuple(factor * p for p in problem.import_per_kwh),
            export_per_kwh=tuple(factor * p for p in problem.export_per_kwh),
        )
    )
    assert all(math.isfinite(slot.cost) for slot in plan.slots)
    assert all(slot.export_allowed is (factor >= 0.0) for slot in plan.slots)


@pytest.mark.parametrize(
    ("soc", "limit"), [(0.02, "lowest state"), (0.98, "highest state"), (0.5, None)]
)
def test_a_charge_outside_its_window_is_planned_with_and_named(soc: float, limit: str) -> None:
    plan = plan_for(with_state(quick_problem(), soc_frac=soc))
    assert (named(plan) & {"lowest state", "highest state"}) == ({limit} if limit else set())
    assert min(slot.soc_frac for slot in plan.slots) >= min(soc, 0.1) - 1e-6


@pytest.mark.parametrize(
    ("temp_c", "limit"), [(3.0, "lowest temperature"), (38.0, "highest temperature")]
)
def test_rooms_far_outside_their_band_are_planned_for_and_named(temp_c: float, limit: str) -> None:
    problem = at_temperature(quick_problem(), temp_c)
    plan = plan_for(problem)
    rooms = {room.name for room in problem.model.rooms}
    assert {f"{limit} of {room} [K]" for room in rooms} <= {told.limit for told in plan.softened}
    heating = sum(heat_kwh(plan)) > 0.01
    assert heating is (temp_c < 20.0)


def test_a_panel_that_is_still_hot_in_a_room_that_is_too_warm_is_no_absurd_state() -> None:
    problem = rooms_only(instance("shoulder", 1, emitter=Emitter.PANEL), THREE_ROOMS)
    hot = RoomThermalState(screed_c=93.0, air_c=33.0, structure_c=28.0)
    plan = plan_for(with_state(problem, rooms=dict.fromkeys(problem.state.rooms, hot)))
    assert "highest temperature" in named(plan)


def test_where_tomorrows_prices_are_not_known_the_path_goes_on_with_the_guess() -> None:
    problem = quick_problem(24.0)
    known_until_s = START_S + 6 * 3600.0
    plan = plan_for(replace(problem, known_until_s=known_until_s))
    assert plan.known_until_s == known_until_s
    assert plan.path_until_s == problem.grid.end_s
    assert plan.slots[-1].start_s + plan.slots[-1].duration_s == problem.grid.end_s


def test_a_day_without_sun_is_a_day() -> None:
    plan = plan_for(constant(quick_problem(), pv_kw=0.0, ghi_w_m2=0.0))
    assert all(slot.pv_kw == 0.0 for slot in plan.slots)


@pytest.mark.parametrize("rooms", [1, 32])
def test_one_room_is_a_house_and_so_are_32(rooms: int) -> None:
    plan = plan_for(with_rooms(instance("winter", 0), rooms))
    assert len(plan.paths) == rooms
    assert sum(heat_kwh(plan)) > 0.0


@pytest.mark.parametrize("out", [("hosti",), ("hosti", "loznice", "pracovna")])
def test_relays_out_of_service_stay_off_and_the_cold_is_named(out: tuple[str, ...]) -> None:
    problem = replace(at_temperature(quick_problem(), 15.0), out_of_service=frozenset(out))
    plan = plan_for(problem)
    for name in out:
        assert sum(heat_kwh(plan, name)) == 0.0
        assert f"lowest temperature of {name} [K]" in {told.limit for told in plan.softened}


def test_wishes_that_contradict_each_other_have_a_plan_that_says_so() -> None:
    plan = plan_for(band(quick_problem(), 24.0, 19.0))
    assert named(plan) & {"lowest temperature", "highest temperature"}


def test_hours_that_no_band_of_a_tariff_names_have_a_price_nevertheless() -> None:
    house, shipped = reference()
    holes = (Band("VT", 0.9, ((8, 10),)), Band("NT", 0.3, ((12, 20),)))
    tariff = Tariff(bands=holes, blocked_in=frozenset(), timezone=shipped.timezone)
    grid = TimeGrid.planning(START_S, 24 * 3600.0)
    curve = tariff.price_curve(grid, [80.0] * len(grid), START_S, grid.end_s)
    assert {round(p, 6) for p in curve.import_per_kwh} == {2.9, 2.3}
    problem = instance(grid=grid)
    priced = replace(problem, import_per_kwh=curve.import_per_kwh)
    assert plan_for(priced).slots[0].reasons
    assert house.relays == problem.relays


def test_a_block_all_day_leaves_rooms_cold_and_says_so() -> None:
    problem = at_temperature(quick_problem(24.0), 19.0)
    blocked: PlanningProblem = replace(problem, heating_blocked=(True,) * len(problem.grid))
    plan = plan_for(blocked)
    assert sum(heat_kwh(plan)) == 0.0
    assert "lowest temperature" in named(plan)
    assert set(plan.slots[0].reasons.values()) >= {"off: the tariff blocks heating"}


def test_a_battery_that_does_not_obey_is_left_to_itself() -> None:
    plan = plan_for(replace(quick_problem(24.0), battery_obeys=False))
    assert {slot.battery_mode for slot in plan.slots} == {BatteryMode.SELF_USE}


def test_a_base_load_that_alone_overloads_its_phase_has_a_plan() -> None:
    """As where an oven and a kettle hang on one phase, and nothing may be fed in."""
    problem = with_state(quick_problem(), base_split=(1.0, 0.0, 0.0))
    limits = replace(problem.limits, breaker_a=16.0, export_kw=0.0)
    base = (9.0, 9.0, *problem.base_load_kw[2:])
    plan = plan_for(replace(problem, limits=limits, base_load_kw=base))
    assert all(sum(slot.heat_kw.values()) == 0.0 for slot in plan.slots[:2])
    assert plan.level is Level.PLAN
    assert "breaker" in named(plan)


def test_sun_that_only_the_battery_can_take_is_no_overload_of_ours() -> None:
    """The base load alone draws too much while the roofs give more than the inverter passes on."""
    problem = constant(quick_problem(), pv_kw=4.5)
    inverter = replace(problem.inverter, ac_limit_kw=3.0)
    base = (30.0, 30.0, *problem.base_load_kw[2:])
    plan = plan_for(replace(problem, inverter=inverter, base_load_kw=base))
    assert plan.slots[0].battery_kw < -1.0
    assert "grid limit [kW]" in named(plan)


def test_sun_beyond_the_inverter_keeps_no_relay_on_its_phase() -> None:
    """What goes into the battery before the inverter does not lift a breaker's limit."""
    problem = constant(with_state(quick_problem(), soc_frac=0.3), pv_kw=6.0, base_load_kw=0.5)
    powers = {"hosti": 3.6, "loznice": 0.6, "pracovna": 0.6}
    relays = tuple(
        replace(r, power_kw=powers[r.name], phases=(1.0, 0.0, 0.0), min_on_s=3600.0)
        for r in problem.relays
    )
    now_s = problem.issued_at_s
    past = {r.name: RelayHistory(on=True, since_s=now_s - 400.0) for r in relays}
    plan = plan_for(
        replace(
            with_state(problem, relays=past),
            relays=relays,
            limits=replace(problem.limits, breaker_a=16.0),
            inverter=replace(problem.inverter, ac_limit_kw=2.4),
        )
    )
    assert "minimum on time" in named(plan)


@pytest.mark.parametrize("kind", ["winter", "cold"])
def test_power_that_costs_nothing_at_all_is_planned_for_at_level_0(kind: str) -> None:
    problem = constant(instance(kind, 4), import_per_kwh=0.0, export_per_kwh=0.0)
    assert plan_for(problem).level is Level.PLAN


def test_an_inverter_whose_mode_may_never_change_keeps_it() -> None:
    problem = quick_problem(24.0)
    inverter = replace(problem.inverter, max_mode_changes_per_day=0)
    dear = tuple(100.0 * price for price in problem.import_per_kwh)
    plan = plan_for(replace(problem, inverter=inverter, import_per_kwh=dear))
    assert {slot.battery_mode for slot in plan.slots} == {problem.state.battery_mode}


def test_a_car_a_little_too_strong_for_its_phase_waits_and_the_rest_is_planned() -> None:
    problem = quick_problem()
    car = FlexibleLoad("car", LoadKind.CAR, 3.7, phases=(0.0, 0.0, 1.0))  # 16.1 A on a 16 A breaker
    limits = replace(problem.limits, breaker_a=16.0)
    task = LoadTask(car, 8.0, problem.grid.end_s)
    dark = constant(problem, base_load_kw=0.0, pv_kw=0.0)
    plan = plan_for(replace(dark, limits=limits, loads=(task,)))
    assert "energy" in named(plan)
