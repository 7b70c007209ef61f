"""One winter night with a car of 11 kW in the reference house, planned, and by rules alone.

The car comes home at 17:00 and leaves at 07:00; it wants 20 kWh, and its battery would take more.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import HOUR_S
from pems_actors.simulate import Simulation, Story
from tests.scenarios.stories import NOON, rules_only, story

CAR = FlexibleLoad("car", LoadKind.CAR, 11.0, every_day_kwh=20.0)
BOILER = FlexibleLoad(
    "boiler",
    LoadKind.BOILER,
    2.0,
    (0.0, 1.0, 0.0),
    tariff_blocked=True,
    every_day_kwh=4.0,
    volume_l=150.0,
)
LEAVES = NOON + 19 * HOUR_S
ONE_TICK_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flexible day")]


@dataclass(frozen=True)
class Look:
    """What the true house did at one minute."""

    at_s: float
    car_kw: float
    drawn_kwh: float
    battery_kw: float
    mode: BatteryMode
    phase_kw: float  # of the fullest
    heating_kw: float


def with_car(tale: Story) -> Story:
    return replace(tale, house=replace(tale.house, loads=(CAR,)))


def told(tale: Story) -> tuple[Simulation, list[Look]]:
    simulation, looks = Simulation(with_car(tale), keep_log=True), []

    def look(running: Simulation) -> None:
        twin = running.twin
        device = twin.loads.loads[0]
        car_kw = CAR.power_kw if device.draws else 0.0
        looks.append(
            Look(
                twin.at_s,
                car_kw,
                device.drawn_kwh,
                twin.flow.battery_kw,
                twin.inverter.mode,
                max(twin.phase_kw),
                twin.relays.total_kw,
            )
        )

    simulation.run(look)
    return simulation, looks


@pytest.fixture(scope="module")
def planned() -> tuple[Simulation, list[Look]]:
    tale = story(0.8, seed=2)
    return told(replace(tale, pace=replace(tale.pace, plan_every_s=HOUR_S)))


@pytest.fixture(scope="module")
def ruled() -> tuple[Simulation, list[Look]]:
    return told(rules_only(0.8, seed=2))


def drawn_by_departure(looks: list[Look]) -> float:
    return max(look.drawn_kwh for look in looks if look.at_s <= LEAVES)


def test_the_car_has_its_energy_when_it_leaves(planned, ruled):
    for _, looks in (planned, ruled):
        assert drawn_by_departure(looks) == pytest.approx(20.0, abs=0.4)


def test_no_start_of_ours_brings_a_phase_over_its_breaker(planned, ruled):
    """What the rest of the house switches on may, for one tick: then something is held back."""
    for simulation, looks in (planned, ruled):
        most_kw = simulation.story.house.limits.phase_kw
        for before, after in pairwise(looks):
            if after.phase_kw > most_kw:
                assert before.phase_kw <= most_kw
                assert after.car_kw <= before.car_kw


def test_the_battery_is_not_emptied_into_the_car(planned, ruled):
    """It holds from the tick on at which the car is seen to draw."""
    for _, looks in (planned, ruled):
        given = [
            max(b.battery_kw, 0.0) * ONE_TICK_S / HOUR_S
            for a, b in pairwise(looks)
            if a.car_kw > 0.0 and b.car_kw > 0.0
        ]
        assert len(given) > 60
        assert sum(given) < 0.2


def test_by_plan_the_car_waits_for_the_night_instead_of_charging_when_it_comes(planned):
    _, looks = planned
    first = next(look.at_s for look in looks if look.car_kw > 0.0)
    assert first > NOON + 8 * HOUR_S  # it came at 17:00, five hours after noon


def test_heating_comes_first_and_no_room_is_cold_for_the_car(planned, ruled):
    for simulation, _ in (planned, ruled):
        rooms = len(simulation.story.house.rooms)
        assert simulation.twin.figures()["cold_kh"] / rooms < 0.2


def test_the_load_that_is_learned_knows_nothing_of_the_car(planned):
    simulation, looks = planned
    rows = simulation.store.range("learn.load_kw", NOON, NOON + 24 * HOUR_S)
    learned = dict(rows)
    charged = [look.at_s for look in looks if look.car_kw > 0.0]
    quarters = {at_s - at_s % 900.0 for at_s in charged}
    assert len(quarters) > 5
    assert all(learned[at_s] < 4.0 for at_s in quarters if at_s in learned)


def test_every_order_to_the_car_carries_a_lease_and_a_reason(planned, ruled):
    for simulation, _ in (planned, ruled):
        orders = [line for line in simulation.lines if " load/car write " in line]
        assert len(orders) > 100
        for line in orders:
            at_s, until = float(line.split()[0]), line.split("until=")[1]
            until_s, reason = until.split(" ", 1)
            assert 0.0 < float(until_s) - at_s <= 1200.0
            assert reason.strip()


def test_a_boiler_that_nobody_has_seen_hot_is_hot_within_two_days_and_never_draws_in_a_block():
    tale = rules_only(1.0, seed=2)
    tale = replace(tale, house=replace(tale.house, loads=(BOILER,)))
    simulation, hottest_c, in_blocks = Simulation(tale), [], []

    def look(running: Simulation) -> None:
        device = running.twin.loads.loads[0]
        hottest_c.append(device.temp_c)
        if tale.tariff.blocked(running.twin.at_s - 1.0):
            in_blocks.append(device.draws)

    simulation.run(look)
    assert max(hottest_c) > 59.0
    assert in_blocks
    assert not any(in_blocks)
