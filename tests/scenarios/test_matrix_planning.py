"""Rows 14 to 17 of the fault matrix: a solver late, lost, refusing or raving; bad forecasts."""

from __future__ import annotations

import math

import pytest

from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.levels import Level
from pems_actors.simulate import Simulation
from pems_actors.simulation.troubles import Trouble
from tests.scenarios.comfort import Shortfall, extra_k, lived
from tests.scenarios.outages import flat, until
from tests.scenarios.stories import replace, story

MINUTE, HOUR = 60.0, 3600.0
TOLD_WITHIN_S = {Trouble.SOLVER_LATE: 20.0, Trouble.SOLVER_LOST: 20.0 + 30.0}  # and a new process
AFTER_MIN, LASTS_MIN = 20, 100


def keeper(simulation: Simulation):
    return simulation.appliance.system.state_of("planning/plan_keeper")


def planner(simulation: Simulation):
    return simulation.appliance.system.status("planning/planner")


def levels(simulation: Simulation) -> set[int]:
    return {level for path, level in simulation.levels.items() if path.startswith("rooms/")}


def troubled(trouble: Trouble, target: str = "planning/solver") -> Simulation:
    """A flat that has planned for twenty minutes when the trouble begins."""
    simulation, _ = flat(seed=3, plan=True)
    until(simulation, AFTER_MIN)
    simulation.troubles.begin(trouble, target)
    return simulation


def cold_tale(words: str):
    return story(4.0 / 24.0, preset="flat3", seed=3, weather_shift_k=-8.0, faults=words)


# --- a solver over time


@pytest.mark.parametrize("trouble", [Trouble.SOLVER_LATE, Trouble.SOLVER_LOST])
def test_row_14_a_solver_over_its_time_is_told_within_half_a_minute_and_the_plan_stands(
    trouble: Trouble,
) -> None:
    simulation = troubled(trouble)
    before = keeper(simulation).adopted.plan
    asked_s = simulation.runtime.process_s()
    heard: list[float] = []
    simulation.listen = lambda event: (
        heard.append(simulation.runtime.process_s() - asked_s)
        if event.path == "planning/planner" and getattr(event, "state", "") == "degraded"
        else None
    )
    simulation.mqtt.say(
        "pems/control/planning/planner", b'{"id": "1", "verb": "replan", "args": {}}'
    )
    until(simulation, AFTER_MIN + 2)
    assert heard, planner(simulation).reason
    assert heard[0] <= TOLD_WITHIN_S[trouble] + 5.0
    assert keeper(simulation).adopted.plan == before
    assert levels(simulation) == {Level.PLAN}


@pytest.mark.parametrize(
    "trouble", [Trouble.SOLVER_LOST, pytest.param(Trouble.SOLVER_LATE, marks=pytest.mark.long)]
)
def test_row_14_once_the_solver_is_back_it_is_planned_again(trouble: Trouble) -> None:
    simulation = troubled(trouble)
    until(simulation, AFTER_MIN + LASTS_MIN)
    assert levels(simulation) <= {Level.PATH, Level.RULES}
    simulation.troubles.end(trouble, "planning/solver")
    until(simulation, AFTER_MIN + LASTS_MIN + 35)
    assert planner(simulation).state == "running"
    assert levels(simulation) == {Level.PLAN}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["solver-lost", pytest.param("solver-late", marks=pytest.mark.long)]
)
def test_row_14_a_solver_away_for_two_hours_costs_a_tenth_of_a_kelvin(name: str) -> None:
    assert extra_k(cold_tale(f"{name}@planning/solver:1200/7200")) <= 0.1


# --- no plan at all


@pytest.mark.slow
def test_row_15_without_any_plan_the_house_lives_by_its_rules_and_says_why() -> None:
    simulation, shortfall = flat(seed=3, plan=True)[0], Shortfall()
    simulation.troubles.begin(Trouble.SOLVER_REFUSES, "planning/solver")
    until(simulation, 4 * 60, shortfall)
    assert levels(simulation) == {Level.RULES}
    assert "no sound point was found" in planner(simulation).reason
    assert "no plan" in simulation.appliance.system.status("rooms/living").reason
    assert shortfall.worst[0] <= 0.5


