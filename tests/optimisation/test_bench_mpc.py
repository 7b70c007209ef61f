"""The measurement of the planner: its figures, and how near the relays are to the best known."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from config import load
from pems_actors.bench.mpc import oracle_gaps, run
from pems_actors.bench.planning_instances import instance, reference
from pems_actors.blueprint import PHASES, house_from
from pems_actors.control.power_budget import SPARE_KW

TOLD = {
    "plan_s_p50", "plan_s_p99", "cpu_s_p50", "replan_s_p50", "full_integer_s_p50",
    "oracle_gap_median", "oracle_gap_worst", "worker_rss_mb", "horizon_s", "rooms_s",
}  # fmt: skip


def test_relays_are_within_a_hundredth_of_the_best_that_branch_and_bound_finds() -> None:
    """The oracle reads every mode of the rooms; ours reads the far air of a slow floor by its echo.

    A kelvin-hour of cold costs as much as three kWh: 0.02 of it are a hundredth of a mild day.
    """
    gaps = oracle_gaps(seeds=2, within_s=3.0)
    assert len(gaps) == 6
    assert max(gaps) < 0.012
    assert median(gaps) < 0.003


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
    assert told["figures"]["horizon_s"].keys() == {"12", "24", "48"}
    assert told["met"].keys() == told["targets"].keys()
