"""The measurement of the planner: its figures, and how near the relays are to the best known."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from config import load
from pems_actors.bench.mpc import oracle_gaps, run, with_rooms
from pems_actors.bench.mpc_oracle import compared, small_houses
from pems_actors.bench.planning_instances import KINDS, advanced, instance, reference, rooms_only
from pems_actors.blueprint import PHASES, house_from
from pems_actors.control.power_budget import SPARE_KW
from pems_actors.domain.plan import Plan
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.solver import solve

TOLD = {
    "plan_s_p50", "plan_s_p99", "cpu_s_p50", "cpu_s_p99", "panels_cpu_s_p50", "floors_s",
    "panels_s",
    "replan_s_p50", "full_integer_s_p50", "oracle_gap_median", "oracle_gap_worst", "oracle_gaps",
    "cold_cap_gap_worst", "worker_rss_mb", "horizon_s", "rooms_s",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_relays_are_within_three_thousandths_of_the_best_that_branch_and_bound_finds() -> None:
    found = oracle_gaps(seeds=1, within_s=0.5)
    gaps = [each.gap for each in found]
    assert len(found) >= 6
    assert min(gaps) >= 0.0
    assert max(gaps) < 0.003
    assert median(gaps) < 0.0005


def test_a_well_set_thermostat_is_dearer_than_the_best_known() -> None:
    _, problem = next(iter(small_houses(1)))
    told = compared("one", problem, 1.0)
    assert told is not None
    assert told.thermostat > told.ours >= told.best


def test_a_house_built_on_twice_has_32_rooms_to_plan() -> None:
    problem = with_rooms(instance("winter", 0), 32)
    assert len(problem.model.rooms) == 32
    assert stages_of(problem).low_c.shape[1] == 32
    assert len({relay.name for relay in problem.relays}) == len(problem.relays) >= 30


def test_a_house_that_does_what_it_is_told_is_where_the_plan_said_it_would_be() -> None:
    problem = rooms_only(instance("winter", 0, horizon_s=6 * 3600.0), ("hosti", "loznice"))
    plan = solve(problem)
    assert isinstance(plan, Plan)
    after, slot = advanced(problem, plan), plan.slots[0]
    assert after.at_s == slot.start_s + slot.duration_s
    assert {name: past.on for name, past in after.relays.items()} == slot.relays
    for name, room in after.rooms.items():
        assert room.air_c == pytest.approx(slot.temps_c[name], abs=0.02)


def test_the_reference_house_has_17_rooms_16_relays_and_18_12_kw() -> None:
    house, _ = reference()
    assert len(house.model.rooms) == 17
    assert len(house.relays) == 16
    assert sum(relay.power_kw for relay in house.relays) == pytest.approx(18.12)
    assert dict(house.relays[0].members) == {"obyvak": 0.625, "kuchyne": 0.375}


def test_instances_are_of_the_house_that_ships_with_its_links_and_phases() -> None:
    shipped = house_from(load("house17", env={}).system)
    problem = instance("winter", 0)
    assert problem.model == shipped.model
    assert problem.relays == shipped.relays
    assert problem.limits.phase_kw == pytest.approx(shipped.limits.phase_kw - SPARE_KW)
    assert replace(problem.limits, breaker_a=25.0, import_kw=20.0) == shipped.limits
    assert len(problem.model.links) == 29
    assert {relay.phases for relay in problem.relays} == set(PHASES.values())


def test_an_instance_is_the_same_every_time_and_seeds_differ() -> None:
    assert instance("cold", 3) == instance("cold", 3)
    assert instance("cold", 3).outdoor_c != instance("cold", 4).outdoor_c


@pytest.mark.long
@pytest.mark.timeout(180)
def test_the_quick_measurement_tells_every_figure_and_refuses_no_problem() -> None:
    told = run(quick=True)
    assert told["name"] == "mpc"
    assert told["figures"].keys() >= TOLD
    assert told["figures"]["instances"] >= 20
    assert told["figures"]["refused"] == 0
    assert told["figures"]["horizon_s"].keys() == {"1", "6", "24", "48"}
    assert told["figures"]["rooms_s"].keys() >= {"1", "17", "32"}
    assert told["figures"]["floors_s"].keys() == set(KINDS)
    assert told["met"].keys() == told["targets"].keys()
