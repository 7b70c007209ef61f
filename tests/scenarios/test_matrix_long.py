"""Row 37 of the fault matrix: a winter week by rules alone, and the host that dies."""

from __future__ import annotations

import pytest

from pems_actors.domain.levels import Level
from pems_actors.simulate import Simulation
from pems_actors.simulation.troubles import Trouble
from tests.scenarios.comfort import Shortfall
from tests.scenarios.outages import HOUR
from tests.scenarios.stories import NOON, story

DAY = 24 * HOUR
DEAD_FROM_S = NOON + HOUR
DOORS = (
    (Trouble.WEATHER_DOWN, "weather"),
    (Trouble.PRICES_DOWN, "prices"),
    (Trouble.STORE_REFUSES, "store"),
)
BRANCHES = ("planning", "forecasting", "infrastructure")


def live_by_rules(days: int) -> None:
    """Ten kelvins colder than the record, and everything dead that is not needed for the rules."""
    tale = story(days + 1.0, seed=2, weather_shift_k=-10.0)
    simulation, shortfall = Simulation(tale), Shortfall()
    system, rooms = simulation.appliance.system, simulation.story.house.rooms
    simulation.start()
    simulation.run_until(DEAD_FROM_S)
    assert simulation.levels[f"rooms/{rooms[0].name}"] == Level.PLAN
    for trouble, target in DOORS:
        simulation.troubles.begin(trouble, target)
    simulation.mqtt.up = False
    for branch in BRANCHES:
        system.terminate_child("root", branch)

    simulation.run_until(DEAD_FROM_S + 2 * HOUR, shortfall)  # the last plan has ended by now
    assert set(simulation.levels.values()) <= {Level.PATH, Level.RULES}
    simulation.run_until(DEAD_FROM_S + days * DAY, shortfall)

    worst_k, room = shortfall.worst
    assert worst_k <= 0.5, f"{room} was {worst_k:.2f} K under its band"
    assert shortfall.coldest_c > simulation.story.house.limits.alarm_c
    assert set(simulation.levels.values()) == {Level.RULES}
    assert system.verdict is None
    assert system.counters()["crashes"] == 0
    assert set(simulation.twin.starts) == {relay.name for relay in simulation.story.house.relays}
    house = simulation.story.house
    most = max(simulation.twin.starts.values())
    assert most <= days * 24 * max(relay.max_starts_per_h for relay in house.relays)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_row_37_two_winter_days_with_planner_forecasts_broker_and_database_dead() -> None:
    live_by_rules(2)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_row_37_seven_winter_days_with_planner_forecasts_broker_and_database_dead() -> None:
    """The worst room is 0.33 K under its band, none freezes."""
    live_by_rules(7)
