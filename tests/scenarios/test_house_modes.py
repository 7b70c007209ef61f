"""The house mode: latched where it must be, on every path by which an actor can forget it."""

import json
from pathlib import Path
from typing import Any

import pytest

from pems_actors.domain.events import HouseMode, Request
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S, iso
from pems_actors.durable.memory import Memory
from pems_actors.house import actor_paths
from pems_actors.simulate import Simulation
from supervision import Fault
from tests.scenarios.stories import NOON, rules_only

ROOMS = ("living", "bedroom", "bath")
CONTROL = "infrastructure/control"


def house(days: float = 0.3, memory: Memory | None = None, **more: Any) -> Simulation:
    memory = memory or Memory()
    tale = rules_only(days, preset="flat3", seed=5, **more)
    simulation = Simulation(tale, keep_log=True, memory=lambda: memory)
    simulation.start()
    simulation.run_until(simulation.story.start_s + 300.0)
    return simulation


def wait(simulation: Simulation, seconds: float = 180.0) -> None:
    simulation.run_until(simulation.runtime.now_s() + seconds)


def ask(simulation: Simulation, tail: str, body: Any, place: str) -> dict[str, Any]:
    """Say something on a control topic and read the last answer at a place."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    simulation.mqtt.say(f"pems/control/{tail}", payload)
    wait(simulation, 60.0)
    answer: dict[str, Any] = json.loads(simulation.mqtt.newest[place].payload)
    return answer


def mode(simulation: Simulation, word: str, **args: Any) -> dict[str, Any]:
    body = {"id": f"{word}{args}", "verb": "mode", "args": {"mode": word, **args}}
    return ask(simulation, "house", body, "pems/reply/house")


def told(simulation: Simulation, path: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(simulation.mqtt.newest[f"pems/state/{path}"].payload)
    return state


def status(simulation: Simulation) -> dict[str, Any]:
    question = Request("s", "infrastructure/metrics", "status", {}, "", 0.0)
    answer = simulation.appliance.system.ask("infrastructure/metrics", question)
    return dict(answer.result)


def modes(simulation: Simulation) -> dict[str, HouseMode]:
    """The mode as each actor has it that acts on it or shows it."""
    system = simulation.appliance.system
    minds = {path: system.state_of(path) for path in (
        *(f"rooms/{room}" for room in ROOMS), "devices/battery", "devices/inverter",
        "infrastructure/metrics", "infrastructure/mqtt",
    )}  # fmt: skip
    return {path: mind.mode for path, mind in minds.items()}


def target_c(simulation: Simulation, path: str) -> float:
    wanted_c: float = simulation.appliance.system.state_of(path).wanted.target_c
    return wanted_c


def test_emergency_is_shown_everywhere_and_leaves_every_device_to_itself():
    simulation = house()
    assert mode(simulation, "emergency")["outcome"] == "done"
    wait(simulation)
    shown = status(simulation)
    assert shown["mode"] == "emergency"
    assert "emergency" in shown["reason"]
    paths = {*(f"rooms/{room}" for room in ROOMS), "devices/battery", "devices/inverter",
             "devices/meter", "safety/power_budget"}  # fmt: skip
    assert paths <= set(shown["devices"])
    for path in paths:
        assert "emergency" in shown["devices"][path]["reason"], path
        assert "emergency" in told(simulation, path)["reason"], path
    assert {told(simulation, f"rooms/{room}")["level"] for room in ROOMS} == {Level.RULES}
    assert told(simulation, "devices/battery")["level"] == Level.NATIVE
    assert told(simulation, "devices/inverter")["level"] == Level.NATIVE
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE


@pytest.mark.parametrize("word", ["economy", "comfort", "away"])
def test_only_mode_normal_ends_an_emergency(word):
    simulation = house()
    mode(simulation, "emergency")
    answer = mode(simulation, word)
    assert answer["outcome"] == "rejected"
    assert "clear that by mode normal" in answer["reason"]
    assert set(modes(simulation).values()) == {HouseMode.EMERGENCY}
    assert mode(simulation, "normal")["outcome"] == "done"
    wait(simulation)
    assert set(modes(simulation).values()) == {HouseMode.NORMAL}
    assert "emergency" not in told(simulation, "devices/meter")["reason"]


@pytest.mark.parametrize(
    "path",
    [CONTROL, "rooms/living", "devices/battery", "devices/inverter", "infrastructure/metrics",
     "infrastructure/mqtt", "safety/power_budget"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["crash", "fresh", "again and again"])
def test_emergency_outlives_any_actor_however_it_ends(path, how):
    simulation = house()
    mode(simulation, "emergency")
    system = simulation.appliance.system
    branch, name = path.split("/")
    if how == "crash":
        system.inject(path, Fault.named("crash"))
    elif how == "fresh":  # with nothing of its state left
        system.terminate_child(branch, name)
        wait(simulation, 60.0)
        system.restart_child(branch, name)
    else:
        for _ in range(4):
            system.inject(path, Fault.named("crash"))
            simulation.runtime.run_for(2.0)
    wait(simulation, 900.0)
    assert set(modes(simulation).values()) == {HouseMode.EMERGENCY}
    assert status(simulation)["mode"] == "emergency"
    assert mode(simulation, "normal")["outcome"] == "done"
    wait(simulation)
    assert set(modes(simulation).values()) == {HouseMode.NORMAL}


def test_emergency_outlives_the_process(tmp_path: Path):
    first = house(memory=Memory.on_disk(tmp_path, ()))
    mode(first, "emergency")
    first.appliance.stop()

    later_s, memory = NOON + HOUR_S, Memory.on_disk(tmp_path, ())
    memory.load(actor_paths(first.story.house), later_s)
    second = house(memory=memory, start_s=later_s)
    assert set(modes(second).values()) == {HouseMode.EMERGENCY}
    assert told(second, "devices/battery")["level"] == Level.NATIVE
    assert mode(second, "normal")["outcome"] == "done"


def test_an_absence_ends_by_itself_and_the_rooms_are_warmed_for_it():
    simulation = house(days=0.6)
    until_s = NOON + 8 * HOUR_S
    answer = mode(simulation, "away", until=iso(until_s))
    assert answer["reason"] == f"house mode away until {iso(until_s)}"
    assert status(simulation)["mode_until"] == iso(until_s)
    simulation.run_until(until_s - HOUR_S)
    assert target_c(simulation, "rooms/living") <= 17.0
    simulation.run_until(until_s - 600.0)
    assert target_c(simulation, "rooms/living") > 17.0
    assert status(simulation)["mode"] == "away"
    simulation.run_until(until_s + 60.0)
    assert set(modes(simulation).values()) == {HouseMode.NORMAL}
    assert status(simulation)["mode_until"] is None


def test_an_absence_ends_in_time_also_when_its_keeper_was_away():
    simulation = house()
    mode(simulation, "away", until=iso(NOON + 2 * HOUR_S))
    system = simulation.appliance.system
    system.terminate_child("infrastructure", "control")
    simulation.run_until(NOON + 3 * HOUR_S)
    assert simulation.appliance.system.state_of("rooms/bath").mode is HouseMode.AWAY
    assert target_c(simulation, "rooms/bath") > 17.0
    system.restart_child("infrastructure", "control")
    wait(simulation)
    assert modes(simulation)["rooms/bath"] is HouseMode.NORMAL


@pytest.mark.parametrize(
    ("word", "until", "said"),
    [
        ("emergency", iso(NOON + HOUR_S), "leave until out"),
        ("normal", iso(NOON + HOUR_S), "leave until out"),
        ("away", iso(NOON - HOUR_S), "is over"),
        ("away", "next week", "is no time"),
    ],
)
def test_an_end_that_makes_no_sense_is_refused(word, until, said):
    answer = mode(house(), word, until=until)
    assert answer["outcome"] == "rejected"
    assert said in answer["reason"]


ALIASES = (
    ("living/override", {"temperature": 23.5, "duration": 90}, "rooms/living", "override"),
    ("living/override", {"heating": False}, "rooms/living", "override"),
    ("bath/heating", {"enabled": True}, "rooms/bath", "boost"),
    ("mode", b"ECONOMY", "house", "mode"),
    ("battery/mode", b"CHARGE", "devices/battery", "mode"),
    ("battery/mode", b"AUTO", "devices/battery", "release"),
    ("battery/power", {"power_kw": -1.5, "duration": 15}, "devices/battery", "mode"),
    ("emergency_stop", b"", "house", "mode"),
)


@pytest.mark.parametrize(("tail", "body", "path", "verb"), ALIASES)
def test_an_operator_topic_does_what_its_verb_does(tail, body, path, verb):
    simulation = house()
    answer = ask(simulation, tail, body, f"pems/reply/{path}")
    assert (answer["path"], answer["verb"], answer["outcome"]) == (path, verb, "done")
    commands = simulation.appliance.system.state_of(CONTROL).commands
    assert [(each["path"], each["verb"]) for each in commands] == [(path, verb)]


def test_the_emergency_topic_of_the_first_system_is_latched_like_the_verb():
    simulation = house()
    ask(simulation, "emergency_stop", b"", "pems/reply/house")
    assert set(modes(simulation).values()) == {HouseMode.EMERGENCY}
    assert ask(simulation, "mode", b"AWAY", "pems/reply/house")["outcome"] == "rejected"
    assert ask(simulation, "mode", b"NORMAL", "pems/reply/house")["outcome"] == "done"
