"""Parts of the appliance break, one for good or many in a day; the house goes on."""

import re
from itertools import pairwise

import pytest

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import HOUR_S
from pems_actors.simulate import Simulation, strikes_of
from supervision import Fault, FaultKind
from supervision.events import (
    ChildFailed,
    ChildParked,
    ChildUnparked,
    IncidentClosed,
    IncidentOpened,
)
from tests.scenarios.stories import NOON, replace, rules_only, told
from tests.scenarios.witness import Witness, commands

LOOPER = "rooms/bedroom"
STARTS_TO_FAIL = 8


def epochs(simulation: Simulation) -> dict[str, int]:
    return {status.path: status.epoch for status in simulation.appliance.system.tree()}


def test_a_child_in_a_crash_loop_rests_and_nobody_else_notices():
    simulation = Simulation(rules_only(0.25, preset="flat3", seed=1), keep_log=True)
    events = []
    simulation.listen = lambda event: events.append(event) if event.path == LOOPER else None
    system, witness = simulation.appliance.system, Witness()
    simulation.start()
    simulation.run_until(NOON + 1800.0, witness)
    before = epochs(simulation)
    system.inject(LOOPER, Fault(FaultKind.CRASH_START, count=STARTS_TO_FAIL))
    system.inject(LOOPER, Fault(FaultKind.CRASH))
    simulation.run_until(NOON + 2400.0, witness)

    assert system.status(LOOPER).state == "fallback"
    kinds = [type(event) for event in events]
    assert kinds.count(ChildParked) == kinds.count(IncidentOpened) == 1
    assert IncidentClosed not in kinds

    simulation.run_until(NOON + 2 * HOUR_S, witness)
    failed_s = [event.at_s for event in events if isinstance(event, ChildFailed)]
    tries = [b - a for a, b in pairwise(failed_s) if b - a > 60.0]
    assert tries == pytest.approx([300.0] * len(tries), abs=1.0)
    assert len(failed_s) == 1 + STARTS_TO_FAIL
    kinds = [type(event) for event in events]
    assert kinds.count(ChildUnparked) == kinds.count(IncidentClosed) == 1
    assert kinds.count(ChildParked) == kinds.count(IncidentOpened) == 1
    assert system.status(LOOPER).epoch > 1

    after = epochs(simulation)
    assert {path for path in after if after[path] != before[path]} == {LOOPER}
    assert min(witness.coldest_c.values()) > 17.0


def test_while_a_room_rests_its_relay_is_its_own_master():
    simulation = Simulation(rules_only(0.25, preset="flat3", seed=1), keep_log=True)
    simulation.start()
    simulation.run_until(NOON + 1800.0)
    simulation.appliance.system.inject(LOOPER, Fault(FaultKind.CRASH_START, count=10_000))
    simulation.appliance.system.inject(LOOPER, Fault(FaultKind.CRASH))
    simulation.run_until(NOON + 1800.0 + 1500.0)
    last = [line for line in commands(simulation.lines) if "relay/bedroom" in line][-1]
    assert float(last.split()[0]) < NOON + 1860.0
    witness = Witness()
    simulation.run_until(NOON + 6 * HOUR_S, witness)
    assert witness.coldest_c["bedroom"] > 18.0
    assert any("bedroom" in look.closed for look in witness.looks)


@pytest.fixture(scope="module")
def hard_day() -> tuple[Simulation, Witness]:
    """A winter day in which something breaks every half hour, and two hours to get well again."""
    day = rules_only(1.0, seed=3, faults="heavy")
    broken = ",".join(map(str, strikes_of(day)))
    simulation = Simulation(replace(day, days=1.0 + 2.0 / 24.0, faults=broken), keep_log=True)
    witness = Witness()
    simulation.run(witness)
    return simulation, witness


in_the_hard_day = pytest.mark.xdist_group("hard day")


@pytest.mark.slow
@in_the_hard_day
def test_the_day_was_hard(hard_day):
    simulation, _ = hard_day
    counters = simulation.counters()
    assert counters["restarts"] > 20
    assert counters["crashes"] > 10
    assert counters["escalations"] == 0


@pytest.mark.slow
@in_the_hard_day
def test_every_room_stays_warm_on_a_hard_day(hard_day):
    _, witness = hard_day
    assert min(witness.coldest_c.values()) >= 17.0, witness.coldest_c
    assert max(witness.warmest_c.values()) <= 27.0, witness.warmest_c


@pytest.mark.slow
@in_the_hard_day
def test_every_incident_of_a_hard_day_has_an_end(hard_day):
    simulation, _ = hard_day
    opened = {line.split("id=")[1].split()[0] for line in simulation.lines
              if " IncidentOpened " in line}  # fmt: skip
    closed = [line.split("id=")[1].split()[0] for line in simulation.lines
              if " IncidentClosed " in line]  # fmt: skip
    assert opened
    assert sorted(closed) == sorted(opened)


@pytest.mark.slow
@in_the_hard_day
def test_nothing_that_one_machine_alone_knows_is_in_the_log(hard_day):
    simulation, _ = hard_day
    odd = re.compile(r"0x[0-9a-f]{6,}|Traceback|/home/|/tmp/|\.py\b|pid=")
    assert not [line for line in simulation.lines if odd.search(line)]
    assert all(re.match(r"\d+\.\d{3} \S+ \S+", line) for line in simulation.lines)


@pytest.mark.slow
@in_the_hard_day
def test_after_the_stop_no_device_stays_in_a_forced_mode(hard_day):
    simulation, _ = hard_day
    twin = simulation.twin
    for device in list(twin.faults):
        twin.fault(device, None)
    twin.step_to(twin.at_s + 1800.0)
    assert twin.inverter.mode is BatteryMode.SELF_USE
    assert twin.relays.to_plain()["lease_until_s"]
    assert all(until_s <= twin.at_s for until_s in twin.relays.to_plain()["lease_until_s"])


def test_a_battery_told_to_charge_is_free_half_an_hour_after_the_stop():
    simulation = Simulation(rules_only(0.05, seed=1))
    simulation.start()
    simulation.mqtt.say(
        "pems/control/devices/battery",
        b'{"id": "1", "verb": "mode", "args": {"mode": "charge_grid", "for": "3h"}}',
    )
    simulation.run_until(NOON + 600.0)
    assert simulation.twin.inverter.mode is BatteryMode.CHARGE_GRID
    simulation.appliance.stop()
    simulation.twin.step_to(simulation.twin.at_s + 1800.0)
    assert simulation.twin.inverter.mode is BatteryMode.SELF_USE


def test_a_story_with_crashes_is_told_alike_to_the_last_letter():
    tale = rules_only(0.2, preset="flat3", seed=7, faults="heavy")
    assert told(tale).lines == told(tale).lines
