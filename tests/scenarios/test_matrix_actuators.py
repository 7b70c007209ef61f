"""Rows 29 to 32 of the fault matrix: relays that stick, an inverter that is silent or ignores."""

from __future__ import annotations

from pems_actors.domain.events import Request
from pems_actors.domain.house import BatteryMode
from pems_actors.simulation.device_faults import FaultKind
from pems_actors.simulation.troubles import Trouble
from tests.scenarios.outages import HOUR, break_, flat, need, order_battery, until
from tests.scenarios.stories import NOON
from tests.scenarios.witness import Witness

PATH = "relay/living"


def contact(simulation, relay: str) -> bool:
    relays = simulation.twin.relays
    return relays.closed[relays.names.index(relay)]


def until_heats(simulation, *, on: bool) -> float:
    """Go on until the living room's relay has been ordered so for some minutes."""
    for minute in range(24 * 60):
        until(simulation, minute)
        memory = need(simulation, "living").relay
        if memory is None or memory.on is not on:
            continue
        if simulation.runtime.now_s() - memory.since_s >= 240.0:
            return minute
    raise AssertionError("the relay never came to be so")


def outlook(simulation):
    return simulation.appliance.system.state_of("planning/planner").outlook


def budget(simulation):
    return simulation.appliance.system.state_of("safety/power_budget").relays


def test_row_29_a_relay_that_welds_under_load_is_found_in_a_quarter_of_an_hour() -> None:
    simulation, outages = flat(seed=3)
    until_heats(simulation, on=True)
    break_(simulation, PATH, FaultKind.RELAY_STUCK_ON)
    minute = until_heats(simulation, on=False) - 4
    until(simulation, minute + 15)
    assert outages.within("relay/living/stuck-on", minute) <= 15
    assert budget(simulation).welded == {"living"}


def test_row_29_the_ceiling_holds_for_every_other_room_and_the_alarm_stands() -> None:
    simulation, outages = flat(seed=3)
    until_heats(simulation, on=True)
    break_(simulation, PATH, FaultKind.RELAY_STUCK_ON)
    witness = Witness()
    until(simulation, outages.minute + 5 * 60, witness)
    assert witness.warmest_c["bedroom"] < 25.0
    assert "relay/living/stuck-on" not in outages.closed


def test_row_30_a_relay_that_does_not_close_leaves_plan_and_budget_within_the_hour() -> None:
    simulation, outages = flat(seed=3, plan=True, start_s=NOON + 6 * HOUR)
    began = until_heats(simulation, on=False)
    break_(simulation, PATH, FaultKind.RELAY_STUCK_OFF)
    wish = Request("1", "rooms/living", "override", {"temp_c": 24.0}, "", NOON)
    simulation.appliance.system.tell("rooms/living", wish)
    until(simulation, began + 60)
    assert outages.within("relay/living/stuck-off", began) <= 30
    assert budget(simulation).dead == {"living"}
    assert outlook(simulation).dead == {"living"}
    adopted = simulation.appliance.system.state_of("planning/plan_keeper").adopted.plan
    found_s = simulation.story.start_s + 60.0 * outages.opened["relay/living/stuck-off"]
    assert adopted.issued_at_s > found_s
    assert not any(slot.heat_kw.get("living") for slot in adopted.slots)
    simulation.twin.fault(PATH, None)
    until(simulation, began + 150)  # after the evening's block
    assert outlook(simulation).dead == frozenset()
    assert "relay/living/stuck-off" in outages.closed


def test_row_30_a_tariff_block_is_no_stuck_relay() -> None:
    simulation, outages = flat(seed=3, weather_shift_k=-15.0)
    blocked = simulation.story.tariff.blocked
    assert any(blocked(NOON + 60.0 * k) for k in range(7 * 60))
    until(simulation, 7 * 60)
    assert not [path for path in outages.opened if path.startswith("relay/")]


def test_rows_29_and_30_an_inspector_that_loses_messages_accuses_no_relay() -> None:
    lost = ",".join(f"drop@devices/inspector:{1200 + 400 * k}" for k in range(40))
    simulation, outages = flat(seed=3, weather_shift_k=-8.0, faults=lost)
    until(simulation, 5 * 60)
    assert not [path for path in outages.opened if path.startswith("relay/")]


def test_row_31_a_silent_inverter_is_left_alone_and_told_anew_at_its_return() -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 10)
    order_battery(simulation, BatteryMode.HOLD)
    until(simulation, 20)
    simulation.troubles.begin(Trouble.INVERTER_SILENT, "inverter")
    until(simulation, 45)
    assert outages.within("inverter/silent", 20) <= 5
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE  # its lease ran out
    simulation.troubles.end(Trouble.INVERTER_SILENT, "inverter")
    until(simulation, 48)
    assert simulation.twin.inverter.mode is BatteryMode.HOLD
    assert simulation.appliance.system.verdict is None


def test_row_32_an_inverter_that_ignores_is_found_in_three_cycles_and_planned_around() -> None:
    simulation, outages = flat(seed=3, plan=True)
    until(simulation, 20)
    break_(simulation, "inverter", FaultKind.INVERTER_IGNORES)
    order_battery(simulation, BatteryMode.HOLD)
    until(simulation, 27)
    assert outages.within("battery/ignores", 20) <= 5
    assert not outlook(simulation).battery_obeys
    state = simulation.appliance.system.state_of("devices/battery")
    assert not state.path.obeys
    until(simulation, 35)
    plan = simulation.appliance.system.state_of("planning/plan_keeper").adopted.plan
    assert {slot.battery_mode for slot in plan.slots} == {BatteryMode.SELF_USE}


def test_row_32_an_inverter_that_obeys_again_is_planned_with_again() -> None:
    simulation, outages = flat(seed=3, plan=True)
    until(simulation, 20)
    break_(simulation, "inverter", FaultKind.INVERTER_IGNORES)
    order_battery(simulation, BatteryMode.HOLD)
    until(simulation, 27)
    simulation.twin.fault("inverter", None)
    until(simulation, 36)
    assert "battery/ignores" in outages.closed
    assert outlook(simulation).battery_obeys


def test_a_lost_meter_reserves_the_base_load_and_charges_nothing_from_the_grid() -> None:
    simulation, outages = flat(seed=3, preset="house17")
    until(simulation, 10)
    order_battery(simulation, BatteryMode.CHARGE_GRID)
    until(simulation, 20)
    assert simulation.twin.inverter.mode is BatteryMode.CHARGE_GRID
    break_(simulation, "meter", FaultKind.METER_LOST)
    until(simulation, 26)
    assert outages.within("meter/silent", 20) <= 5
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE
    limits, headroom = simulation.story.house.limits, budget(simulation).headroom(NOON + 26 * 60)
    assert headroom.import_kw <= limits.import_kw - limits.base_load_p95_kw
