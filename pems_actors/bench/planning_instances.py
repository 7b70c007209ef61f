"""Planning problems to measure and test with: the house as shipped, in four kinds of weather.

Rooms, links, phases, wishes and tariff are those of the shipped configuration, and a problem is put
together the way the core does it: figures are of what really runs. Weather, sun, load and prices
are seeded and synthetic, so that the same name gives the same problem on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from config import load
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.control.order import CONTINUOUS_ON_S
from pems_actors.domain.forecasts import Forecast, WeatherForecast
from pems_actors.domain.house import Emitter, House, HouseModel
from pems_actors.domain.plan import HouseState, Plan, PlanningProblem, RelayHistory
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.economics.tariff import Tariff
from pems_actors.optimisation.outlook import Outlook, planning_problem
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw

T = TypeVar("T")

START_S = 1_768_431_600.0  # 2026-01-14T23:00Z, midnight in the house
KINDS = ("winter", "cold", "shoulder", "summer")

_MEAN_C = {"winter": -1.0, "cold": -11.0, "shoulder": 7.0, "summer": 19.0}
_SUN = {"winter": 0.25, "cold": 0.35, "shoulder": 0.95, "summer": 1.0}
_SPOT = {"winter": 2.6, "cold": 4.2, "shoulder": 1.6, "summer": 1.9}  # mean spot price [CZK/kWh]
_PUBLISHED_S = 30 * HOUR_S


@lru_cache(maxsize=2)
def reference(emitter: Emitter = Emitter.FLOOR) -> tuple[House, Tariff]:
    """Build the house and the tariff that are shipped, whatever this machine has configured.

    Args:
        emitter: where all relays' heat enters; the shipped house has floors.
    """
    shipped = load("house17", env={}).system
    if emitter is not Emitter.FLOOR:
        changes = [f"rooms.{name}.emitter={emitter.value}" for name in shipped.rooms]
        shipped = load("house17", env={}, overrides=changes).system
    return house_from(shipped), tariff_from(shipped)


@dataclass(frozen=True, slots=True)
class _Series:
    outdoor: NDArray[np.float64]
    ghi: NDArray[np.float64]
    pv: NDArray[np.float64]
    base: NDArray[np.float64]
    spot: NDArray[np.float64]


def instance(
    kind: str = "winter",
    seed: int = 0,
    *,
    start_s: float = START_S,
    horizon_s: float = 2 * DAY_S,
    grid: TimeGrid | None = None,
    emitter: Emitter = Emitter.FLOOR,
) -> PlanningProblem:
    """Make one planning problem of the shipped house.

    Args:
        kind: `winter`, `cold` (the grid limit binds), `shoulder` (surplus, negative prices) or
            `summer` (hardly any heating).
        seed: changes weather, load, prices and the state the house is in.
        start_s: now.    horizon_s: length of the planning grid where no `grid` is given.
        emitter: where all relays' heat enters.
    Returns: a problem on the planner's own grid.
    """
    grid = grid or TimeGrid.planning(start_s, horizon_s)
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    house, tariff = reference(emitter)
    hour = (np.array(grid.starts_s) + np.array(grid.durations_s) / 2 - START_S) / HOUR_S
    series = _series(kind, hour, rng)
    outlook = _outlook(tariff, grid, series, start_s + min(horizon_s, _PUBLISHED_S))
    return planning_problem(house, _state(house, start_s, series, rng), outlook, grid)


def _outlook(tariff: Tariff, grid: TimeGrid, series: _Series, published_until_s: float) -> Outlook:
    """Tell the series as the actors would."""
    now, outdoor, ghi = grid.start_s, series.outdoor.tolist(), tuple(series.ghi.tolist())
    spot_eur_mwh = (series.spot * 1000.0 / tariff.eur_rate).tolist()
    return Outlook(
        weather=WeatherForecast(now, grid, tuple(outdoor), ghi, ghi, ghi),
        prices=tariff.price_curve(grid, spot_eur_mwh, now, published_until_s),
        pv=Forecast("pv_kw", now, grid, tuple(series.pv.tolist())),
        base_load=Forecast("base_load_kw", now, grid, tuple(series.base.tolist())),
    )


def _series(kind: str, hour: NDArray[np.float64], rng: np.random.Generator) -> _Series:
    clock = hour % 24.0
    days = (hour // 24).astype(int)
    cloud = rng.uniform(0.35, 1.0, size=days.max() + 1)[days]
    daily = rng.normal(0.0, 1.5, size=days.max() + 1)[days]
    outdoor = _MEAN_C[kind] + daily + 3.5 * np.cos((clock - 15.0) * np.pi / 12.0)
    sun = np.maximum(np.sin((clock - 7.0) / 10.0 * np.pi), 0.0) * ((clock > 7.0) & (clock < 17.0))
    ghi = 900.0 * _SUN[kind] * sun * cloud
    evening = np.exp(-(((clock - 19.0) / 2.5) ** 2)) + 0.7 * np.exp(-(((clock - 7.5) / 1.5) ** 2))
    spot = _SPOT[kind] * (0.75 + 0.6 * evening + rng.normal(0.0, 0.08, size=len(hour)))
    if kind in {"shoulder", "summer"}:
        spot = spot - 2.6 * np.maximum(sun * cloud - 0.2, 0.0)
    return _Series(
        outdoor=outdoor,
        ghi=ghi,
        pv=13.5 * ghi / 1000.0 * 0.85,
        base=0.35 + 1.1 * evening + rng.uniform(0.0, 0.25, size=len(hour)),
        spot=spot,
    )


def _state(house: House, at_s: float, series: _Series, rng: np.random.Generator) -> HouseState:
    """Make a house that has been held at its night temperatures, with some disorder."""
    dynamics, outdoor_c = HouseDynamics(house.model), float(series.outdoor[0])
    night = {room.name: room.comfort.night_c for room in house.rooms}
    steady = dynamics.steady_temps(np.array([night[n] for n in dynamics.names]), outdoor_c)
    temps = steady + rng.normal(0.0, 0.3, size=steady.shape)
    history = {
        relay.name: RelayHistory(rng.random() < 0.4, at_s - 1800.0, (), CONTINUOUS_ON_S)
        for relay in house.relays
    }
    return HouseState(
        at_s=at_s,
        rooms=dynamics.unpack(temps),
        relays=history,
        soc_frac=float(rng.uniform(0.15, 0.85)),
        battery_mode_since_s=at_s - HOUR_S,
        outdoor_c=outdoor_c,
    )


def rooms_only(problem: PlanningProblem, names: tuple[str, ...]) -> PlanningProblem:
    """Keep some rooms, in the order given, and the relays that heat only them."""
    rooms = {room.name: room for room in problem.model.rooms}
    kept = [r for r in problem.relays if {name for name, _ in r.members} <= set(names)]
    links = tuple(link for link in problem.model.links if {link[0], link[1]} <= set(names))
    return replace(
        problem,
        model=HouseModel(tuple(rooms[name] for name in names), links),
        relays=tuple(kept),
        comfort_low_c={name: problem.comfort_low_c[name] for name in names},
        comfort_high_c={name: problem.comfort_high_c[name] for name in names},
        floor_limits_c={n: c for n, c in problem.floor_limits_c.items() if n in names},
        state=replace(
            problem.state,
            rooms={name: problem.state.rooms[name] for name in names},
            relays={r.name: problem.state.relays[r.name] for r in kept},
        ),
    )


def wider(problem: PlanningProblem) -> PlanningProblem:
    """Build the same house on once more, with limits for both halves."""
    twin = {room.name: f"{room.name}_2" for room in problem.model.rooms}
    model, limits, state = problem.model, problem.limits, problem.state
    rooms = tuple(replace(room, name=twin[room.name]) for room in model.rooms)
    links = tuple((twin[a], twin[b], g) for a, b, g in model.links)
    relays = tuple(
        replace(
            relay,
            name=f"{relay.name}_2",
            members=tuple((twin[name], share) for name, share in relay.members),
        )
        for relay in problem.relays
    )
    past = {f"{name}_2": history for name, history in state.relays.items()}
    return replace(
        problem,
        model=HouseModel((*model.rooms, *rooms), (*model.links, *links)),
        relays=(*problem.relays, *relays),
        limits=replace(
            limits,
            breaker_a=2.0 * limits.breaker_a,
            import_kw=2.0 * limits.import_kw,
            heating_kw=2.0 * limits.heating_kw,
        ),
        comfort_low_c=_twice(problem.comfort_low_c, twin),
        comfort_high_c=_twice(problem.comfort_high_c, twin),
        floor_limits_c=_twice(problem.floor_limits_c, twin),
        state=replace(state, rooms=_twice(state.rooms, twin), relays={**state.relays, **past}),
    )


def _twice(of: Mapping[str, T], twin: Mapping[str, str]) -> dict[str, T]:
    return {**of, **{twin[name]: value for name, value in of.items()}}


def advanced(problem: PlanningProblem, plan: Plan) -> HouseState:
    """Give the state after a plan's first slot, in a house that is as it was believed."""
    dynamics, slot = HouseDynamics(problem.model), plan.slots[0]
    step, state = dynamics.matrices(slot.duration_s), problem.state
    duty = np.array([slot.heat_kw[r.name] / max(r.power_kw, 1e-9) for r in problem.relays])
    temps = step.a @ dynamics.pack(state.rooms)
    temps = temps + step.heat @ (heat_shares_kw(problem.model, problem.relays) @ duty)
    temps = temps + step.internal + step.outdoor * problem.outdoor_c[0]
    temps = temps + step.ghi * problem.ghi_w_m2[0]
    return replace(
        state,
        at_s=slot.start_s + slot.duration_s,
        rooms=dynamics.unpack(temps),
        relays={
            name: past
            if past.on == slot.relays[name]
            else replace(past, on=slot.relays[name], since_s=slot.start_s)
            for name, past in state.relays.items()
        },
        soc_frac=slot.soc_frac,
        battery_mode=slot.battery_mode,
    )
