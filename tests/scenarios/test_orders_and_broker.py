"""What people order over MQTT, and that a broker is never needed."""

import json
from typing import Any

import pytest

from pems_actors.actors.base import MQTT
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S
from pems_actors.simulate import Simulation
from supervision import Fault, FaultKind
from tests.scenarios.stories import NOON, replace, rules_only, story
from tests.scenarios.witness import Witness, commands


def ask(simulation: Simulation, path: str, verb: str, id_: str, **args: Any) -> dict[str, Any]:
    """Give an order over MQTT and read its answer a little later."""
    topic = f"test/{id_}"
    body = {"id": id_, "verb": verb, "args": args, "reply_to": topic}
    simulation.mqtt.say(f"pems/control/{path}", json.dumps(body).encode())
    simulation.run_until(simulation.runtime.now_s() + 60.0)
    return json.loads(simulation.mqtt.newest[topic].payload)


def levels(simulation: Simulation, branch: str) -> set[int]:
    return {n for path, n in simulation.levels.items() if path.startswith(branch)}


@pytest.fixture
def planned() -> Simulation:
    """A house with a plan in force; plans are short and come every five minutes."""
    pace = replace(story(0.1).pace, plan_every_s=300.0, horizon_s=4 * HOUR_S)
    simulation = Simulation(story(0.1, seed=5, pace=pace), keep_log=True)
    simulation.start()
    simulation.run_until(NOON + 300.0)
    assert levels(simulation, "rooms/") == {Level.PLAN}
    return simulation


@pytest.mark.slow
def test_emergency_leaves_every_device_to_itself_until_it_is_cleared(planned):
    assert ask(planned, "house", "mode", "1", mode="emergency")["outcome"] == "done"
    planned.run_until(NOON + 1200.0)
    assert levels(planned, "rooms/") == {Level.RULES}
    assert levels(planned, "devices/battery") == {Level.NATIVE}
    assert planned.twin.inverter.mode is BatteryMode.SELF_USE
    assert planned.mqtt.count("pems/plan") > 2  # plans come, and nobody follows them

    assert ask(planned, "house", "mode", "2", mode="normal")["outcome"] == "done"
    planned.run_until(NOON + 2100.0)
    assert levels(planned, "rooms/") == {Level.PLAN}
    assert levels(planned, "devices/battery") == {Level.PLAN}


def test_away_lets_the_whole_house_rest():
    simulation = Simulation(rules_only(0.2, preset="flat3", seed=5), keep_log=True)
    simulation.start()
    simulation.run_until(NOON + 600.0)
    assert ask(simulation, "house", "mode", "1", mode="away")["outcome"] == "done"
    simulation.run_until(NOON + HOUR_S)
    awake = Witness()
    simulation.run_until(NOON + 4 * HOUR_S, awake)
    assert not any(look.closed for look in awake.looks)
    for name in ("living", "bedroom", "bath"):
        state = json.loads(simulation.mqtt.newest[f"pems/state/rooms/{name}"].payload)
        assert state["values"]["target_c"]["value"] <= 17.0


def test_the_mode_outlives_the_actors_that_keep_it():
    simulation = Simulation(rules_only(0.2, preset="flat3", seed=5), keep_log=True)
    simulation.start()
    ask(simulation, "house", "mode", "1", mode="away")
    assert ask(simulation, "infrastructure/control", "restart", "2")["outcome"] == "done"
    assert ask(simulation, "rooms/living", "restart", "3")["outcome"] == "done"
    system = simulation.appliance.system
    system.terminate_child("rooms", "bath")
    system.restart_child("rooms", "bath")  # without its old state
    simulation.run_until(NOON + 600.0)
    for name in ("living", "bedroom", "bath"):
        assert system.state_of(f"rooms/{name}").mode == "away"


def test_an_order_to_a_room_is_obeyed_and_answered():
    simulation = Simulation(rules_only(0.2, preset="flat3", seed=5))
    simulation.start()
    answer = ask(simulation, "rooms/living", "override", "1", temp_c=24.0, **{"for": "2h"})
    assert (answer["outcome"], answer["reason"]) == ("done", "living aims at 24 °C")
    simulation.run_until(NOON + 2 * HOUR_S)
    assert simulation.twin.true_state()["living"].air_c > 22.5


def test_an_hour_without_a_broker_changes_no_command():
    written = []
    for away in (False, True):
        simulation = Simulation(rules_only(0.15, preset="flat3", seed=6), keep_log=True)
        simulation.start()
        simulation.run_until(NOON + HOUR_S)
        simulation.mqtt.up = not away
        simulation.run_until(NOON + 2 * HOUR_S)
        simulation.mqtt.up = True
        simulation.run_until(NOON + 3 * HOUR_S)
        written.append(commands(simulation.lines))
        assert ("no broker" in "".join(simulation.lines)) is away
    assert written[0] == written[1]
    assert len(written[0]) > 50


@pytest.mark.parametrize("verb", ["boost", "dance"])
def test_while_the_actor_of_mqtt_rests_an_order_is_refused_in_a_sentence(verb):
    simulation = Simulation(rules_only(0.2, preset="flat3", seed=5))
    simulation.start()
    simulation.run_until(NOON + 60.0)
    system = simulation.appliance.system
    system.inject(MQTT, Fault(FaultKind.CRASH_START, count=20))
    system.inject(MQTT, Fault(FaultKind.CRASH))
    simulation.run_until(NOON + 120.0)
    assert system.status(MQTT).state == "fallback"
    answer = ask(simulation, "rooms/bath", verb, "1")
    assert (answer["outcome"], bool(answer["reason"])) == ("rejected", True)


def test_an_order_that_the_actor_of_mqtt_loses_is_answered_in_time():
    faults = "drop@infrastructure/mqtt:61"
    simulation = Simulation(rules_only(0.2, preset="flat3", seed=5, faults=faults))
    simulation.start()
    simulation.run_until(NOON + 61.5)
    assert ask(simulation, "rooms/bath", "boost", "1")["outcome"] == "timeout"
