"""The host is dead for good: what each device does by itself, by what is declared of it.

The core dies where it stands and nobody comes after it. Leases run out; then a thermostat holds
its room, `off` leaves it to cool, `keep` goes on with the last order, and the battery serves the
house. What a device never forgets is what the guardian's last command clears; that is in
`tests/gateways/test_safe_state.py`.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from pems_actors.domain.events import Request
from pems_actors.domain.house import BatteryMode, Native
from pems_actors.simulate import Simulation
from tests.scenarios.outages import HOUR
from tests.scenarios.stories import NOON, replace, rules_only
from tests.scenarios.witness import Look, Witness

MINUTE = 60.0
DIES_S = NOON + 2 * HOUR
LEASES_OVER_S = DIES_S + 21 * MINUTE
DAY_S = 24 * HOUR


def house_that_dies(
    native: Native, mode: BatteryMode | None = None, **more: object
) -> tuple[Simulation, Witness]:
    """A cold flat whose core died at two o'clock; seen from the end of all leases on."""
    tale = rules_only(2.0, **{"preset": "flat3", "seed": 4, "weather_shift_k": -8.0, **more})
    relays = tuple(replace(relay, native=native) for relay in tale.house.relays)
    tale = replace(tale, house=replace(tale.house, relays=relays))
    simulation, witness = Simulation(tale, keep_log=True), Witness()
    simulation.start()
    simulation.run_until(DIES_S - 10 * MINUTE)
    if mode is not None:
        order = Request("b", "devices/battery", "mode", {"mode": mode.value, "for_s": DAY_S}, "", 0)
        simulation.appliance.system.tell("devices/battery", order)
    simulation.run_until(DIES_S)
    simulation._die()
    return simulation, witness


def left_for(simulation: Simulation, witness: Witness, hours: float) -> None:
    """Let the house live on without anybody."""
    until_s = simulation.twin.at_s + hours * HOUR
    while simulation.twin.at_s < until_s:
        simulation.twin.step_to(simulation.twin.at_s + MINUTE)
        if simulation.twin.at_s > LEASES_OVER_S:
            witness(simulation)


def looks(witness: Witness, *, blocked: bool) -> list[Look]:
    """Looks well inside of blocked or free hours: contacts move at the next minute."""
    return [b for a, b in pairwise(witness.looks) if a.blocked is b.blocked is blocked]


def contacts(simulation: Simulation) -> dict[str, bool]:
    relays = simulation.twin.relays
    return dict(zip(relays.names, relays.closed, strict=True))


@pytest.mark.parametrize("native", list(Native))
def test_until_its_lease_has_ended_every_relay_does_what_was_ordered(native: Native) -> None:
    simulation, witness = house_that_dies(native)
    before, blocked = contacts(simulation), simulation.story.tariff.blocked
    left_for(simulation, witness, 4.0 / 60.0)
    assert not blocked(simulation.twin.at_s)
    assert contacts(simulation) == before


def test_native_thermostat_every_room_is_held_at_its_own_set_point() -> None:
    simulation, witness = house_that_dies(Native.THERMOSTAT)
    left_for(simulation, witness, 24.0)
    for room in simulation.story.house.rooms:
        low_c = min(room.comfort.day_c, room.comfort.night_c)
        assert witness.coldest_c[room.name] > low_c - 1.5, room.name
        assert witness.warmest_c[room.name] < simulation.story.house.limits.ceiling_c
    assert any(look.closed for look in witness.looks)


def test_native_off_nothing_heats_and_the_rooms_cool_slowly() -> None:
    simulation, witness = house_that_dies(Native.OFF)
    left_for(simulation, witness, 12.0)
    assert not any(look.closed for look in witness.looks)
    frost_c = simulation.story.house.limits.frost_c
    for room in simulation.story.house.rooms:
        air_c = simulation.twin.true_state()[room.name].air_c
        assert frost_c < air_c < room.comfort.day_c  # half a day is bridged without frost


def test_native_keep_the_last_order_stands_until_somebody_comes() -> None:
    simulation, witness = house_that_dies(Native.KEEP)
    before = contacts(simulation)
    left_for(simulation, witness, 12.0)
    heated = {name for look in witness.looks for name in look.closed}
    assert heated == {name for name, on in before.items() if on}
    free = looks(witness, blocked=False)
    assert free
    assert all(look.closed == heated for look in free)


@pytest.mark.parametrize("mode", [BatteryMode.HOLD, BatteryMode.CHARGE_GRID, BatteryMode.SELL])
def test_a_forced_battery_mode_is_over_with_its_lease(mode: BatteryMode) -> None:
    mild = {"preset": "house17", "weather_shift_k": 8.0}  # there is power left to charge with
    simulation, witness = house_that_dies(Native.OFF, mode, **mild)
    assert simulation.twin.inverter.mode is mode
    left_for(simulation, witness, 0.5)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE


def test_the_tariff_contact_blocks_also_what_nobody_commands() -> None:
    simulation, witness = house_that_dies(Native.THERMOSTAT)
    left_for(simulation, witness, 24.0)
    blocked = looks(witness, blocked=True)
    assert blocked
    assert not any(look.closed for look in blocked)
