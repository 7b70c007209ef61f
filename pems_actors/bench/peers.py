"""`pems bench peers`: the same problem for us and for EMHASS, by number of rooms.

Rooms of one mass (which both can express), a battery, sun, a base load, quarter hours over two
days, relays whole in all of them. We answer first; the peer is then told to leave the house at
least as warm and as charged as we do, so that both costs are of the same job. Our battery obeys
modes, the peer's takes any power: `ours_cost` is by modes, `ours_powers_cost` has the same relays
with the peer's battery. EMHASS comes from PyPI into an environment of its own (`--install`), and is
asked in a process of its own.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import Any

import numpy as np

from pems_actors.bench.peer_home import PEER, asked_of_peer, installed, missing
from pems_actors.bench.planning_instances import START_S, instance
from pems_actors.bench.report import Target, report
from pems_actors.control.duty import loss_kw_k
from pems_actors.domain.house import Emitter, HouseModel, Limits, Relay, RoomModel
from pems_actors.domain.plan import HouseState, Plan, PlanningProblem, RoomThermalState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import iso
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import Array, stages_of
from pems_actors.optimisation.sequences import Bools
from pems_actors.optimisation.solver import Planner, SolveOptions
from pems_actors.optimisation.worth import EndWorth

SIZES = (0, 1, 2, 4, 8, 16)
LIMIT_S = 30.0
GAP, EXACT_GAP = 0.01, 1e-5  # the peer's own default; without rooms both solve a linear program
TARGETS = {"worse_than_peer_frac": Target("<=", 0.005), "slower_than_peer": Target("<=", 0.0)}

_HOURS = 48.0
_STEPS = 192
_TAU_H = 30.0
_START_C, _LOW_C, _HIGH_C = 20.5, 20.0, 23.0
_MARGIN_K = 0.02
_HALVINGS = 16
_FULL_KWH = 1e-3  # so near its end a charge is there: a dearer end would only buy rounding
_GRID_KW = 17.0


def run(
    *, quick: bool = False, rooms: tuple[str, ...] | None = None, install: bool = False
) -> dict[str, Any]:
    """Compare by number of rooms; minutes, because the peer takes its limit from two rooms on.

    Args:
        quick: 0, 1 and 2 rooms with a limit of 10 s.    rooms: other numbers.
        install: first put the peer into its own environment.
    Returns: one object of figures; without the peer ours only, and `peer_note` says why.
    Raises: ValueError for a number of rooms that is none.
    """
    sizes = _sizes(rooms) if rooms is not None else SIZES[:3] if quick else SIZES
    note = installed() if install else missing()
    told = [compared(count, 10.0 if quick else LIMIT_S, ask=not note) for count in sizes]
    figures: dict[str, object] = {
        "peer": PEER,
        "peer_note": note,
        "rooms": {str(each["rooms"]): each for each in told},
        **_flat(told),
    }
    return report("peers", figures, TARGETS)


def _sizes(rooms: tuple[str, ...]) -> tuple[int, ...]:
    if not all(text.isdigit() and int(text) in SIZES for text in rooms):
        raise ValueError(f"rooms are {','.join(rooms)!r}; give some of {','.join(map(str, SIZES))}")
    return tuple(map(int, rooms))


def _flat(told: list[dict[str, Any]]) -> dict[str, object]:
    """Give the worst cost and the worst time against the peer's whole answers."""
    asked = [each for each in told if "peer_s" in each]
    whole = [each for each in asked if each["peer_whole"]]
    slower = sum(each["ours_s"] > each["peer_s"] for each in asked)
    return {
        "worse_than_peer_frac": max((_worse(each) for each in whole), default=None),
        "slower_than_peer": slower if asked else None,
    }


def _worse(each: dict[str, Any]) -> float:
    return float((each["ours_powers_cost"] - each["peer_cost"]) / max(abs(each["peer_cost"]), 1.0))


def compared(count: int, limit_s: float, *, ask: bool) -> dict[str, Any]:
    """Answer the problem of some rooms, and have the peer answer it."""
    problem = posed_to_us(count)
    planner = Planner(SolveOptions(binary_h=_HOURS))
    planner.solve(problem)  # solvers loaded, as they are in the worker
    plan = planner.solve(problem)
    if not isinstance(plan, Plan):
        return {"rooms": count, "ours_status": plan.reason}
    told: dict[str, Any] = {
        "rooms": count,
        "ours_s": plan.solver.cpu_s,
        "ours_cost": plan.totals["cost"],
        "ours_cold_kh": plan.totals["cold_kh"],
        "ours_status": plan.solver.status,
        "ours_powers_cost": powers_cost(problem, plan),
    }
    if not ask:
        return told
    return told | _peer(problem, plan, count, limit_s)


