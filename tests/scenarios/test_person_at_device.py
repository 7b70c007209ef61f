"""Somebody presses a button at a device: the house notices, respects it, and says so."""

from __future__ import annotations

import random

import pytest

from pems_actors.actors.control import SocketRequest
from pems_actors.domain.house import BatteryMode
from pems_actors.simulate import Simulation
from pems_actors.simulation.troubles import Trouble
from supervision import Event
from supervision.events import IncidentOpened
from tests.scenarios.stories import NOON, rules_only

MINUTE, HOUR = 60.0, 3600.0


def running(minutes: float, **more) -> Simulation:
    simulation = Simulation(rules_only(1.0, **more), keep_log=True)
    simulation.start()
    simulation.run_until(NOON + minutes * MINUTE)
    simulation.runtime.run_for(1.0)  # the last picture has been looked at
    return simulation


def status(simulation: Simulation) -> dict:
    answers: list[dict] = []
    asked = SocketRequest(
        {"path": "", "verb": "status"}, lambda answer: bool(answers.append(dict(answer))) or True
    )
    simulation.appliance.system.tell("infrastructure/control", asked)
    simulation.run_until(simulation.runtime.process_s() + MINUTE)
    return answers[-1]["result"]


def contact(simulation: Simulation, relay: str) -> bool:
    relays = simulation.twin.relays
    return relays.closed[relays.names.index(relay)]


def one_that_heats(simulation: Simulation) -> str:
    """A relay that has been on for a few minutes, as ordered."""
    now_s = simulation.runtime.now_s()
    for name in simulation.twin.relays.names:
        memory = simulation.appliance.system.state_of(f"rooms/{name}").relay
        if memory.on and now_s - memory.since_s > 2 * MINUTE and contact(simulation, name):
            return name
    raise AssertionError("nothing heats")


def test_a_relay_switched_off_by_hand_stays_off_for_four_hours_and_is_shown():
    simulation = running(75, preset="flat3", weather_shift_k=-12.0)
    relay = one_that_heats(simulation)
    simulation.twin.by_hand(f"relay/{relay}", False)
    pressed_s = simulation.runtime.now_s()
    simulation.run_until(pressed_s + 5 * MINUTE)
    shown = status(simulation)["devices"][f"rooms/{relay}"]
    assert shown["values"]["owner"]["value"] == "person"
    assert "by a person" in shown["reason"]

    on_s: list[float] = []
    simulation.run_until(
        pressed_s + 6 * HOUR,
        lambda s: on_s.append(s.runtime.now_s()) if contact(s, relay) else None,
    )
    assert on_s, "it never heated again"
    assert 4 * HOUR <= on_s[0] - pressed_s <= 5 * HOUR
    others = [r for r in simulation.twin.relays.names if r != relay]
    people = [line for line in simulation.lines if "person: switched" in line]
    assert people
    assert not [line for line in people if any(f"relay/{other} " in line for other in others)]


@pytest.mark.parametrize("seed", [4, 8])
def test_however_often_somebody_presses_no_relay_is_called_stuck(seed):
    """A child at the buttons of a flat for five hours, about every two minutes at one of three."""
    simulation = running(10, preset="flat3", seed=seed, weather_shift_k=-6.0)
    dice = random.Random(seed)
    called: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, IncidentOpened) and event.path.startswith("relay/"):
            called.append(event.path)

    simulation.listen = hear
    at_s, names = NOON + 12 * MINUTE, simulation.twin.relays.names
    while at_s < NOON + 5 * HOUR:
        simulation.run_until(at_s)
        relay = dice.choice(names)
        simulation.twin.by_hand(f"relay/{relay}", not contact(simulation, relay))
        at_s += MINUTE * dice.choice((1, 2, 3))
    assert called == []


def test_after_an_hour_of_lost_orders_nobody_is_taken_for_a_person():
    simulation = running(100, weather_shift_k=-12.0)
    simulation.troubles.begin(Trouble.HOUSE_DEAF, "house")
    simulation.run_until(NOON + 160 * MINUTE)
    simulation.troubles.end(Trouble.HOUSE_DEAF, "house")
    simulation.run_until(NOON + 170 * MINUTE)
    rooms = simulation.twin.relays.names
    minds = {room: simulation.appliance.system.state_of(f"rooms/{room}") for room in rooms}
    assert not [room for room, mind in minds.items() if mind.relay.by_hand is not None]


def test_a_device_that_restarts_and_drops_all_relays_is_no_person():
    simulation = running(66, weather_shift_k=-12.0)
    on = [name for name in simulation.twin.relays.names if contact(simulation, name)]
    assert len(on) > 5
    for name in on:
        simulation.twin.by_hand(f"relay/{name}", False)
    simulation.run_until(NOON + 72 * MINUTE)
    minds = [simulation.appliance.system.state_of(f"rooms/{name}") for name in on]
    assert not [mind for mind in minds if mind.relay.by_hand is not None]


def test_a_battery_mode_chosen_at_the_inverter_stands_for_four_hours():
    simulation = running(40)
    simulation.twin.by_hand("battery", BatteryMode.HOLD)
    pressed_s = simulation.runtime.now_s()
    modes: set[BatteryMode] = set()
    simulation.run_until(pressed_s + 4 * HOUR, lambda s: modes.add(s.twin.inverter.mode))
    assert modes == {BatteryMode.HOLD}
    assert status(simulation)["devices"]["devices/battery"]["values"]["mode"]["value"] == "hold"
    simulation.run_until(pressed_s + 4 * HOUR + 10 * MINUTE)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE
