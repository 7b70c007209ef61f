"""Rows 5, 33, 35 and 38 of the fault matrix as the house feels them: the core away for a while.

How fast a real core is back is measured on real processes; here it is away for longer than that,
again and again, and the rooms are looked at.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from pems_actors.simulate import Simulation
from tests.scenarios.comfort import extra_k
from tests.scenarios.outages import HOUR
from tests.scenarios.stories import NOON, rules_only
from tests.scenarios.witness import by_relay, commands, switches

COLD = {"preset": "flat3", "seed": 3, "weather_shift_k": -8.0}


def hurt(words: str):
    return rules_only(0.25, faults=words, **COLD)


def test_row_5_a_core_frozen_for_twenty_seconds_costs_nothing() -> None:
    assert extra_k(hurt("suspend@clock:5400/20")) <= 0.05


def test_row_5_a_frozen_core_that_thaws_blames_nobody() -> None:
    simulation = Simulation(hurt("suspend@clock:3600/20,suspend@clock:7200/20"), keep_log=True)
    simulation.start()
    simulation.run_until(NOON + 3 * HOUR)
    counters = simulation.appliance.system.counters()
    assert (counters["restarts"], counters["hangs"], counters["crashes"]) == (0, 0, 0)


@pytest.mark.parametrize("away_s", [2, 20])
def test_rows_5_33_and_35_a_core_that_is_killed_every_half_hour_costs_no_comfort(away_s) -> None:
    words = ",".join(f"kill-core@core:{1800 * k + 777}/{away_s}" for k in range(11))
    assert extra_k(hurt(words)) <= 0.05


def test_row_33_no_killed_core_makes_its_successor_switch_a_relay_within_its_dwell() -> None:
    words = ",".join(f"kill-core@core:{600 * k + 333}/2" for k in range(30))
    simulation = Simulation(hurt(words), keep_log=True)
    simulation.run()
    least_s = {relay.name: min(relay.min_on_s, relay.min_off_s)
               for relay in simulation.story.house.relays}  # fmt: skip
    for relay, found in by_relay(switches(simulation.lines)).items():
        for before, after in pairwise(found):
            if {before.rule, after.rule} & {"tariff", "breaker"}:
                continue
            assert after.at_s - before.at_s >= least_s[relay] - 1.0, (before, after)
    assert len(commands(simulation.lines)) > 50
