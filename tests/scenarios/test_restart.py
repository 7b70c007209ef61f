"""The core dies and comes back on the same house: what it must know outlives it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from pems_actors.actors.control import SocketRequest
from pems_actors.control.comfort import band_c
from pems_actors.durable.memory import Memory
from pems_actors.simulate import Simulation
from supervision import SnapshotStore
from tests.scenarios.stories import NOON, rules_only, story

MINUTE, HOUR = 60.0, 3600.0
LONG = {"for": "4h"}


def disk(state: Path, tale) -> Callable[[], Memory]:
    """Open the memory of one state directory, as every life of the core does."""
    devices = [f"relay/{relay.name}" for relay in tale.house.relays]
    return lambda: Memory.on_disk(state, [*devices, "battery", "inverter"])


def told(tale, state: Path, until_s: float) -> Simulation:
    simulation = Simulation(tale, keep_log=True, memory=disk(state, tale))
    simulation.start()
    simulation.run_until(until_s)
    return simulation


def orders(simulation: Simulation, path: str, verb: str, **args) -> str:
    """Give an order at the local socket, as a person does; its outcome."""
    answers: list[dict] = []
    body = {"id": f"{path} {verb}", "path": path, "verb": verb, "args": args}
    request = SocketRequest(body, lambda answer: bool(answers.append(dict(answer))) or True)
    simulation.appliance.system.tell("infrastructure/control", request)
    simulation.run_until(simulation.runtime.process_s() + MINUTE)
    return answers[-1]["outcome"]


def state_of(simulation: Simulation, path: str):
    return simulation.appliance.system.state_of(path)


def switches(simulation: Simulation) -> dict[str, list[tuple[float, bool]]]:
    """When each relay was ordered to change, over all lives of the core."""
    found: dict[str, list[tuple[float, bool]]] = {}
    for line in simulation.lines:
        if " write " in line and " relay/" in line:
            at, relay, _, order, *_ = line.split()
            changes = found.setdefault(relay, [])
            if not changes or changes[-1][1] != (order == "True"):
                changes.append((float(at), order == "True"))
    return found


def test_killed_again_and_again_it_keeps_every_dwell_and_all_starts_apart(tmp_path):
    tale = rules_only(0.5, seed=4, preset="flat3", weather_shift_k=-12.0)
    simulation = told(tale, tmp_path, NOON + 60 * MINUTE)
    for k in range(10):
        simulation.restart_core(away_s=1.0 + k)
        simulation.run_until(NOON + (60 + 9 * (k + 1)) * MINUTE)
    relays = {f"relay/{relay.name}": relay for relay in tale.house.relays}
    starts, switched = [], 0
    for name, changes in switches(simulation).items():
        for (a_s, was_on), (b_s, _) in pairwise(changes):
            least_s = relays[name].min_on_s if was_on else relays[name].min_off_s
            if a_s > NOON + MINUTE:  # the first look adopts what the house did by itself
                assert b_s - a_s >= least_s, f"{name} at {b_s - NOON:.0f} s"
                switched += 1
        starts += [at_s for at_s, on in changes if on]
    assert switched >= 4
    gaps = [b - a for a, b in pairwise(sorted(starts))]
    assert min(gaps) >= tale.house.limits.start_gap_s
    assert not [line for line in simulation.lines if "by a person" in line]


def test_what_people_said_survives_and_ends_in_its_time(tmp_path):
    simulation = told(rules_only(0.5, preset="flat3"), tmp_path, NOON + 5 * MINUTE)
    assert orders(simulation, "rooms/bath", "override", temp_c=25.0, **{"for": "1h"}) == "done"
    assert orders(simulation, "house", "mode", mode="emergency") == "done"
    said_s = simulation.runtime.now_s()
    simulation.restart_core()
    simulation.run_until(said_s + 30 * MINUTE)
    assert state_of(simulation, "rooms/bath").override.temp_c == 25.0
    assert state_of(simulation, "rooms/bath").mode == "emergency"
    assert state_of(simulation, "infrastructure/control").mode.mode == "emergency"
    assert state_of(simulation, "devices/battery").mode == "emergency"
    simulation.restart_core()
    simulation.run_until(said_s + HOUR + MINUTE)
    assert state_of(simulation, "rooms/bath").override is None
    assert state_of(simulation, "infrastructure/control").mode.mode == "emergency"


def test_a_plan_in_force_is_followed_from_the_first_tick_on(tmp_path):
    simulation = told(story(0.2, preset="flat3", seed=3), tmp_path, NOON + 20 * MINUTE)
    adopted = state_of(simulation, "planning/plan_keeper").adopted
    assert adopted is not None
    simulation.restart_core(away_s=30.0)
    assert state_of(simulation, "planning/plan_keeper").adopted == adopted
    simulation.runtime.run_for(1.0)
    assert set(simulation.levels.values()) == {0}
    assert simulation.twin.inverter.mode is state_of(simulation, "devices/battery").choice.mode
    simulation.run_until(NOON + 40 * MINUTE)
    newer = state_of(simulation, "planning/plan_keeper").adopted
    assert newer.plan.issued_at_s > adopted.plan.issued_at_s


def test_a_plan_that_ended_meanwhile_is_followed_as_a_path(tmp_path):
    simulation = told(story(0.2, preset="flat3", seed=3), tmp_path, NOON + 20 * MINUTE)
    valid_until_s = state_of(simulation, "planning/plan_keeper").adopted.plan.valid_until_s
    simulation.restart_core(away_s=valid_until_s - simulation.runtime.now_s() + MINUTE)
    simulation.runtime.run_for(1.0)
    assert 2 in simulation.levels.values()


def test_an_untouched_house_is_left_alone_after_a_restart(tmp_path):
    simulation = told(rules_only(0.1, seed=4), tmp_path, NOON + 20 * MINUTE + 30.0)
    for relay in simulation.twin.relays.names:  # all leases were renewed a moment ago
        state_of(simulation, f"rooms/{relay}")
    before = len(simulation.lines)
    commands = simulation.twin.relays.commands
    simulation.restart_core(away_s=2.0)
    simulation.runtime.run_for(1.0)
    assert simulation.twin.relays.commands - commands <= 2  # those whose renewal was due
    found = [line for line in simulation.lines[before:] if " write " in line]
    assert not [line for line in found if "relay/" in line and "True" in line.split()[3]]


def test_the_same_seed_dies_and_lives_alike(tmp_path):
    logs = []
    for life in ("one", "two"):
        tale = rules_only(0.1, preset="flat3", seed=9, weather_shift_k=-8.0)
        simulation = told(tale, tmp_path / life, NOON + 30 * MINUTE)
        simulation.restart_core()
        simulation.run_until(NOON + HOUR)
        logs.append(simulation.lines)
    assert logs[0] == logs[1]


# --- files that cannot be trusted


def problems(simulation: Simulation) -> list[dict]:
    """What was recorded about the remembered state."""
    rows = simulation.store.records("state_problem", 0.0, 4e9)
    return [json.loads(body) for _, body in rows]


@pytest.mark.parametrize("how", ["torn", "flipped", "newer"])
def test_a_file_that_cannot_be_trusted_costs_a_generation_and_is_told_once(tmp_path, how):
    simulation = told(rules_only(0.2, preset="flat3"), tmp_path, NOON + 5 * MINUTE)
    orders(simulation, "rooms/bath", "override", temp_c=25.0, **LONG)
    orders(simulation, "rooms/bath", "override", temp_c=24.0, **LONG)
    file = tmp_path / "snapshots" / "rooms.bath.json"
    match how:
        case "torn":
            file.write_bytes(file.read_bytes()[:50])
        case "flipped":
            file.write_bytes(file.read_bytes().replace(b"24.0", b"34.0"))
        case "newer":
            SnapshotStore(tmp_path / "snapshots", 2).save("rooms/bath", {}, NOON)
    before = len(simulation.lines)
    simulation.restart_core()
    simulation.run_until(NOON + 30 * MINUTE)
    assert state_of(simulation, "rooms/bath").override.temp_c in {24.0, 25.0}
    [problem] = problems(simulation)
    assert problem["name"] == "rooms/bath"
    assert "the generation before stands" in problem["reason"]
    opened = [line for line in simulation.lines[before:] if "state/rooms/bath Incident" in line]
    assert [line.split()[2] for line in opened] == ["IncidentOpened", "IncidentClosed"]


def test_with_nothing_but_rubbish_on_disk_the_house_is_warm_all_the_same(tmp_path):
    simulation = told(rules_only(0.2, preset="flat3"), tmp_path, NOON + 10 * MINUTE)
    for file in (tmp_path / "snapshots").iterdir():
        file.write_bytes(b"\0" * 64)
    (tmp_path / "orders.journal").write_bytes(b"")
    simulation.restart_core()
    simulation.run_until(NOON + HOUR)
    names = {problem["name"] for problem in problems(simulation)}
    assert {"rooms/bath", "devices/battery"} <= names
    assert simulation.appliance.system.counters()["crashes"] == 0
    for room in simulation.story.house.rooms:
        low_c, _ = band_c(room.comfort, simulation.twin.at_s, "Europe/Prague")
        assert simulation.twin.true_state()[room.name].air_c > low_c - 0.5


def test_on_a_full_disk_control_goes_on_and_it_is_told_once(tmp_path):
    tale = rules_only(0.2, preset="flat3")
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for path in ("rooms.living", "rooms.bedroom", "rooms.bath", "devices.battery"):
        (folder / f"{path}.tmp").symlink_to("/dev/full")
    simulation = told(tale, tmp_path, NOON + HOUR)
    rooms = [p for p in problems(simulation) if p["name"] == "snapshots"]
    assert len(rooms) == 1
    assert "No space left on device" in rooms[0]["reason"]
    assert simulation.twin.relays.commands > 10
    for link in folder.glob("*.tmp"):
        link.unlink()
    simulation.run_until(NOON + HOUR + 5 * MINUTE)
    assert [p["phase"] for p in problems(simulation)] == ["begins", "over"]


def test_a_clock_that_was_set_back_leaves_wishes_the_time_they_had(tmp_path):
    simulation = told(rules_only(0.2, preset="flat3"), tmp_path, NOON + 5 * MINUTE)
    orders(simulation, "rooms/bath", "override", temp_c=25.0, **{"for": "1h"})
    simulation.runtime.ahead_s = -3 * HOUR
    simulation.restart_core()
    simulation.runtime.run_for(1.0)
    left_s = state_of(simulation, "rooms/bath").override.until_s - simulation.runtime.now_s()
    assert HOUR - 2 * MINUTE <= left_s <= HOUR
    assert any("from the future" in problem["reason"] for problem in problems(simulation))
