"""Whole simulated days of 92, 96 and 100 quarter hours, in a flat of three rooms."""

from __future__ import annotations

import json
import random

import pytest

from pems_actors.control.comfort import band_c
from pems_actors.domain.levels import Level
from pems_actors.domain.units import seconds
from pems_actors.simulate import Simulation
from tests.scenarios.outages import Outages, flat, until
from tests.scenarios.stories import replace, story
from tests.scenarios.witness import by_relay, gaps, switches

SPRING = seconds("2023-03-26T00:00:00+01:00")
AUTUMN = seconds("2023-10-29T00:00:00+02:00")


@pytest.mark.parametrize(("start_s", "quarters"), [(SPRING, 92), (AUTUMN, 100)])
def test_a_day_of_another_length_is_lived_through_whole(start_s: float, quarters: int) -> None:
    simulation, outages = flat(2.0, seed=3, start_s=start_s, weather_shift_k=-8.0)
    house, cold, blocked = simulation.story.house, [], 0

    def look(told) -> None:
        nonlocal blocked
        blocked += told.story.tariff.blocked(told.twin.at_s)
        for room in house.rooms:
            low_c, _ = band_c(room.comfort, told.twin.at_s, house.site.timezone)
            cold.append(low_c - told.twin.true_state()[room.name].air_c)

    until(simulation, 15 * quarters, look)
    assert max(cold) <= 0.5
    assert outages.opened == {}
    assert simulation.appliance.system.counters().get("restarts", 0) == 0
    for relay, turns in by_relay(switches(simulation.lines)).items():
        least_s = next(r.min_on_s for r in house.relays if r.name == relay)
        early = [gap for gap, turn in zip(gaps(t.at_s for t in turns), turns[1:], strict=True)
                 if gap < least_s and turn.rule != "tariff"]  # fmt: skip
        assert early == []
    simulation.appliance.stop()


NOBODY_TO_SEND_TO = "infrastructure/outbox"  # a story has no database
PLAIN = seconds("2023-01-16T00:00:00+01:00")
LONGER = [  # other tests live such days too
    pytest.param(start_s, quarters, seed, marks=pytest.mark.long)
    for start_s, quarters, seed in ((PLAIN, 96, 1), (SPRING, 92, 2))
]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("start_s", "quarters", "seed"), [*LONGER, (AUTUMN, 100, 3)])
def test_on_a_day_of_any_length_every_actor_does_its_work_and_none_fails(
    start_s: float, quarters: int, seed: int
) -> None:
    """From the middle of some quarter on, with a plan each hour: nobody's day has a seam."""
    pace = replace(story(1.0, preset="flat3").pace, plan_every_s=3600.0, horizon_s=24 * 3600.0)
    begins_s = start_s + 60.0 * random.Random(seed).randrange(180)
    tale = story(1.2, preset="flat3", seed=seed, start_s=begins_s, pace=pace)
    simulation = Simulation(tale, keep_log=True)
    outages = Outages(simulation)
    simulation.start()
    handled: dict[str, int] = {}
    idle: list[str] = []
    hours = quarters // 4 + 2
    for hour in range(1, hours):
        order = b'{"id": "%d", "verb": "boost", "args": {"for": "10m"}}' % hour
        simulation.mqtt.say("pems/control/rooms/bath", order)
        until(simulation, 60 * hour)
        for status in simulation.appliance.system.tree():
            works = status.kind != "supervisor" and status.path != NOBODY_TO_SEND_TO
            if works and status.handled == handled.get(status.path, -1):
                idle.append(f"{status.path} in hour {hour}")
            handled[status.path] = status.handled
    counters = simulation.appliance.system.counters()
    assert idle == []
    assert {name: counters[name] for name in ("crashes", "hangs", "restarts", "parked")} == {
        "crashes": 0, "hangs": 0, "restarts": 0, "parked": 0,
    }  # fmt: skip
    assert not [path for path in outages.opened if path.startswith("clock/")]
    assert simulation.mqtt.count("pems/plan") >= hours - 2
    plan = json.loads(simulation.mqtt.newest["pems/plan"].payload)
    assert sum(slot["duration_s"] for slot in plan["slots"]) == pytest.approx(24 * 3600.0, abs=900)
    assert simulation.levels["rooms/living"] == Level.PLAN
