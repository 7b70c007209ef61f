"""From decisions to a `Plan`: what the house then does, what it costs, and what had to give.

Temperatures and powers are those after simulating relays and battery modes, so the plan never
promises what the relaxation hoped for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pems_actors.domain.levels import Level
from pems_actors.domain.plan import (
    Plan,
    PlanningProblem,
    PlanSlot,
    Purpose,
    RoomPath,
    Softened,
    SolverRecord,
)
from pems_actors.domain.units import HOUR_S
from pems_actors.economics.costs import CostTerms, slot_cost
from pems_actors.optimisation.case import Case, floor_limits_c
from pems_actors.optimisation.explain import Reasons
from pems_actors.optimisation.flexible import late_of
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import ModeSlot
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.sequences import Bools
from pems_actors.optimisation.shifted import SHIFTED
from pems_actors.optimisation.switching import Commitments, history_of
from pems_actors.optimisation.thermal import AIR, REFERENCE_C, SCREED, STRUCTURE, simulate
from pems_actors.physics.house_model import SURFACE_FRAC

_TOLD_K = 0.05
_TOLD_KW = 0.01
_TOLD_SOC = 0.001


@dataclass(frozen=True, slots=True)
class Decisions:
    """All that was decided: relays on in near slots, duties in all, and battery modes."""

    on: Bools  # (near slots, relays)
    duty: Array  # (K, relays): 0 or 1 in near slots
    modes: tuple[ModeSlot, ...]
    commitments: Commitments
    relaxed: Relaxed
    case: Case  # with the flexible loads as decided


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the house does under the decisions. Temperatures at slot ends, (K, R, 3) [°C]."""

    nodes_c: Array
    heat_kw: Array  # (K, relays)
    starts: Array  # (K, relays)
    costs: tuple[CostTerms, ...]

    @property
    def air_c(self) -> Array:
        """Air of every room at slot ends, (K, R)."""
        return self.nodes_c[:, :, AIR]


def outcome_of(case: Case, decisions: Decisions) -> Outcome:
    """Simulate the decisions and price every slot."""
    problem, stages = case.problem, case.stages
    heat = decisions.duty * case.power_kw
    starts = _starts(case, decisions)
    start_cost = starts @ np.array([relay.start_cost for relay in problem.relays])
    costs = tuple(
        slot_cost(
            slot.flow.grid_kw,
            slot.flow.battery_kw,
            float(stages.buy[k]),
            float(stages.sell[k]),
            float(stages.hours[k]) * HOUR_S,
            problem.battery.wear_per_kwh,
            float(start_cost[k]),
        )
        for k, slot in enumerate(decisions.modes)
    )
    nodes = simulate(case.rooms, case.weather, heat @ case.share)
    return Outcome(nodes, heat, starts, costs)


def _starts(case: Case, decisions: Decisions) -> Array:
    before = np.array([history_of(case, relay).on for relay in case.problem.relays], dtype=bool)
    starts = np.zeros_like(decisions.duty)
    shifted = np.vstack([before[None, :], decisions.on[:-1]]) if len(decisions.on) else before[:0]
    starts[: len(decisions.on)] = decisions.on & ~shifted.reshape(decisions.on.shape)
    return starts


def plan_of(
    case: Case, decisions: Decisions, outcome: Outcome, record: SolverRecord, valid_s: float
) -> Plan:
    """Write the plan down."""
    problem = case.problem
    issued = problem.issued_at_s
    return Plan(
        issued_at_s=issued,
        valid_until_s=issued + valid_s,
        level=_level(problem, decisions.relaxed),
        slots=_slots(case, decisions, outcome),
        totals=totals_of(case, decisions, outcome),
        softened=softened_of(case, decisions, outcome),
        paths=_paths(case, decisions.relaxed, outcome),
        solver=record,
        currency=problem.currency,
        path_until_s=_path_until(case),
        known_until_s=_known_until(case),
    )


def _level(problem: PlanningProblem, relaxed: Relaxed) -> Level:
    """Tell whether it went as it should: between two solves the last one's prices are as good."""
    between = problem.purpose is Purpose.BETWEEN and relaxed.solver == SHIFTED
    return Level.PLAN if relaxed.solver == "piqp" or between else Level.LATE


