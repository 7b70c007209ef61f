"""The house's own link is cut, or the disk is full: rooms go on, leases end, all comes back.

The link to the devices is another one than that to the world; here it is cut in both directions.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from pems_actors.domain.house import BatteryMode, Native
from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.simulate import Simulation
from pems_actors.simulation.troubles import Trouble
from tests.scenarios import full_disk_program
from tests.scenarios.stories import NOON, replace, rules_only
from tests.scenarios.witness import Witness

LEASES_OVER_S = 20 * MINUTE_S + 60.0  # 15 min, staggered over 5, and a tick


def cut(simulation: Simulation, *, on: bool = True) -> None:
    for trouble in (Trouble.HOUSE_SILENT, Trouble.HOUSE_DEAF):
        (simulation.troubles.begin if on else simulation.troubles.end)(trouble, "house")


def cold_house(native: Native = Native.OFF, **more: object) -> Simulation:
    """A flat in the cold whose relays do this when nobody commands them."""
    tale = rules_only(0.5, preset="flat3", seed=4, weather_shift_k=-10.0)
    relays = tuple(replace(relay, native=native) for relay in tale.house.relays)
    simulation = Simulation(replace(tale, house=replace(tale.house, relays=relays)), keep_log=True)
    simulation.start()
    return simulation


def running(simulation: Simulation) -> set[str]:
    relays = simulation.twin.relays
    return {name for name, on in zip(relays.names, relays.closed, strict=True) if on}


def test_without_its_link_every_relay_is_off_by_itself_when_its_lease_has_ended():
    simulation, until_s = cold_house(), NOON + 600.0
    while not running(simulation):
        until_s += MINUTE_S
        simulation.run_until(until_s)
    cut(simulation)
    simulation.run_until(until_s + LEASES_OVER_S)
    assert not running(simulation)


def test_a_native_thermostat_takes_over_when_the_lease_has_ended():
    simulation, witness = cold_house(Native.THERMOSTAT), Witness()
    simulation.run_until(NOON + HOUR_S)
    cut(simulation)
    simulation.run_until(NOON + 8 * HOUR_S, witness)
    for room in simulation.story.house.rooms:
        assert witness.coldest_c[room.name] > room.comfort.night_c - 1.0


def test_the_rooms_go_on_by_their_rules_and_are_obeyed_again_when_the_link_is_back():
    simulation = cold_house()
    simulation.run_until(NOON + HOUR_S)
    before = len(simulation.lines)
    cut(simulation)
    simulation.run_until(NOON + 2 * HOUR_S)
    assert {simulation.levels[f"rooms/{r.name}"] for r in simulation.story.house.rooms} == {
        Level.RULES
    }
    assert any(" relay/" in line for line in simulation.lines[before:])  # they go on deciding
    assert any("the house says nothing" in line for line in simulation.lines[before:])
    cut(simulation, on=False)
    simulation.run_until(NOON + 2 * HOUR_S + 5 * MINUTE_S)
    system = simulation.appliance.system
    wanted = {
        relay.name: mind.relay.on
        for relay in simulation.story.house.relays
        if (mind := system.state_of(f"rooms/{relay.name}")).relay is not None
    }
    assert {name for name, on in wanted.items() if on} == running(simulation)
    assert simulation.appliance.system.counters()["crashes"] == 0
    after = Witness()
    simulation.run_until(NOON + 4 * HOUR_S, after)
    assert any(look.closed for look in after.looks)


def test_a_forced_battery_mode_ends_with_its_lease():
    simulation = cold_house()
    simulation.run_until(NOON + 600.0)
    body = b'{"id": "1", "verb": "mode", "args": {"mode": "hold", "for": "6h"}}'
    simulation.mqtt.say("pems/control/devices/battery", body)
    simulation.run_until(NOON + 900.0)
    assert simulation.twin.inverter.mode is BatteryMode.HOLD
    cut(simulation)
    simulation.run_until(NOON + 900.0 + LEASES_OVER_S)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE


@pytest.mark.slow
def test_a_full_disk_changes_no_command_and_is_told_in_one_sentence(tmp_path: Path):
    argv = [
        sys.executable,
        "-m",
        "tests.scenarios.full_disk_program",
        str(tmp_path / "full.sqlite"),
    ]
    full = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    commands, said = full_disk_program.told(tmp_path / "roomy.sqlite", full=False)
    assert full.returncode == 0, full.stderr
    assert full.stdout.splitlines() == commands
    assert len(commands) > 30
    assert said == "running | writes"
    assert full.stderr.startswith("degraded | history cannot write to full.sqlite: ")
    assert len(full.stderr.splitlines()) == 1
