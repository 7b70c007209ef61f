"""The planner on its stage, all that it must hear before it can plan, and a sound plan."""

from __future__ import annotations

from functools import cache
from typing import Any

from pems_actors.actors.base import PLAN_KEEPER, PLANNER
from pems_actors.actors.planner import PlannerActor
from pems_actors.domain.events import PlanAdopted, StateEstimated
from pems_actors.domain.forecasts import Forecast
from pems_actors.domain.plan import HouseState, Plan, RoomThermalState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.economics.tariff import Tariff
from supervision import WorkerSpec
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.skies import weather

HORIZON_S = 6 * 3600.0
SOLVER = "pems_actors.optimisation.solver:factory"


def solver(target: str = SOLVER, **more: Any) -> WorkerSpec:
    return WorkerSpec(name="planning/solver", target=target, **more)


def planner(spec: WorkerSpec | None = None) -> Stage:
    made = spec or solver()
    return Stage(PLANNER, lambda c, _: PlannerActor(c, HOUSE, made, HORIZON_S))


def house_state(at_s: float = NOON) -> StateEstimated:
    rooms = {room.name: RoomThermalState(24.0, 22.0, 20.0) for room in HOUSE.rooms}
    return StateEstimated(HouseState(at_s, rooms, {}, 0.5), trusted=True)


def outlook(at_s: float = NOON, published_s: float | None = None) -> tuple[object, ...]:
    """All that the planner must hear before it can plan; prices are published as far as known."""
    grid = TimeGrid.uniform(at_s, 200)
    load = Forecast("base_load_kw", at_s, grid, (0.5,) * 200)
    prices = Tariff().price_curve(grid, (80.0,) * 200, at_s, published_s or grid.end_s)
    return weather(at_s), prices, load


def informed(spec: WorkerSpec | None = None) -> Stage:
    stage = planner(spec)
    stage.tell(*outlook())
    return stage


@cache
def plan() -> Plan:
    """A sound plan, as the planner hands it over."""
    stage = informed()
    stage.tell(house_state())
    stage.run(1.0)
    return stage.last(PLAN_KEEPER, PlanAdopted).plan
