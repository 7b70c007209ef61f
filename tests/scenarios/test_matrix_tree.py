"""Rows 1 to 12 of the fault matrix: every actor and every branch of a living house is struck.

On virtual time a replacement takes no time, so that here the detection counts and who is hurt;
how long it takes on threads is measured in `tests/supervision/test_matrix_on_threads.py`.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from pems_actors.domain.events import Request
from pems_actors.house import actor_paths
from supervision import Fault, FaultKind, GetSnapshot
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildParked,
    ChildRestarted,
    MailboxOverflow,
    Quarantined,
)
from tests.scenarios.comfort import extra_k
from tests.scenarios.outages import HOUR, flat, until
from tests.scenarios.stories import NOON, rules_only
from tests.scenarios.strikes import Strikes

BRANCHES = ("safety", "rooms", "devices", "infrastructure", "forecasting")
PATIENT = {"infrastructure/outbox", "forecasting/weather", "forecasting/prices"}  # wait for others
SUPERVISOR_DEADLINE_S = 10.0


def living() -> Strikes:
    simulation, _ = flat(seed=3)
    until(simulation, 20)
    return Strikes(simulation)


def actors(strikes: Strikes) -> list[str]:
    return sorted(actor_paths(strikes.simulation.story.house, planning=False))


@pytest.mark.parametrize(("row", "kind"), [(1, FaultKind.CRASH), (2, FaultKind.CRASH_BASE)])
def test_rows_1_and_2_whoever_crashes_is_replaced_with_its_state_and_nobody_else(row, kind) -> None:
    strikes = living()
    system = strikes.simulation.appliance.system
    for path in actors(strikes):
        kept = system.ask(path, GetSnapshot()).state
        strikes.at(path, Fault(kind), then_s=1.0)
        assert (strikes.detected_s(path), strikes.recovered_s(path)) == (0.0, 0.0)
        assert strikes.replaced() == {path}
        assert type(system.ask(path, GetSnapshot()).state) is type(kept)
    assert system.verdict is None
    assert system.counters()["crashes"] == len(actors(strikes))


def test_row_1_what_waits_behind_a_crash_is_read_by_the_successor() -> None:
    strikes = living()
    system = strikes.simulation.appliance.system
    system.inject("rooms/living", Fault(FaultKind.CRASH, at_message=1))
    for number in range(3):
        order = Request(str(number), "rooms/living", "boost", {"for_s": HOUR}, "", NOON)
        system.tell("rooms/living", order)
    strikes.simulation.run_until(strikes.simulation.runtime.process_s() + 120.0)
    failed = next(event for _, event in strikes.heard if isinstance(event, ChildFailed))
    assert failed.reason.startswith("InjectedCrash")
    assert system.state_of("rooms/living").override is not None


@pytest.mark.parametrize(
    "kind", [FaultKind.CRASH, pytest.param(FaultKind.CRASH_BASE, marks=pytest.mark.long)]
)
def test_rows_1_and_2_a_crash_a_minute_all_over_the_house_costs_no_comfort(kind) -> None:
    tale = rules_only(0.25, preset="flat3", seed=3, weather_shift_k=-8.0)
    paths = sorted(actor_paths(tale.house, planning=False))
    words = [f"{kind.value}@{paths[k % len(paths)]}:{600 + 60 * k}" for k in range(300)]
    assert extra_k(rules_only(
        0.25, preset="flat3", seed=3, weather_shift_k=-8.0, faults=",".join(words)
    )) <= 0.05  # fmt: skip


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.SPIN])
def test_rows_3_and_4_whoever_hangs_is_replaced_at_its_deadline_and_nobody_else(kind) -> None:
    strikes = living()
    for path in actors(strikes):
        if path in PATIENT:
            continue
        vital = path.startswith(("safety/", "rooms/", "devices/"))
        strikes.at(path, Fault(kind, seconds=30.0))
        assert strikes.detected_s(path) <= (2.0 if vital else 5.0)
        assert strikes.recovered_s(path) <= 0.25
        assert strikes.replaced() == {path}
    assert strikes.simulation.appliance.system.verdict is None


def test_row_3_what_a_hung_room_decides_late_reaches_no_device() -> None:
    strikes = living()
    simulation, path = strikes.simulation, "rooms/living"
    simulation.appliance.system.inject(path, Fault(FaultKind.HANG, at_message=1, seconds=40.0))
    written: list[int] = []
    simulation.port.on_command = lambda command, reached: written.append(1)
    strikes.struck_s = simulation.runtime.process_s()
    simulation.run_until(strikes.struck_s + 300.0)
    hung = next(event for _, event in strikes.heard if isinstance(event, ChildHung))
    assert hung.busy_s <= 2.25
    assert simulation.appliance.system.counters()["hangs"] == 1
    assert strikes.epochs[path] == hung.epoch + 1
    assert simulation.appliance.system.counters()["zombies"] == 0


@pytest.mark.parametrize("words", ["hang", "spin"])
def test_rows_3_and_4_hanging_rooms_cost_no_comfort(words) -> None:
    places = ("rooms/living", "rooms/bath", "safety/power_budget", "devices/gateway")
    strikes = [f"{words}@{places[k % 4]}:{900 + 240 * k}" for k in range(60)]
    assert extra_k(rules_only(
        0.25, preset="flat3", seed=3, weather_shift_k=-8.0, faults=",".join(strikes)
    )) <= 0.05  # fmt: skip


def test_row_6_a_slow_actor_is_degraded_at_its_third_message_and_never_restarted() -> None:
    strikes = living()
    simulation = strikes.simulation
    for path in ("devices/meter", "devices/gateway", "safety/guard"):
        strikes.at(path, Fault(FaultKind.SLOW, seconds=0.6, count=5), then_s=0.0)
        seen = []
        for _ in range(8 * 60):
            simulation.run_until(simulation.runtime.process_s() + 1.0)
            seen.append(simulation.appliance.system.status(path).state)
        assert "degraded" in seen, path
        assert seen[-1] == "running", path
        assert strikes.replaced() == set()


def test_row_7_a_poison_is_put_aside_at_its_second_crash() -> None:
    strikes = living()
    for path in ("rooms/living", "devices/battery", "infrastructure/control"):
        strikes.at(path, Fault(FaultKind.POISON, count=3))
        assert strikes.count(ChildFailed, path) == 2
        assert strikes.first(Quarantined, path) - strikes.detected_s(path) <= 0.2
        assert strikes.replaced() == {path}


def test_row_8_a_start_that_fails_is_tried_again_with_pauses_and_the_others_go_on() -> None:
    strikes = living()
    system, path = strikes.simulation.appliance.system, "rooms/living"
    system.inject(path, Fault(FaultKind.CRASH_START, count=4))
    strikes.at(path, Fault(FaultKind.CRASH))
    tries = [at_s for at_s, event in strikes.heard if isinstance(event, ChildFailed)]
    pauses = [b - a for a, b in pairwise(tries)]
    assert tries[0] == 0.0
    assert len(tries) == 5
    assert all(0.1 * 0.8 <= pause <= 30.0 * 1.2 for pause in pauses[1:])
    assert pauses[1:] == sorted(pauses[1:])
    assert strikes.replaced() == {path}
    assert strikes.states[path] in {"running", "fallback"}


def test_row_9_a_crash_loop_ends_in_a_rest_within_the_minute_and_costs_little() -> None:
    strikes = living()
    path = "rooms/living"
    strikes.at(path, Fault(FaultKind.CRASH, at_message=1, count=8))
    assert strikes.first(ChildParked, path) <= 60.0
    assert strikes.states[path] == "fallback"
    assert strikes.replaced() <= {path}


def test_row_9_rooms_in_crash_loops_stay_within_three_tenths_of_a_kelvin() -> None:
    words = ",".join(f"crash-loop@rooms/{room}:{1800 + 600 * k}"
                     for k, room in enumerate(("living", "bath", "bedroom")))  # fmt: skip
    tale = rules_only(0.3, preset="flat3", seed=3, weather_shift_k=-8.0, faults=words)
    assert extra_k(tale) <= 0.3


@pytest.mark.parametrize("branch", BRANCHES)
def test_row_10_a_supervisor_that_dies_is_restarted_with_all_under_it(branch: str) -> None:
    strikes = living()
    under = {path for path in strikes.epochs if path == branch or path.startswith(f"{branch}/")}
    for _ in range(3):
        strikes.at(branch, Fault(FaultKind.CRASH))
        assert strikes.detected_s(branch) <= 1.0
        assert strikes.recovered_s(branch) <= 2.0
        assert strikes.replaced() == under
        assert all(strikes.epochs[path] > strikes.before[path] for path in under)
    assert strikes.simulation.appliance.system.verdict is None


@pytest.mark.parametrize("branch", BRANCHES)
def test_row_10_a_supervisor_that_hangs_is_replaced_too(branch: str) -> None:
    strikes = living()
    strikes.at(branch, Fault(FaultKind.HANG, seconds=60.0))
    assert strikes.detected_s(branch) <= SUPERVISOR_DEADLINE_S
    assert strikes.count(ChildRestarted, branch) == 1


def test_row_10_dying_supervisors_cost_no_comfort() -> None:
    words = ",".join(f"branch-crash@{BRANCHES[1 + k % 4]}:{900 + 300 * k}" for k in range(60))
    tale = rules_only(0.25, preset="flat3", seed=3, weather_shift_k=-8.0, faults=words)
    assert extra_k(tale) <= 0.05


def test_row_11_a_flood_is_bounded_counted_and_stops_no_order_of_safety() -> None:
    strikes = living()
    system = strikes.simulation.appliance.system
    for path in ("rooms/living", "devices/battery", "safety/power_budget"):
        dropped = system.counters()["dropped"]
        strikes.at(path, Fault(FaultKind.FLOOD, count=100_000), then_s=61.0)
        assert strikes.first(MailboxOverflow, path) <= 0.1
        assert system.counters()["dropped"] - dropped > 90_000
        assert strikes.replaced() == set()
        assert system.status(path).mailbox < 50  # it is through again


@pytest.mark.parametrize("seed", [3, 4])
def test_row_12_five_messages_lost_every_hour_cost_a_room_a_fifth_of_a_kelvin(seed: int) -> None:
    words = ",".join(f"drop@rooms/living:{900 + 3600 * k}" for k in range(6))
    tale = rules_only(0.25, preset="flat3", seed=seed, weather_shift_k=-8.0, faults=words)
    assert extra_k(tale) <= 0.2