def _peer(problem: PlanningProblem, plan: Plan, count: int, limit_s: float) -> dict[str, Any]:
    asked = posed(problem, plan, count, limit_s)
    answer = asked_of_peer(asked, limit_s)
    if "error" in answer:
        return {"peer_status": answer["error"]}
    fractional = _fractional(asked["rooms"], answer["relays_kw"])
    return {
        "peer_s": answer["cpu_s"],
        "peer_wall_s": answer["wall_s"],
        "peer_cost": _money(problem, answer),
        "peer_status": answer["status"],
        "peer_fractional_frac": fractional,
        "peer_whole": fractional < 1e-3 and "ptimal" in answer["status"],
    }


def _fractional(rooms: list[dict[str, Any]], relays_kw: list[list[float]]) -> float:
    """Share of relay entries that are neither on nor off: no relay can do those."""
    shares = [
        kw / room["power_kw"]
        for room, row in zip(rooms, relays_kw, strict=True)
        for kw in row[:_STEPS]
    ]
    return float(sum(0.02 < share < 0.98 for share in shares) / max(len(shares), 1))


def _money(problem: PlanningProblem, answer: dict[str, Any]) -> float:
    hours = _HOURS / _STEPS
    buy, sell = np.array(problem.import_per_kwh), np.array(problem.export_per_kwh)
    bought, sold = (np.array(answer[name])[:_STEPS] for name in ("import_kw", "export_kw"))
    return float((bought @ buy - sold @ sell) * hours)


def posed_to_us(count: int) -> PlanningProblem:
    """Pose the common problem: rooms of one mass, no phases, no wear, no price of a start."""
    grid = TimeGrid.uniform(START_S, _STEPS)
    given = instance("winter", 0, grid=grid)
    relays = tuple(_relay(relay) for relay in given.relays if count)[:count]
    by_name = {room.name: room for room in given.model.rooms}
    rooms = tuple(_one_mass(by_name[relay.name]) for relay in relays)
    if not rooms:
        rooms = (_one_mass(given.model.rooms[0]),)  # a house without heating has a room still
    names = [room.name for room in rooms]
    low_c = _LOW_C if count else -20.0
    states = {name: RoomThermalState(_START_C, _START_C, _START_C) for name in names}
    return replace(
        given,
        model=HouseModel(rooms),
        relays=relays,
        state=HouseState(START_S, states, {}, 0.5),
        ghi_w_m2=(0.0,) * _STEPS,
        heating_blocked=(False,) * _STEPS,
        battery=replace(given.battery, wear_per_kwh=0.0),
        limits=Limits(breaker_a=1000.0, import_kw=_GRID_KW, export_kw=_GRID_KW, heating_kw=100.0),
        inverter=replace(given.inverter, ac_limit_kw=100.0),
        comfort_low_c=dict.fromkeys(names, (low_c,) * _STEPS),
        comfort_high_c=dict.fromkeys(names, (_HIGH_C,) * _STEPS),
        weights=replace(given.weights, cold_per_kh=500.0, warm_per_kh=500.0),
    )


def _relay(relay: Relay) -> Relay:
    return replace(
        relay, members=((relay.name, 1.0),), phases=(1 / 3, 1 / 3, 1 / 3), start_cost=0.0
    )


def _one_mass(room: RoomModel) -> RoomModel:
    """Put all of a room's mass into its air; what else there is hangs closely on it or hardly."""
    loss = loss_kw_k(room)
    mass = loss * _TAU_H
    return RoomModel(
        name=room.name,
        emitter=Emitter.PANEL,
        c_screed_kwh_k=0.01 * mass,
        c_air_kwh_k=0.99 * mass,
        c_structure_kwh_k=0.001 * mass,
        g_screed_air_kw_k=200.0 * loss,
        g_air_structure_kw_k=1e-5 * loss,
        g_air_outdoor_kw_k=loss,
        g_structure_outdoor_kw_k=1e-5 * loss,
    )