def _slots(case: Case, decisions: Decisions, outcome: Outcome) -> tuple[PlanSlot, ...]:
    names = [relay.name for relay in case.problem.relays]
    near = len(decisions.on)
    closed = np.vstack([decisions.on, decisions.duty[near:] >= 0.5]).tolist()
    reasons = _reasons(case, decisions, outcome)
    heat, air = outcome.heat_kw.tolist(), outcome.air_c.tolist()
    power_price = decisions.relaxed.power_price.tolist()
    charge_price = decisions.relaxed.charge_price.tolist()
    base = (case.stages.base_kw - case.loads_kw.sum(axis=1)).tolist()
    loads, allowed = case.loads_kw.tolist(), case.stages.export_allowed.tolist()
    return tuple(
        PlanSlot(
            start_s=start,
            duration_s=width,
            relays=dict(zip(names, closed[k], strict=True)),
            heat_kw=dict(zip(names, heat[k], strict=True)),
            battery_mode=mode.mode,
            battery_kw=mode.flow.battery_kw,
            grid_kw=mode.flow.grid_kw,
            pv_kw=mode.flow.pv_kw,
            base_load_kw=base[k],
            export_allowed=allowed[k],
            temps_c=dict(zip(case.rooms.names, air[k], strict=True)),
            soc_frac=mode.flow.soc_frac,
            cost=outcome.costs[k].total,
            reasons=reasons.of_slot(k),
            battery_rate_kw=mode.rate_kw,
            battery_stop_soc_frac=mode.stop_soc_frac,
            binary=k < near,
            power_price_per_kwh=power_price[k],
            charge_price_per_kwh=charge_price[k],
            loads_kw=dict(zip(case.wants.names, loads[k], strict=True)),
        )
        for k, (start, width, mode) in enumerate(
            zip(
                case.problem.grid.starts_s,
                case.problem.grid.durations_s,
                decisions.modes,
                strict=True,
            )
        )
    )


def _reasons(case: Case, decisions: Decisions, outcome: Outcome) -> Reasons:
    return Reasons(
        case,
        decisions.relaxed,
        decisions.commitments,
        decisions.duty,
        _air_at_starts(case, outcome),
        decisions.modes,
    )


def _air_at_starts(case: Case, outcome: Outcome) -> Array:
    states = case.problem.state.rooms
    now = np.array([states[name].air_c for name in case.rooms.names])
    return np.vstack([now[None, :], outcome.air_c[:-1]])


def totals_of(case: Case, decisions: Decisions, outcome: Outcome) -> Mapping[str, float]:
    """Add the plan up: money by term, energies, comfort, and the objective with its end values."""
    hours = case.stages.hours
    flows = [slot.flow for slot in decisions.modes]
    grid = np.array([flow.grid_kw for flow in flows])
    battery = np.array([flow.battery_kw for flow in flows])
    money = sum(outcome.costs, CostTerms())
    cold, warm = _discomfort(case, outcome)
    sums = {
        "cost": money.total,
        "import_cost": money.import_cost,
        "export_income": money.export_income,
        "wear": money.wear,
        "starts_cost": money.starts,
        "starts": float(outcome.starts.sum()),
        "import_kwh": float(np.maximum(grid, 0.0) @ hours),
        "export_kwh": float(np.maximum(-grid, 0.0) @ hours),
        "heat_kwh": float(outcome.heat_kw.sum(axis=1) @ hours),
        "pv_kwh": float(np.array([flow.pv_kw for flow in flows]) @ hours),
        "curtailed_kwh": float(np.array([flow.curtailed_kw for flow in flows]) @ hours),
        "discharged_kwh": float(np.maximum(battery, 0.0) @ hours),
        "peak_kw": max(float(grid.max()), 0.0),
        "cold_kh": cold,
        "warm_kh": warm,
        "mode_changes": float(_mode_changes(case, decisions)),
        "end_soc_frac": flows[-1].soc_frac,
    }
    if case.wants:
        sums["loads_kwh"] = float(case.loads_kw.sum(axis=1) @ hours)
    return sums | {"objective": _objective(case, outcome, sums)}


def _discomfort(case: Case, outcome: Outcome) -> tuple[float, float]:
    stages = case.stages
    cold = np.maximum(stages.low_c - outcome.air_c, 0.0).sum(axis=1)
    warm = np.maximum(outcome.air_c - stages.high_c, 0.0).sum(axis=1)
    return float(cold @ stages.hours), float(warm @ stages.hours)


def _mode_changes(case: Case, decisions: Decisions) -> int:
    modes = [case.problem.state.battery_mode, *(slot.mode for slot in decisions.modes)]
    return sum(a is not b for a, b in pairwise(modes))


