"""Row 26 of the fault matrix: clocks that jump, sleep, or start in the wrong year."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pems_actors.appliance import Appliance
from pems_actors.domain.events import Request
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.simulate import Simulation
from pems_actors.simulation.device_faults import FaultKind
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.witness import Witness
from tests.scenarios.outages import HOUR, Outages, believed, break_, flat, need, until
from tests.scenarios.stories import NOON, story

DAY = 24 * HOUR


def plan_of(simulation):
    return simulation.appliance.system.state_of("planning/plan_keeper").adopted


def levels(simulation) -> set[int]:
    return {level for path, level in simulation.levels.items() if path.startswith("rooms/")}


def set_clock(simulation, by_s: float) -> None:
    simulation.runtime.ahead_s += by_s


@pytest.mark.parametrize("by_s", [HOUR, -HOUR])
def test_row_26_an_hours_jump_is_told_in_a_tick_and_no_lease_runs_out(by_s: float) -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 30)
    set_clock(simulation, by_s)
    until(simulation, 32)
    assert outages.within("clock/jump", 30) <= 1
    written = [need(simulation, room).owned.written for room in ("living", "bedroom", "bath")]
    now_s = simulation.runtime.now_s()
    assert all(0.0 < each.until_s - now_s <= 1200.0 for each in written)
    leases = simulation.twin.relays.to_plain()["lease_until_s"]
    true_s = simulation.runtime.process_s()
    assert all(0.0 < lease_s - true_s <= 1200.0 for lease_s in leases)


@pytest.mark.parametrize("by_s", [HOUR, -HOUR, 10 * 365 * DAY])
def test_row_26_no_dwell_is_cut_short_or_stretched_by_a_jump(by_s: float) -> None:
    simulation, _ = flat(seed=3, weather_shift_k=-10.0)
    until(simulation, 60)
    before = {room: need(simulation, room).relay for room in ("living", "bedroom", "bath")}
    ages = {room: simulation.runtime.now_s() - relay.since_s for room, relay in before.items()}
    set_clock(simulation, by_s)
    until(simulation, 61)
    for room, relay in before.items():
        after = need(simulation, room).relay
        if after.on is relay.on and after.since_s != float("-inf"):
            age_s = simulation.runtime.now_s() - after.since_s
            assert age_s == pytest.approx(ages[room] + 60.0, abs=61.0)


def test_row_26_an_hour_ahead_has_everything_planned_anew_at_once() -> None:
    simulation, _ = flat(seed=3, plan=True)
    until(simulation, 20)
    before = plan_of(simulation)
    set_clock(simulation, HOUR)
    until(simulation, 23)
    assert plan_of(simulation).plan.issued_at_s > before.plan.issued_at_s + HOUR
    assert levels(simulation) == {Level.PLAN}


def test_row_26_an_hour_back_means_rules_and_self_use_until_the_clock_is_sane() -> None:
    simulation, outages = flat(seed=3, plan=True)
    until(simulation, 20)
    set_clock(simulation, -HOUR)
    until(simulation, 22)
    assert "clock/untrusted" in outages.opened
    assert levels(simulation) == {Level.RULES}
    battery = simulation.appliance.system.state_of("devices/battery").choice
    assert (battery.mode, battery.level) == (BatteryMode.SELF_USE, Level.RULES)
    assert "not trusted" in simulation.appliance.system.status("planning/planner").reason
    until(simulation, 20 + 62)
    assert "clock/untrusted" in outages.closed
    until(simulation, 20 + 62 + 35)
    assert levels(simulation) == {Level.PLAN}
    assert plan_of(simulation).plan.issued_at_s <= simulation.runtime.now_s()


def test_row_26_a_leap_of_years_and_back_ends_in_a_plan_of_this_year() -> None:
    simulation, outages = flat(seed=3, plan=True)
    until(simulation, 20)
    set_clock(simulation, 7 * 365 * DAY)
    until(simulation, 25)
    assert "leapt ahead" in outages.reasons["clock/untrusted"]
    assert levels(simulation) == {Level.RULES}
    set_clock(simulation, -7 * 365 * DAY)
    until(simulation, 60)
    assert "clock/untrusted" in outages.closed
    assert plan_of(simulation).plan.issued_at_s == pytest.approx(
        simulation.runtime.now_s(), abs=1000.0
    )
    assert levels(simulation) == {Level.PLAN}


@pytest.mark.parametrize("by_s", [HOUR, -HOUR])
def test_row_26_a_sensor_that_was_doubted_is_doubted_on_after_a_jump(by_s: float) -> None:
    simulation, _ = flat(seed=3)
    until(simulation, 60)
    break_(simulation, "rooms/living", FaultKind.SENSOR_JUMP, 6.0)
    until(simulation, 200)
    assert believed(simulation, "living")["quality"] == "stale"
    said_s = need(simulation, "living").sensor.heard_s
    set_clock(simulation, by_s)
    until(simulation, 205)
    assert need(simulation, "living").sensor.heard_s == pytest.approx(said_s + by_s, abs=1.0)


def test_row_26_a_few_seconds_are_an_event_and_change_nothing() -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 30)
    set_clock(simulation, 5.0)
    until(simulation, 32)
    assert "clock/jump" in outages.opened
    assert "clock/untrusted" not in outages.opened


def born_late(floor_s: float) -> tuple[Simulation, Outages]:
    """An appliance whose clock cannot be before an instant, as on a real wall."""
    simulation = Simulation(story(1.0, preset="flat3", seed=3), keep_log=True)
    outages = Outages(simulation)
    old: Appliance = simulation.appliance
    simulation.appliance = Appliance(
        old.house,
        simulation.story.tariff,
        replace(old.surroundings, clock_floor_s=floor_s),
        old.pace,
        simulation.runtime,
        log=simulation._log,
        watch=simulation._watch,
        drills=True,
    )
    simulation.start()
    return simulation, outages


def test_row_26_a_clock_from_before_it_can_be_plans_nothing_and_keeps_the_rooms_warm() -> None:
    simulation, outages = born_late(NOON + 10 * DAY)
    until(simulation, 60)
    assert "which cannot be" in outages.reasons["clock/untrusted"]
    assert plan_of(simulation) is None
    assert levels(simulation) == {Level.RULES}
    set_clock(simulation, 11 * DAY)
    until(simulation, 80)
    assert "clock/untrusted" in outages.closed
    assert plan_of(simulation) is not None


def test_a_wish_of_a_person_needs_no_trusted_clock() -> None:
    simulation, _ = flat(seed=3)
    until(simulation, 20)
    set_clock(simulation, -HOUR)
    until(simulation, 22)
    args = {"mode": "hold", "for_s": HOUR}
    simulation.appliance.system.tell(
        "devices/battery",
        Request("b", "devices/battery", "mode", args, "", simulation.runtime.now_s()),
    )
    until(simulation, 24)
    assert simulation.twin.inverter.mode is BatteryMode.HOLD


def test_row_26_a_block_goes_on_where_neither_the_contact_nor_the_clock_can_tell() -> None:
    faults = "clock-back@clock:1069.4/2773.7,house-silent@house:1399.3/885.6"
    witness = Witness(plot_of(Tale(66129, faults)))
    witness.tell()
    assert not witness.violations
