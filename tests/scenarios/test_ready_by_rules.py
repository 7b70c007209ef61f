"""Two winter days away with a time to be back, by rules alone: the house is warm in time."""

import pytest

from pems_actors.control.comfort import band_c
from pems_actors.domain.events import Request
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.simulate import Simulation
from tests.scenarios.stories import NOON, rules_only

BACK = NOON + 2 * DAY_S
COLD_K = 0.9  # the slowest room; the mean is far better

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ready by")]


@pytest.fixture(scope="module")
def away() -> tuple[Simulation, dict[float, float]]:
    simulation = Simulation(rules_only(2.2, seed=3))
    simulation.start()
    simulation.run_until(NOON + HOUR_S)
    args = {"mode": "away", "until_s": BACK}
    order = Request("1", "house", "mode", args, "", NOON + HOUR_S)
    simulation.appliance.system.tell("infrastructure/control", order)
    heating: dict[float, float] = {}

    def look(running: Simulation) -> None:
        heating[BACK - running.twin.at_s] = running.twin.relays.total_kw

    simulation.run_until(BACK, look)
    return simulation, heating


def mean_kw(heating: dict[float, float], from_h: float, until_h: float) -> float:
    span = [kw for left_s, kw in heating.items() if until_h <= left_s / HOUR_S < from_h]
    return sum(span) / len(span)


def test_every_room_is_about_as_warm_as_it_should_be_when_people_come_back(away):
    simulation, _ = away
    house, true = simulation.story.house, simulation.twin.true_state()
    short_k = [
        band_c(room.comfort, BACK, house.site.timezone)[0] - true[room.name].air_c
        for room in house.rooms
    ]
    assert max(short_k) < COLD_K
    assert sum(max(k, 0.0) for k in short_k) / len(short_k) < 0.15


def test_the_house_rests_meanwhile_and_heats_in_the_last_ten_to_twenty_hours(away):
    _, heating = away
    assert mean_kw(heating, 40.0, 33.0) < 1.5
    assert mean_kw(heating, 24.0, 19.0) < 2.0
    assert mean_kw(heating, 15.0, 3.0) > 8.0
