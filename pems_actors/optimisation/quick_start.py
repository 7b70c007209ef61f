"""The planner in three lines, for a first look and for experiments: a small house, one plan.

    from pems_actors.optimisation import create_problem, optimize

    plan = optimize(create_problem(rooms=2, hours=6))
    print(plan.status, plan.cost, plan.solve_time_s, len(plan.slots))

What is built here is an ordinary `PlanningProblem`; any other one can be given to `optimize` as
well. The solver is loaded when it is first needed, since the core loads this package too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pems_actors.domain.house import (
    BatteryModel,
    Emitter,
    HouseModel,
    InverterModel,
    Limits,
    Relay,
)
from pems_actors.domain.plan import (
    HouseState,
    Plan,
    PlanningProblem,
    PlanRefused,
    PlanSlot,
    RoomThermalState,
)
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, seconds

START = "2023-01-16T05:00:00Z"
PRICES_PER_KWH = (3.0, 3.5, 5.0, 5.5, 4.5, 3.5, 2.5, 2.0)  # hour by hour, over and over again
LARGEST_KW, SMALLER_KW, SMALLEST_KW = 1.8, 0.25, 0.8  # the first room is the largest
M3_PER_KW = 30.0
SHORTEST_H, LONGEST_H = 0.25, 744.0
FLOOR_OVER_K = 4.0  # a screed that keeps its room warm in winter

Series = float | Sequence[float]


@dataclass(frozen=True, slots=True)
class Optimized:
    """A plan and how it came about. `reason` says why there is none; then there are no slots."""

    status: str
    cost: float | None
    currency: str
    solve_time_s: float
    slots: tuple[PlanSlot, ...] = ()
    plan: Plan | None = None
    reason: str = ""


def create_problem(
    rooms: int = 2,
    hours: float = 6.0,
    *,
    battery: BatteryModel | bool = True,
    soc_frac: float = 0.5,
    temp_c: float = 20.5,
    wish_c: float = 21.0,
    band_k: float = 0.5,
    outdoor_c: Series = -2.0,
    import_per_kwh: Series = PRICES_PER_KWH,
    export_per_kwh: Series = 1.0,
    pv_kw: Series = 0.0,
    base_load_kw: Series = 0.5,
    start: str = START,
) -> PlanningProblem:
    """Describe a small house with heated floors on a winter morning.

    Args:
        rooms, hours: how many rooms, how far ahead.    battery: one of 10 kWh, another, or False.
        soc_frac, temp_c: charge and air at the start.    wish_c, band_k: wanted all the time.
        outdoor_c, import_per_kwh, export_per_kwh, pv_kw, base_load_kw: one value, or one for each
            hour; shorter lists begin again.    start: the first instant, ISO 8601.
    Raises: ValueError for no whole rooms, less than a quarter of an hour or more than a month.
    """
    if rooms != int(rooms) or rooms < 1 or not SHORTEST_H <= hours <= LONGEST_H:
        given = f"{rooms} rooms over {hours:g} h"
        raise ValueError(f"{given}; give 1 room at least, and {SHORTEST_H:g} to {LONGEST_H:g} h")
    start_s = seconds(start)
    grid = TimeGrid.planning(start_s, hours * HOUR_S)
    model, relays = _house(int(rooms))
    names, slots = [room.name for room in model.rooms], len(grid)
    return PlanningProblem(
        issued_at_s=start_s,
        grid=grid,
        model=model,
        relays=relays,
        battery=battery if isinstance(battery, BatteryModel) else _battery(there=battery),
        inverter=InverterModel(),
        limits=Limits(),
        state=HouseState(start_s, dict.fromkeys(names, _warm(temp_c)), {}, soc_frac),
        outdoor_c=_by_slot(grid, outdoor_c),
        ghi_w_m2=(0.0,) * slots,
        pv_kw=_by_slot(grid, pv_kw),
        base_load_kw=_by_slot(grid, base_load_kw),
        import_per_kwh=_by_slot(grid, import_per_kwh),
        export_per_kwh=_by_slot(grid, export_per_kwh),
        heating_blocked=(False,) * slots,
        comfort_low_c=dict.fromkeys(names, (wish_c - band_k,) * slots),
        comfort_high_c=dict.fromkeys(names, (wish_c + band_k,) * slots),
    )


def optimize(problem: PlanningProblem) -> Optimized:
    """Plan: relays, battery modes, export, and what it all costs.

    The first call loads the solver, which its `solve_time_s` does not count.
    """
    from pems_actors.optimisation.solver import solve  # noqa: PLC0415 - see the docstring above

    began_s = time.perf_counter()
    answer = solve(problem)
    took_s = time.perf_counter() - began_s
    if isinstance(answer, PlanRefused):
        return Optimized("refused", None, problem.currency, took_s, reason=answer.reason)
    record, cost = answer.solver, answer.totals["cost"]
    return Optimized(record.status, cost, answer.currency, took_s, answer.slots, answer)


def _house(rooms: int) -> tuple[HouseModel, tuple[Relay, ...]]:
    """Make rooms of falling size, each with a heated floor and a relay of its own."""
    from pems_actors.physics.priors import link_kw_k, room_model  # noqa: PLC0415 - as above

    powers = [max(LARGEST_KW - SMALLER_KW * k, SMALLEST_KW) for k in range(rooms)]
    names = [f"room_{k + 1}" for k in range(rooms)]
    sized = list(zip(names, powers, strict=True))
    models = [room_model(n, Emitter.FLOOR, kw, M3_PER_KW * kw) for n, kw in sized]
    links = [
        (one, other, link_kw_k("wall", M3_PER_KW * kw, M3_PER_KW * next_kw))
        for (one, kw), (other, next_kw) in pairwise(sized)
    ]
    relays = tuple(Relay(n, kw, kw, ((n, 1.0),)) for n, kw in sized)
    return HouseModel(tuple(models), tuple(links)), relays


def _battery(*, there: bool) -> BatteryModel:
    return BatteryModel() if there else BatteryModel(0.0, 0.0, 0.0)


def _warm(temp_c: float) -> RoomThermalState:
    return RoomThermalState(temp_c + FLOOR_OVER_K, temp_c, temp_c - 0.5)


def _by_slot(grid: TimeGrid, given: Series) -> tuple[float, ...]:
    """Give each slot its hour's value."""
    hourly = np.asarray(given, dtype=float).ravel().tolist()
    if not hourly:
        raise ValueError("a series has no values; give one number, or one for each hour")
    hours = (int((at_s - grid.start_s) // HOUR_S) for at_s in grid.starts_s)
    return tuple(hourly[hour % len(hourly)] for hour in hours)