def _objective(case: Case, outcome: Outcome, sums: Mapping[str, float]) -> float:
    """Price the outcome by the relaxation's own terms, so that the two can be compared."""
    weights, worth = case.problem.weights, case.worth
    last = outcome.nodes_c[-1][:, (SCREED, STRUCTURE)].T - REFERENCE_C
    missing = np.maximum(worth.wanted_k - last, 0.0)
    capacity = case.rooms.capacity_kwh_k[:, (SCREED, STRUCTURE)].T
    charge_kwh = sums["end_soc_frac"] * case.problem.battery.capacity_kwh
    missed = [task.load.missed_per_kwh for task in case.wants.tasks]
    late_kwh = case.wants.energy_kwh - case.stages.hours @ case.loads_kw
    return (
        sums["import_cost"]
        - sums["export_income"]
        + sums["wear"] * weights.wear_factor
        + sums["import_kwh"] * weights.import_extra_per_kwh
        + sums["peak_kw"] * weights.peak_per_kw
        + sums["cold_kh"] * weights.cold_per_kh
        + sums["warm_kh"] * weights.warm_per_kh
        + float((missing * capacity).sum()) * worth.heat_per_kwh
        - charge_kwh * worth.charge_per_kwh
        + float(np.maximum(late_kwh, 0.0) @ np.array(missed))
    )


def softened_of(case: Case, decisions: Decisions, outcome: Outcome) -> tuple[Softened, ...]:
    """Name every wish that is not kept, and by how much in its own unit."""
    stages, air = case.stages, outcome.air_c
    told: list[Softened] = []
    for r, name in enumerate(case.rooms.names):
        cold = float((stages.low_c[:, r] - air[:, r]).max())
        warm = float((air[:, r] - stages.high_c[:, r]).max())
        told.extend(
            Softened(f"{what} of {name} [K]", by)
            for what, by in (("lowest temperature", cold), ("highest temperature", warm))
            if by > _TOLD_K
        )
    told.extend(_softened_floors(case, outcome))
    told.extend(_softened_power(case, decisions))
    told.extend(late_of(case.wants, stages.hours, case.loads_kw))
    told.extend(
        Softened(f"minimum on time of {name}", 1.0) for name in decisions.commitments.released
    )
    return tuple(told)


def _softened_floors(case: Case, outcome: Outcome) -> list[Softened]:
    screed = outcome.nodes_c[:, :, SCREED]
    surface = outcome.air_c + SURFACE_FRAC * (screed - outcome.air_c)
    over = (surface - floor_limits_c(case)).max(axis=0)
    return [
        Softened(f"floor temperature of {name} [K]", float(by))
        for name, by in zip(case.rooms.names, over, strict=True)
        if by > _TOLD_K
    ]


def _softened_power(case: Case, decisions: Decisions) -> list[Softened]:
    problem, battery = case.problem, case.problem.battery
    grid = np.array([slot.flow.grid_kw for slot in decisions.modes])
    most = grid.max() - problem.limits.grid_kw
    under = battery.min_soc_frac - problem.state.soc_frac
    over = problem.state.soc_frac - battery.max_soc_frac
    lowest = min(slot.flow.soc_frac for slot in decisions.modes)
    reserve = max(battery.reserve_soc_frac, battery.min_soc_frac)
    return [
        Softened(limit, float(by))
        for limit, by, least in (
            ("grid limit [kW]", most, _TOLD_KW),
            ("breaker of a phase [kW]", _over_phase_kw(case, decisions, grid), _TOLD_KW),
            ("lowest state of charge", under, _TOLD_SOC),
            ("highest state of charge", over, _TOLD_SOC),
            ("reserve of the battery", reserve - lowest, _TOLD_SOC),
        )
        if by > least
    ]


def _over_phase_kw(case: Case, decisions: Decisions, grid_kw: Array) -> float:
    """Give how far the fullest phase of a three-phase house is over its breaker at its worst."""
    if case.problem.limits.phases != 3:
        return 0.0
    fullest = grid_kw / 3.0 + case.uneven_kw(decisions.duty)
    return float(fullest.max()) - case.problem.limits.phase_kw


def _path_until(case: Case, longest_h: float = 36.0) -> float:
    """Give the end of the temperature paths.

    They go on beyond the known prices: heat that follows a guess of prices keeps the band as well
    as the rules do, and costs much less than to warm every room to its set-point at once.
    """
    return float(min(case.stages.start_s[0] + longest_h * HOUR_S, case.stages.edges_s[-1]))


def _known_until(case: Case) -> float:
    """Give the end of the known prices, as far as the paths reach."""
    ends_s, known_s = _path_until(case), case.problem.known_until_s
    return ends_s if known_s is None else min(known_s, ends_s)


def _paths(case: Case, relaxed: Relaxed, outcome: Outcome) -> dict[str, RoomPath]:
    upto = int((case.stages.start_s < case.stages.start_s[0] + 36.0 * HOUR_S).sum())
    at = tuple(case.stages.start_s[:upto].tolist())
    air = _air_at_starts(case, outcome)[:upto].T.tolist()
    price = relaxed.heat_price[:upto].T.tolist()
    return {
        name: RoomPath(at, tuple(air[r]), tuple(price[r]))
        for r, name in enumerate(case.rooms.names)
    }
