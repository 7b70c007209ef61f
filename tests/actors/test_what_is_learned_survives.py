"""What took weeks to learn, and the plan in force, are there again after a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pems_actors.actors.base import (
    LOAD,
    METER,
    MQTT,
    PLAN_KEEPER,
    PLANNER,
    POWER_BUDGET,
    PRICES,
    PV,
    WEATHER,
    room_address,
)
from pems_actors.actors.load import LoadActor
from pems_actors.actors.meter import MeterActor
from pems_actors.actors.plan_keeper import PlanKeeperActor
from pems_actors.actors.power_budget import PowerBudgetActor
from pems_actors.actors.prices import PricesActor
from pems_actors.actors.pv import PvActor
from pems_actors.actors.weather import WeatherActor
from pems_actors.domain.events import (
    LoadSample,
    PlanAdopted,
    PvSample,
    RelayGrant,
    RelayRequest,
    RoomPlan,
)
from pems_actors.domain.forecasts import PriceCurve, WeatherForecast
from pems_actors.domain.house import Roof
from pems_actors.domain.states import DeviceState
from pems_actors.durable.memory import Memory
from pems_actors.economics.tariff import Tariff
from supervision import WorkerSpec
from tests.actors.kit import HOUSE, NOON, Stage, energy_tick
from tests.actors.plans import plan
from tests.actors.skies import Market, Provider, weather

HOUR = 3600.0
SUN = WorkerSpec(name="forecasting/trainer", target="tests.actors.solvers:sun_factory")


def first_life(tmp_path: Path) -> Memory:
    return Memory.on_disk(tmp_path, [])


def next_life(before: Stage, tmp_path: Path, away_s: float = 5.0) -> tuple[Memory, float]:
    """The memory as a new process finds it on disk, some seconds later."""
    before.memory.close()
    memory, now_s = Memory.on_disk(tmp_path, []), before.now_s + away_s
    memory.load([before.path], now_s)
    return memory, now_s


def load(memory: Memory, start_s: float = NOON, timezone: str = "Europe/Prague") -> Stage:
    return Stage(LOAD, lambda c, _: LoadActor(c, timezone), memory=memory, start_s=start_s)


def test_the_usual_load_of_the_house_is_remembered(tmp_path):
    before = load(first_life(tmp_path))
    for _ in range(60):
        before.tell(LoadSample(before.now_s, 3.0))
        before.run(60.0)
    memory, now_s = next_life(before, tmp_path)
    learned = load(memory, now_s).state.own.profile.learned
    assert learned == before.state.own.profile.learned >= 3
    assert load(memory, now_s, "Europe/London").state.own.profile.learned == 0  # another house


def pv(memory: Memory, start_s: float = NOON, house=HOUSE) -> Stage:
    return Stage(PV, lambda c, _: PvActor(c, house, SUN), memory=memory, start_s=start_s)


def test_what_the_roofs_give_is_remembered_for_these_roofs(tmp_path):
    before = pv(first_life(tmp_path))
    before.tell(weather())
    for _ in range(60):
        before.tell(PvSample(before.now_s, 2.0, curtailed=False))
        before.run(60.0)
    memory, now_s = next_life(before, tmp_path)
    after = pv(memory, now_s)
    scaler = before.state.scaler
    assert (after.state.scaler.scale, after.state.scaler.physics) == (scaler.scale, scaler.physics)
    assert after.state.scaler.climate_kw == scaler.climate_kw
    larger = replace(HOUSE, roofs=(Roof("south", 9.0, 35.0, 180.0),))
    assert pv(memory, now_s, larger).state.scaler.physics is None


def test_accepted_prices_are_remembered_while_the_market_is_away(tmp_path):
    market = Market()

    def prices(memory: Memory, start_s: float = NOON) -> Stage:
        return Stage(
            PRICES, lambda c, _: PricesActor(c, market, Tariff()), memory=memory, start_s=start_s
        )

    before = prices(first_life(tmp_path))
    published_s = before.last(PLANNER, PriceCurve).published_until_s
    memory, now_s = next_life(before, tmp_path)
    market.down = True
    after = prices(memory, now_s)
    assert after.last(PLANNER, PriceCurve).published_until_s == published_s > now_s


def test_the_last_issue_of_the_weather_is_remembered_while_its_service_is_away(tmp_path):
    provider = Provider(outdoor_c=4.0)

    def sky(memory: Memory, start_s: float = NOON) -> Stage:
        return Stage(
            WEATHER, lambda c, _: WeatherActor(c, HOUSE, provider), memory=memory, start_s=start_s
        )

    before = sky(first_life(tmp_path))
    memory, now_s = next_life(before, tmp_path)
    provider.down = True
    assert sky(memory, now_s).last(PLANNER, WeatherForecast).outdoor_c[0] == 4.0


def keeper(memory: Memory, start_s: float = NOON, house=HOUSE) -> Stage:
    return Stage(
        PLAN_KEEPER, lambda c, _: PlanKeeperActor(c, house), memory=memory, start_s=start_s
    )


def test_the_plan_in_force_is_handed_out_again(tmp_path):
    before = keeper(first_life(tmp_path))
    before.tell(PlanAdopted(plan(), NOON))
    memory, now_s = next_life(before, tmp_path, away_s=30.0)
    after = keeper(memory, now_s)
    assert after.state.adopted == PlanAdopted(plan(), NOON)
    for room in HOUSE.rooms:
        assert after.last(room_address(room.name), RoomPlan).issued_at_s == plan().issued_at_s
    assert after.status.reason == "plan in force"


@pytest.mark.parametrize("away_s", [7 * HOUR, -2 * HOUR])
def test_a_plan_of_another_time_is_not(tmp_path, away_s):
    before = keeper(first_life(tmp_path))
    before.tell(PlanAdopted(plan(), NOON))
    after = keeper(*next_life(before, tmp_path, away_s))
    assert after.state.adopted is None


def test_a_plan_of_another_house_is_not(tmp_path):
    before = keeper(first_life(tmp_path))
    before.tell(PlanAdopted(plan(), NOON))
    renamed = replace(HOUSE.rooms[1], name="pantry")
    other = replace(HOUSE, rooms=(HOUSE.rooms[0], renamed, HOUSE.rooms[2]))
    after = keeper(*next_life(before, tmp_path), other)
    assert after.state.adopted is None
    assert after.status.restarts == 0


def test_the_next_start_keeps_its_distance_from_the_last_one_of_the_dead_core(tmp_path):
    def budget(memory: Memory, start_s: float = NOON) -> Stage:
        return Stage(
            POWER_BUDGET, lambda c, _: PowerBudgetActor(c, HOUSE), memory=memory, start_s=start_s
        )

    before = budget(first_life(tmp_path))
    before.tell(energy_tick(NOON), RelayRequest("living", NOON, -1.0, False))
    granted_s = before.last("rooms/living", RelayGrant).at_s
    memory, now_s = next_life(before, tmp_path, away_s=3.0)
    after = budget(memory, now_s)
    after.tell(energy_tick(now_s), RelayRequest("bath", now_s, -1.0, False))
    assert not after.all_heard("rooms/bath", RelayGrant)
    after.run(10.0)
    assert after.last("rooms/bath", RelayGrant).at_s - granted_s >= HOUSE.limits.start_gap_s


def test_energies_that_were_counted_are_remembered(tmp_path: Path) -> None:
    def meter(memory: Memory, start_s: float = NOON) -> Stage:
        return Stage(METER, lambda c, _: MeterActor(c, 60.0), memory=memory, start_s=start_s)

    stage = meter(first_life(tmp_path))
    for _ in range(61):
        stage.tell(energy_tick(stage.now_s, grid_kw=-2.0))
        stage.run(60.0)
    memory, now_s = next_life(stage, tmp_path)
    again = meter(memory, now_s)
    again.tell(energy_tick(again.now_s, grid_kw=-2.0))
    values = dict(again.last(MQTT, DeviceState).values)
    assert values["export_kwh"].value == pytest.approx(2.0, abs=0.2)  # kept every five minutes
    assert values["import_kwh"].value == 0.0
