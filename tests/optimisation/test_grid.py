"""The door to the planner: what is no problem is told so, in a sentence."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pems_actors.bench.planning_instances import START_S, instance
from pems_actors.domain.house import HouseModel
from pems_actors.domain.plan import PlanRefused, RoomThermalState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.grid import BadProblemError, coarsened, stages_of
from pems_actors.optimisation.solver import solve
from tests.optimisation.problems import quick_problem, with_state


def test_the_reference_house_has_68_stages_of_which_16_are_whole_switches() -> None:
    stages = stages_of(instance("winter"))
    assert len(stages) == 68
    assert stages.binary == 16
    assert stages.low_c.shape == (68, 17)
    assert stages.hours.sum() == pytest.approx(48.0)


def test_a_value_that_is_not_a_number_is_refused_by_name_and_slot() -> None:
    problem = quick_problem()
    prices = (*problem.import_per_kwh[:3], math.nan, *problem.import_per_kwh[4:])
    with pytest.raises(BadProblemError, match="import_per_kwh is not a number in slot 3"):
        stages_of(replace(problem, import_per_kwh=prices))


@pytest.mark.parametrize(
    "series", ["outdoor_c", "pv_kw", "base_load_kw", "export_per_kwh", "heating_blocked"]
)
def test_a_series_of_another_length_is_refused_by_name(series: str) -> None:
    problem = quick_problem()
    shorter = replace(problem, **{series: getattr(problem, series)[:-1]})
    answer = solve(shorter)
    assert isinstance(answer, PlanRefused)
    assert answer.permanent
    assert series in answer.reason


def test_a_room_without_state_band_or_sense_is_refused_by_name() -> None:
    problem = quick_problem()
    rooms = dict(problem.state.rooms)
    absurd = {**rooms, "hosti": RoomThermalState(20.0, math.nan, 20.0)}
    nowhere = {name: state for name, state in rooms.items() if name != "hosti"}
    for broken in (with_state(problem, rooms=absurd), with_state(problem, rooms=nowhere)):
        with pytest.raises(BadProblemError, match="hosti"):
            stages_of(broken)
    with pytest.raises(BadProblemError, match="comfort_low_c has no series for room 'hosti'"):
        stages_of(replace(problem, comfort_low_c={}))


def test_a_problem_without_rooms_or_with_a_relay_to_nowhere_is_refused() -> None:
    problem = quick_problem()
    with pytest.raises(BadProblemError, match="no rooms"):
        stages_of(replace(problem, model=HouseModel(())))
    elsewhere = replace(problem.relays[0], members=(("sklep", 1.0),))
    with pytest.raises(BadProblemError, match="sklep"):
        stages_of(replace(problem, relays=(elsewhere,)))


@pytest.mark.parametrize("power_kw", [math.nan, -1.0, math.inf])
def test_a_relay_without_a_sane_power_is_refused_by_name(power_kw: float) -> None:
    problem = quick_problem()
    absurd = replace(problem.relays[0], power_kw=power_kw)
    with pytest.raises(BadProblemError, match=absurd.name):
        stages_of(replace(problem, relays=(absurd,)))


@pytest.mark.parametrize(
    "absurd",
    [
        {"capacity_kwh": -1.0},
        {"round_trip_frac": 0.0},
        {"min_soc_frac": 0.9, "max_soc_frac": 0.1},
        {"max_soc_frac": 1.5},
    ],
)
def test_a_battery_that_cannot_be_is_refused(absurd: dict[str, float]) -> None:
    problem = quick_problem()
    with pytest.raises(BadProblemError, match="battery"):
        stages_of(replace(problem, battery=replace(problem.battery, **absurd)))


@pytest.mark.parametrize("soc", [math.nan, -0.5, 47.0])
def test_a_state_of_charge_that_is_no_share_is_refused(soc: float) -> None:
    answer = solve(with_state(quick_problem(), soc_frac=soc))
    assert isinstance(answer, PlanRefused)
    assert "state of charge" in answer.reason


def test_coarser_slots_keep_energy_and_the_caution_of_blocks() -> None:
    fine = instance("winter", grid=TimeGrid.uniform(START_S, 96))
    coarse = coarsened(fine, TimeGrid.uniform(START_S, 24, 3600.0))
    assert sum(coarse.base_load_kw) == pytest.approx(sum(fine.base_load_kw) / 4)
    half = replace(fine, heating_blocked=tuple(k == 5 for k in range(96)))
    blocked = coarsened(half, coarse.grid).heating_blocked
    assert blocked[1]
    assert sum(blocked) == 1
