"""`arm` and `disarm` in a running house: nothing stays forced, and nothing unreal is carried on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from pems_actors.actors.base import BATTERY, CONTROL, INVERTER, room_address
from pems_actors.actors.control import SocketRequest
from pems_actors.domain.house import BatteryMode, Native
from pems_actors.simulate import Simulation
from tests.scenarios.stories import NOON, rules_only
from tests.scenarios.witness import commands

MINUTE, HOUR = 60.0, 3600.0


def running(hours: float, native: Native = Native.THERMOSTAT, **more: Any) -> Simulation:
    """A flat at some hours after noon, with relays that come to themselves in a way."""
    tale = rules_only(2.0, preset="flat3", seed=4, **more)
    relays = tuple(replace(relay, native=native) for relay in tale.house.relays)
    tale = replace(tale, house=replace(tale.house, relays=relays))
    simulation = Simulation(tale, keep_log=True)
    simulation.start()
    simulation.run_until(NOON + hours * HOUR)
    return simulation


def say(simulation: Simulation, path: str, verb: str, **args: Any) -> dict[str, Any]:
    """Give an order and let a second pass; the final answer."""
    answers: list[dict[str, Any]] = []
    body = {"path": path, "verb": verb, "args": args}
    asked = SocketRequest(body, lambda answer: bool(answers.append(dict(answer))) or True)
    simulation.appliance.system.tell(CONTROL, asked)
    simulation.runtime.run_for(1.0)
    return answers[-1]


def go_on(simulation: Simulation, minutes: float) -> None:
    simulation.run_until(simulation.runtime.process_s() + minutes * MINUTE)


def heating(simulation: Simulation) -> set[str]:
    relays = simulation.twin.relays
    return {name for name, closed in zip(relays.names, relays.closed, strict=True) if closed}


def told_since(simulation: Simulation, line: int, device: str) -> list[str]:
    return [told for told in commands(simulation.lines[line:]) if f" {device} " in told]


def test_a_battery_that_is_disarmed_while_it_is_forced_is_back_in_self_use_at_once():
    simulation = running(1.0)
    say(simulation, BATTERY, "mode", mode="hold", **{"for": "6h"})
    go_on(simulation, 3.0)
    assert simulation.twin.inverter.mode is BatteryMode.HOLD
    assert say(simulation, "", "disarm", device=BATTERY)["reason"] == "disarmed 1 device"
    go_on(simulation, 1.0)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE
    since = len(simulation.lines)
    go_on(simulation, 30.0)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE
    assert not told_since(simulation, since, "battery")


def test_an_inverter_that_is_disarmed_may_export_again():
    simulation = running(1.0)
    say(simulation, INVERTER, "export", allowed=False)
    go_on(simulation, 2.0)
    assert not simulation.twin.inverter.export_allowed
    say(simulation, "", "disarm", device="all")
    go_on(simulation, 1.0)
    assert simulation.twin.inverter.export_allowed


def test_relays_that_never_forget_are_off_once_they_are_disarmed():
    simulation = running(1.0, Native.KEEP, weather_shift_k=-10.0)
    for _ in range(60):
        if heating(simulation):
            break
        go_on(simulation, 2.0)
    assert heating(simulation)
    say(simulation, "", "disarm", device="all")
    go_on(simulation, 2.0)
    assert not heating(simulation)


@pytest.mark.parametrize("pause_min", [2.0, 8.0])
def test_a_device_that_is_armed_again_is_taken_over_and_by_no_person(pause_min):
    simulation = running(1.0, Native.KEEP, weather_shift_k=-10.0)
    say(simulation, BATTERY, "mode", mode="hold", **{"for": "6h"})
    go_on(simulation, 5.0)
    say(simulation, "", "disarm", device="all")
    go_on(simulation, pause_min)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE
    say(simulation, "", "arm", device="all")
    go_on(simulation, 3.0)
    assert simulation.twin.inverter.mode is BatteryMode.HOLD
    go_on(simulation, 60.0)
    assert not [line for line in simulation.lines if "by a person" in line]
    for name in simulation.twin.relays.names:
        assert simulation.appliance.system.state_of(room_address(name)).relay.by_hand is None


def test_what_a_disarmed_relay_would_have_been_is_not_written_when_it_is_armed():
    """Relays that heat in thought alone do not start together: each asks for its power."""
    simulation = running(6.0, Native.KEEP, armed=frozenset(), weather_shift_k=-10.0)
    assert not heating(simulation)
    since = len(simulation.lines)
    say(simulation, "", "arm", device="all")
    go_on(simulation, 30.0)
    assert len(heating(simulation)) > 1
    first: dict[str, float] = {}
    for line in commands(simulation.lines[since:]):
        at_s, device, _, on, *_ = line.split()
        if device.startswith("relay/") and on == "True":
            first.setdefault(device, float(at_s))
    began = sorted(first.values())
    assert all(b - a >= 9.9 for a, b in pairwise(began))
