"""Sensors fail in the cold: unknown never means full heat, and never none."""

import pytest

from pems_actors.domain.units import HOUR_S
from pems_actors.simulate import Simulation
from pems_actors.simulation.device_faults import DeviceFault, FaultKind
from tests.scenarios.stories import NOON, rules_only
from tests.scenarios.witness import Witness

MISSING = DeviceFault(FaultKind.SENSOR_MISSING)


@pytest.mark.slow
def test_six_hours_without_any_room_sensor_in_the_cold():
    simulation = Simulation(rules_only(0.3, seed=2, weather_shift_k=-10.0), keep_log=True)
    simulation.start()
    simulation.run_until(NOON + 1800.0)
    for room in simulation.story.house.rooms:
        simulation.twin.fault(f"rooms/{room.name}", MISSING)
    simulation.run_until(NOON + 1800.0 + 2.5 * HOUR_S)
    blind = Witness()  # the estimate is worth two hours; from here on nobody knows anything
    simulation.run_until(NOON + 1800.0 + 6 * HOUR_S, blind)

    assert min(blind.coldest_c.values()) > 15.0, blind.coldest_c
    assert max(blind.warmest_c.values()) < 26.0, blind.warmest_c
    for relay in simulation.story.house.relays:
        on = sum(relay.name in look.closed for look in blind.looks)
        assert 0.05 <= on / len(blind.looks) <= 0.75, relay.name
    assert any("temperature unknown" in line for line in simulation.lines)


def test_a_house_without_any_outdoor_sensor_is_heated_by_forecast_and_month():
    simulation = Simulation(rules_only(0.5, preset="flat3", seed=2, weather_shift_k=-10.0))
    witness = Witness()
    simulation.start()
    simulation.twin.fault("outdoor", MISSING)
    simulation.run_until(NOON + 10 * HOUR_S, witness)
    for room in simulation.story.house.rooms:
        assert witness.coldest_c[room.name] >= room.comfort.night_c - 1.0


@pytest.mark.parametrize(
    "fault", [MISSING, pytest.param(DeviceFault(FaultKind.SENSOR_STALE), marks=pytest.mark.long)]
)
def test_one_dead_sensor_costs_its_room_little_and_the_others_nothing(fault):
    seen = {}
    for broken in (False, True):
        simulation = Simulation(rules_only(0.5, preset="flat3", seed=3), keep_log=True)
        witness = Witness()
        simulation.start()
        simulation.run_until(NOON + HOUR_S)
        if broken:
            simulation.twin.fault("rooms/living", fault)
        simulation.run_until(NOON + 10 * HOUR_S, witness)
        seen[broken] = witness
    sound, blind = seen[False], seen[True]
    assert blind.coldest_c["living"] >= sound.coldest_c["living"] - 1.5
    assert blind.warmest_c["living"] <= sound.warmest_c["living"] + 1.5
    for name in ("bedroom", "bath"):
        assert blind.coldest_c[name] >= sound.coldest_c[name] - 0.3


def test_what_is_not_known_is_said():
    simulation = Simulation(rules_only(0.2, preset="flat3", seed=3))
    simulation.start()
    simulation.twin.fault("rooms/living", MISSING)
    simulation.run_until(NOON + 3 * HOUR_S)
    said = simulation.mqtt.newest["pems/state/rooms/living"].payload
    assert '"quality":"stale"' in said or '"quality":"missing"' in said
    assert "temperature unknown" in said