def powers_cost(problem: PlanningProblem, plan: Plan) -> float | None:
    """Price our relays with a battery of free powers, as the peer has it, and our own end.

    The price of charge at the end is searched at which the program ends as our plan does; between
    two ends at one price the cost is linear, as it is in every linear program.

    Returns: the cost, None where no solver finds a sound point.
    """
    case = case_of(problem, stages_of(problem, 0.0), exact=True)
    duty = np.array([[slot.relays[r.name] for r in problem.relays] for slot in plan.slots], float)
    decided = (np.ones(duty.shape, dtype=bool), duty)
    wanted = plan.slots[-1].soc_frac * problem.battery.capacity_kwh
    low, high = 0.0, 2.0 * max(problem.import_per_kwh)
    below = _ended(case, decided, low)
    above = _ended(case, decided, high)
    for _ in range(_HALVINGS):
        if below is None or above is None:
            return None
        middle = (low + high) / 2.0
        found = _ended(case, decided, middle)
        if found is not None and found[0] < wanted - _FULL_KWH:
            low, below = middle, found
        else:
            high, above = middle, found
    if below is None or above is None:
        return None
    (left, cheap), (right, dear) = below, above
    return float(np.interp(wanted, [left, right], [cheap, dear]))


def _ended(
    case: Case, decided: tuple[Bools, Array], charge_per_kwh: float
) -> tuple[float, float] | None:
    """Solve with a price of charge at the end; give the charge there and the money paid."""
    worth = EndWorth(0.0, charge_per_kwh, np.zeros((2, len(case.problem.model.rooms))))
    relaxed = Formulation().solve(replace(case, worth=worth), decided)
    if relaxed is None:
        return None
    grid, hours = relaxed.grid_kw, case.stages.hours
    paid = np.where(grid > 0.0, grid * case.stages.buy, grid * case.stages.sell) @ hours
    return float(relaxed.stored_kwh[-1]), float(paid)


def posed(problem: PlanningProblem, plan: Plan, count: int, limit_s: float) -> dict[str, Any]:
    """Pose the same problem in plain data, with an end as warm and as charged as ours.

    The peer's temperatures are those at the beginning of steps, so that it gets one step more, in
    which nobody would buy.
    """
    return {
        "start": iso(problem.grid.start_s),
        "minutes": 15,
        "pv_kw": [*problem.pv_kw, 0.0],
        "base_kw": [*problem.base_load_kw, 0.0],
        "import_per_kwh": [*problem.import_per_kwh, 1000.0],
        "export_per_kwh": [*problem.export_per_kwh, 0.0],
        "outdoor_c": [*problem.outdoor_c, problem.outdoor_c[-1]],
        "rooms": [_room(problem, plan, relay) for relay in problem.relays[:count]],
        "battery": {
            "capacity_kwh": problem.battery.capacity_kwh,
            "power_kw": problem.battery.max_charge_kw,
            "leg_frac": problem.battery.leg_frac,
            "min_soc": problem.battery.min_soc_frac,
            "max_soc": problem.battery.max_soc_frac,
        },
        "soc_first": problem.state.soc_frac,
        "soc_last": plan.slots[-1].soc_frac,
        "grid_kw": _GRID_KW,
        "limit_s": limit_s,
        "gap": EXACT_GAP if count == 0 else GAP,
    }


def _room(problem: PlanningProblem, plan: Plan, relay: Relay) -> dict[str, Any]:
    """Give one room's Euler constants, equal to the exact step of its one mass."""
    model = next(room for room in problem.model.rooms if room.name == relay.name)
    step_h = _HOURS / _STEPS
    kept = exp(-step_h / _TAU_H)
    ended_c = plan.slots[-1].temps_c[relay.name]
    low = [min(_LOW_C, slot.temps_c[relay.name]) - _MARGIN_K for slot in plan.slots[:-1]]
    return {
        "power_kw": relay.power_kw,
        "heating_rate": (1.0 - kept) / model.g_air_outdoor_kw_k * relay.power_kw / step_h,
        "cooling_constant": (1.0 - kept) / step_h,
        "start_c": _START_C,
        "low_c": [_START_C - 1.0, *low, ended_c - _MARGIN_K],
        "high_c": [_HIGH_C + 1.0] * (_STEPS + 1),
    }
