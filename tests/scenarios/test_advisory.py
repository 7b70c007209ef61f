"""Advisory mode: everything is decided and told, and not one command reaches the house."""

import pytest

from pems_actors.actors.base import METRICS
from pems_actors.domain.events import Request
from pems_actors.domain.units import HOUR_S
from pems_actors.simulate import Simulation
from tests.scenarios.stories import NOON, replace, rules_only, story
from tests.scenarios.witness import commands, withheld


def shadow(simulation: Simulation) -> dict:
    request = Request("1", METRICS, "shadow", {}, "", simulation.runtime.now_s())
    return dict(simulation.appliance.system.ask(METRICS, request).result)


def writes(simulation: Simulation) -> float:
    figures = simulation.twin.figures()
    return figures["writes"] + figures["relay_commands"]


@pytest.mark.slow
def test_half_a_day_of_plans_and_crashes_in_advisory_mode_writes_nothing():
    pace = replace(story(1.0).pace, plan_every_s=3 * HOUR_S, horizon_s=4 * HOUR_S)
    tale = story(1.0, preset="flat3", seed=4, pace=pace, armed=frozenset(), faults="heavy")
    simulation = Simulation(tale, keep_log=True)
    simulation.start()
    simulation.run_until(NOON + 12 * HOUR_S)
    assert simulation.mqtt.count("pems/plan") >= 4
    assert simulation.counters()["crashes"] > 3
    shown = shadow(simulation)
    assert shown["written"] == 0
    assert len(withheld(simulation.lines)) > 250
    assert {"relay/living", "relay/bath"} <= {row["device"] for row in shown["last"]}
    simulation.appliance.stop()
    assert writes(simulation) == 0
    assert not commands(simulation.lines)


def test_the_whole_house_with_a_battery_writes_nothing_either():
    simulation = Simulation(rules_only(0.2, seed=4, armed=frozenset()), keep_log=True)
    simulation.run()
    assert writes(simulation) == 0
    assert not commands(simulation.lines)
    devices = {line.split()[1] for line in withheld(simulation.lines)}
    assert len(devices) == 16 + 2


def test_only_what_is_armed_is_written_to():
    tale = rules_only(0.2, preset="flat3", seed=4, armed=frozenset({"relay/bath"}))
    simulation = Simulation(tale, keep_log=True)
    simulation.run()
    assert {line.split()[1] for line in commands(simulation.lines)} == {"relay/bath"}
    assert "relay/living" in {line.split()[1] for line in withheld(simulation.lines)}
