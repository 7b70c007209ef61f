"""What was counted is counted over all lives of the core: energy, writes, starts of the day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pems_actors.domain.events import Request
from pems_actors.durable.memory import Memory
from pems_actors.simulate import Simulation
from tests.scenarios.outages import HOUR
from tests.scenarios.stories import NOON, rules_only


def value(simulation: Simulation, path: str, name: str):
    body = json.loads(simulation.mqtt.newest[f"pems/state/{path}"].payload)
    return body["values"][name]["value"]


def writes(simulation: Simulation) -> dict[str, int]:
    order = Request("s", "infrastructure/metrics", "status", {}, "", NOON)
    return dict(simulation.appliance.system.ask("infrastructure/metrics", order).result["writes"])


def test_three_lives_count_as_one(tmp_path: Path) -> None:
    tale = rules_only(0.5, preset="flat3", seed=3, weather_shift_k=-8.0)
    devices = [*(f"relay/{relay.name}" for relay in tale.house.relays), "battery", "inverter"]
    simulation = Simulation(tale, memory=lambda: Memory.on_disk(tmp_path, devices))
    simulation.start()
    seen = []
    for life in range(3):
        simulation.run_until(NOON + (2 * life + 2) * HOUR)
        bought = value(simulation, "devices/meter", "import_kwh")
        starts = value(simulation, "rooms/living", "starts_today")
        seen.append((bought, writes(simulation)["all_lives"], starts))
        simulation.restart_core()
        simulation.run_until(simulation.runtime.process_s() + 120.0)
        assert writes(simulation)["all_lives"] >= seen[-1][1]
        assert writes(simulation)["this_life"] < 20
    assert seen == sorted(seen)
    true_kwh = simulation.twin.figures()["import_kwh"]
    bought = value(simulation, "devices/meter", "import_kwh")
    assert bought == pytest.approx(true_kwh, rel=0.06)
