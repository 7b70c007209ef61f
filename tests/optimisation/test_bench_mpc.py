"""The measurement of the planner: its figures, and how near the relays are to the best known."""

from __future__ import annotations

from statistics import median

import pytest

from pems_actors.bench.mpc import oracle_gaps, run
from pems_actors.bench.planning_instances import house17, instance

TOLD = {
    "plan_s_p50", "plan_s_p99", "cpu_s_p50", "replan_s_p50", "full_integer_s_p50",
    "oracle_gap_median", "oracle_gap_worst", "worker_rss_mb", "horizon_s", "rooms_s",
}  # fmt: skip


def test_relays_are_within_a_hundredth_of_the_best_that_branch_and_bound_finds() -> None:
    gaps = oracle_gaps(seeds=2, within_s=3.0)
    assert len(gaps) == 6
    assert max(gaps) < 0.01
    assert median(gaps) < 0.003


def test_the_reference_house_has_17_rooms_16_relays_and_18_12_kw() -> None:
    model, relays = house17()
    assert len(model.rooms) == 17
    assert len(relays) == 16
    assert sum(relay.power_kw for relay in relays) == pytest.approx(18.12)
    assert dict(relays[0].members) == {"obyvak": 0.625, "kuchyne": 0.375}


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