@pytest.mark.slow
def test_row_15_a_refused_problem_leaves_the_last_plan_then_its_path_each_with_a_reason() -> None:
    simulation = troubled(Trouble.SOLVER_REFUSES)
    until(simulation, AFTER_MIN + 20)
    assert levels(simulation) == {Level.PLAN}
    until(simulation, AFTER_MIN + 120)
    assert Level.PATH in levels(simulation)
    assert levels(simulation) <= {Level.PATH, Level.RULES}
    said = simulation.appliance.system.status("planning/plan_keeper").reason
    assert said == "the plan has expired: no sound point was found"


@pytest.mark.long
def test_row_15_two_hours_of_refusals_cost_a_fifth_of_a_kelvin() -> None:
    assert extra_k(cold_tale("solver-refuses@planning/solver:1200/7200")) <= 0.2


# --- a plan that raves


@pytest.mark.parametrize("trouble", [Trouble.SOLVER_NAN, Trouble.SOLVER_ABSURD])
def test_row_16_a_plan_that_raves_is_refused_before_any_device(trouble: Trouble) -> None:
    simulation = troubled(trouble)
    before = keeper(simulation).adopted.plan
    written = []
    simulation.port.on_command = lambda command, reached: written.append(command)
    until(simulation, AFTER_MIN + 40)
    assert keeper(simulation).adopted.plan.issued_at_s == before.issued_at_s
    assert planner(simulation).state == "degraded"
    battery = simulation.story.house.battery
    rates = [c.rate_kw for c in written if isinstance(c, SetBatteryMode) and c.rate_kw is not None]
    assert written
    assert all(math.isfinite(kw) and 0.0 <= kw <= battery.max_charge_kw for kw in rates)


@pytest.mark.parametrize("trouble", [Trouble.SOLVER_NAN, Trouble.SOLVER_ABSURD])
def test_row_16_from_the_start_too_it_never_becomes_a_plan(trouble: Trouble) -> None:
    simulation, _ = flat(seed=3, plan=True)
    simulation.troubles.begin(trouble, "planning/solver")
    until(simulation, 60)
    assert keeper(simulation).adopted is None
    assert levels(simulation) == {Level.RULES}


# --- forecasts


KINDS = ("weather-nan", "weather-absurd", "weather-missing", "weather-down", "weather-stale")


@pytest.mark.parametrize("name", KINDS)
def test_row_17_a_forecast_that_raves_or_is_gone_is_replaced_and_planned_with(name: str) -> None:
    simulation, _ = flat(seed=3, plan=True)
    simulation.troubles.begin(Trouble(name), "weather")
    simulation.appliance.system.restart("forecasting/weather")
    until(simulation, 100)
    weather = simulation.appliance.system.state_of("planning/planner").outlook.weather
    assert all(-40.0 < temp_c < 25.0 for temp_c in weather.outdoor_c)
    assert levels(simulation) == {Level.PLAN}
    if name != "weather-stale":  # an old issue is no lie
        status = simulation.appliance.system.status("forecasting/weather")
        assert status.state == "degraded"
        assert status.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*KINDS[1::2], *(pytest.param(kind, marks=pytest.mark.long) for kind in KINDS[::2])]
)
def test_row_17_a_bad_forecast_costs_a_fifth_of_a_kelvin(name: str) -> None:
    assert extra_k(cold_tale(f"{name}@weather:600/14400")) <= 0.2


def test_the_flat_is_cold_enough_for_these_tales_to_mean_something() -> None:
    simulation, _ = lived(replace(cold_tale("none"), days=2.0 / 24.0))
    assert simulation.twin.figures()["heating_kwh"] > 1.2
