"""Planning problems to measure and test with: the reference house in three kinds of weather.

Seeded and synthetic, so that the same name gives the same problem on every machine. Knows the
seventeen rooms and sixteen relays of the reference house; nothing here is read from a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import (
    BatteryModel,
    Emitter,
    HouseModel,
    InverterModel,
    Limits,
    Relay,
)
from pems_actors.domain.plan import HouseState, PlanningProblem, RelayHistory, RoomThermalState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import link_kw_k, room_model

START_S = 1_768_431_600.0  # 2026-01-14T23:00Z, midnight in the house
KINDS = ("winter", "cold", "shoulder")

# name, effective kW, nameplate kW, volume m³, windows, outer wall, storey, day °C, night °C
_ROOMS = (
    ("obyvak", 4.57, 4.80, 102.64, True, True, "dole", 22.5, 21.5),
    ("hosti", 1.93, 2.02, 75.68, True, True, "dole", 19.0, 18.0),
    ("chodba_dole", 1.72, 1.80, 50.06, False, True, "dole", 21.5, 20.5),
    ("chodba_nahore", 1.14, 1.20, 53.56, False, True, "nahore", 20.0, 19.0),
    ("loznice", 1.14, 1.20, 34.84, True, True, "nahore", 20.5, 19.5),
    ("pokoj_1", 1.14, 1.20, 36.58, True, True, "nahore", 21.0, 20.0),
    ("pokoj_2", 1.14, 1.20, 36.58, True, True, "nahore", 21.0, 20.0),
    ("pracovna", 0.78, 0.82, 29.10, True, True, "nahore", 22.0, 21.0),
    ("satna_dole", 0.78, 0.82, 23.80, False, False, "dole", 21.0, 20.0),
    ("zadveri", 0.78, 0.82, 23.33, True, True, "dole", 19.0, 18.0),
    ("technicka_mistnost", 0.78, 0.82, 27.35, False, True, "dole", 21.0, 20.0),
    ("koupelna_nahore", 0.59, 0.62, 21.87, False, True, "nahore", 22.0, 21.0),
    ("satna_nahore", 0.53, 0.56, 31.57, False, False, "nahore", 21.0, 20.0),
    ("koupelna_dole", 0.45, 0.47, 15.87, True, True, "dole", 22.0, 21.0),
    ("spajz", 0.44, 0.46, 15.23, False, False, "dole", 21.0, 20.0),
    ("zachod", 0.21, 0.22, 7.63, False, False, "nahore", 21.0, 20.0),
    ("kuchyne", 0.0, 0.0, 62.01, True, True, "dole", 22.0, 21.0),
)
_KITCHEN_SHARE = 0.375  # the living room's relay also heats the kitchen loop
_MEAN_C = {"winter": -1.0, "cold": -11.0, "shoulder": 7.0}
_SUN = {"winter": 0.25, "cold": 0.35, "shoulder": 0.95}
_SPOT = {"winter": 2.6, "cold": 4.2, "shoulder": 1.6}  # mean spot price [CZK/kWh]
_DISTRIBUTION, _TAX, _SELL_FEE = 0.75, 0.10, 0.25
_BLOCKED_H = (6, 10, 13, 17)  # local hours in which the tariff blocks heating


def house17(emitter: Emitter = Emitter.FLOOR) -> tuple[HouseModel, tuple[Relay, ...]]:
    """Make the rooms and relays of the reference house."""
    own = {name: kw for name, kw, *_ in _ROOMS}
    own["kuchyne"] = _KITCHEN_SHARE * own["obyvak"]
    own["obyvak"] *= 1.0 - _KITCHEN_SHARE
    rooms = tuple(
        room_model(name, emitter, own[name], volume, has_windows=windows, outer_wall=outer)
        for name, _, _, volume, windows, outer, *_ in _ROOMS
    )
    volume_m3 = {name: volume for name, _, _, volume, *_ in _ROOMS}
    doors = tuple((f"chodba_{r[6]}", r[0]) for r in _ROOMS if not r[0].startswith("chodba"))
    links = tuple(
        (hub, name, link_kw_k("door", volume_m3[hub], volume_m3[name])) for hub, name in doors
    )
    relays = tuple(
        Relay(
            name=name,
            power_kw=kw,
            nameplate_kw=nameplate,
            members=(("obyvak", 1.0 - _KITCHEN_SHARE), ("kuchyne", _KITCHEN_SHARE))
            if name == "obyvak"
            else ((name, 1.0),),
        )
        for name, kw, nameplate, *_ in _ROOMS
        if kw > 0.0
    )
    return HouseModel(rooms, links), relays


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
    """Make one planning problem of the reference house.

    Args:
        kind: `winter`, `cold` (the grid limit binds) or `shoulder` (surplus, negative prices).
        seed: changes weather, load, prices and the state the house is in.
        start_s: now.    horizon_s: length of the planning grid where no `grid` is given.
        emitter: where all relays' heat enters.
    Returns: a problem on the planner's own grid.
    """
    grid = grid or TimeGrid.planning(start_s, horizon_s)
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    model, relays = house17(emitter)
    hour = (np.array(grid.starts_s) + np.array(grid.durations_s) / 2 - START_S) / HOUR_S
    series = _series(kind, hour, rng)
    low, high = _bands(hour % 24.0)
    return PlanningProblem(
        issued_at_s=start_s,
        grid=grid,
        model=model,
        relays=relays,
        battery=BatteryModel(),
        inverter=InverterModel(),
        limits=Limits(),
        state=_state(model, relays, start_s, float(series.outdoor[0]), rng),
        outdoor_c=tuple(series.outdoor.tolist()),
        ghi_w_m2=tuple(series.ghi.tolist()),
        pv_kw=tuple(series.pv.tolist()),
        base_load_kw=tuple(series.base.tolist()),
        import_per_kwh=tuple((series.spot + _DISTRIBUTION + _TAX).tolist()),
        export_per_kwh=tuple((series.spot - _SELL_FEE).tolist()),
        heating_blocked=tuple(int(h) % 24 in _BLOCKED_H for h in hour),
        comfort_low_c=low,
        comfort_high_c=high,
        known_until_s=start_s + min(horizon_s, 30 * HOUR_S),
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
    if kind == "shoulder":
        spot = spot - 2.6 * np.maximum(sun * cloud - 0.2, 0.0)
    return _Series(
        outdoor=outdoor,
        ghi=ghi,
        pv=13.5 * ghi / 1000.0 * 0.85,
        base=0.35 + 1.1 * evening + rng.uniform(0.0, 0.25, size=len(hour)),
        spot=spot,
    )


def _bands(
    clock: NDArray[np.float64], band_k: float = 0.5
) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]]:
    day = (clock >= 6.0) & (clock < 22.0)
    wish = {r[0]: np.where(day, r[7], r[8]) for r in _ROOMS}
    low = {name: tuple((t - band_k).tolist()) for name, t in wish.items()}
    high = {
        name: tuple((np.full(len(clock), t.max()) + band_k).tolist()) for name, t in wish.items()
    }
    return low, high


def _state(
    model: HouseModel,
    relays: tuple[Relay, ...],
    at_s: float,
    outdoor_c: float,
    rng: np.random.Generator,
) -> HouseState:
    dynamics = HouseDynamics(model)
    wish = np.array([next(r[8] for r in _ROOMS if r[0] == name) for name in dynamics.names])
    steady = dynamics.steady_temps(wish, outdoor_c).reshape(3, -1)
    temps = steady + rng.normal(0.0, 0.3, size=steady.shape)
    states = {
        name: RoomThermalState(*map(float, temps[:, i])) for i, name in enumerate(dynamics.names)
    }
    history = {
        relay.name: RelayHistory(on=bool(rng.random() < 0.4), since_s=at_s - 1800.0)
        for relay in relays
    }
    return HouseState(
        at_s=at_s,
        rooms=states,
        relays=history,
        soc_frac=float(rng.uniform(0.15, 0.85)),
        battery_mode_since_s=at_s - HOUR_S,
        outdoor_c=outdoor_c,
    )


def one_room(problem: PlanningProblem, room: str) -> PlanningProblem:
    """Keep one room and its relay of a problem."""
    return rooms_only(problem, (room,))


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
        state=replace(
            problem.state,
            rooms={name: problem.state.rooms[name] for name in names},
            relays={r.name: problem.state.relays[r.name] for r in kept},
        ),
    )
