"""Answer one planning problem: the whole way from question to validated plan, in order.

Assemble, relax, check, round relays, choose battery modes, simulate, explain, validate. Equal
problems give equal plans (timings in the solver record aside): nothing here looks at a clock to
decide. `factory` is the entry point of the worker process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from pems_actors.domain.house import (
    BatteryModel,
    Emitter,
    HouseModel,
    InverterModel,
    Limits,
    Relay,
    RoomModel,
)
from pems_actors.domain.plan import (
    HouseState,
    Plan,
    PlanningProblem,
    PlanRefused,
    RoomThermalState,
    SolverRecord,
)
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import Formulation, SolverLimits
from pems_actors.optimisation.grid import Array, BadProblemError, stages_of
from pems_actors.optimisation.modes import battery_modes
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.plan_maker import Decisions, outcome_of, plan_of
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.relays import carried_duty, whole_relays
from pems_actors.optimisation.switching import Bools, Commitments, caps_of, commitments_of
from pems_actors.optimisation.validator import validate

_SUPPLY_ATTEMPTS = 3
_OVERLOAD_KW = 0.005

Answer = Plan | PlanRefused


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """How to plan: hours with whole relays, improvement passes, limits, how long a plan holds."""

    binary_h: float = 4.0
    passes: int = 2
    valid_s: float = 3600.0
    limits: SolverLimits = field(default_factory=SolverLimits)


class Planner:
    """Solves problems one after another and keeps its solvers set up between them."""

    def __init__(self, options: SolveOptions | None = None) -> None:
        """Start cold; the first problem of a shape takes a few milliseconds more."""
        self.options = options or SolveOptions()
        self._formulation = Formulation(self.options.limits)

    def solve(self, problem: PlanningProblem) -> Answer:
        """Answer a problem with a validated plan, or with the reason why there is none."""
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            stages = stages_of(problem, self.options.binary_h)
        except BadProblemError as error:
            return PlanRefused(str(error), problem.issued_at_s, permanent=True)
        case = case_of(problem, stages)
        decisions = self._decide(case)
        if decisions is None:
            return PlanRefused(
                "no solver found a sound point; the last plan stays in force", problem.issued_at_s
            )
        outcome = outcome_of(case, decisions)
        plan = plan_of(case, decisions, outcome, _record(decisions.relaxed), self.options.valid_s)
        verdict = validate(problem, plan)
        if verdict.refusal is not None:
            return PlanRefused(verdict.refusal, problem.issued_at_s)
        record = replace(
            plan.solver,
            cpu_s=time.process_time() - cpu,
            wall_s=time.perf_counter() - wall,
            objective=plan.totals["objective"],
        )
        totals = {**plan.totals, "disagreement_k": verdict.disagreement_k}
        return replace(plan, solver=record, totals=totals)

    def _decide(self, case: Case) -> Decisions | None:
        near = case.stages.binary
        sun = _sun_alone(case)
        commitments = commitments_of(case, caps_of(case, sun), near)
        relaxed = self._formulation.solve(case, _decided(case, commitments))
        if relaxed is None:
            return None
        supply = relaxed.pv_kw + relaxed.discharge_kw
        decisions = self._settle(case, relaxed, commitments, supply)
        for attempt in range(_SUPPLY_ATTEMPTS):
            over = _overloaded(case, decisions)
            if not over.any():
                break
            real = sun if attempt else np.maximum(sun, _supplied(decisions))
            everywhere = attempt == _SUPPLY_ATTEMPTS - 1
            supply = np.where(over | everywhere, np.minimum(supply, real), supply)
            decisions = self._settle(case, relaxed, commitments, supply)
        return decisions

    def _settle(
        self, case: Case, relaxed: Relaxed, commitments: Commitments, supply_kw: Array
    ) -> Decisions:
        """Round relays and choose modes, counting on some supply from sun and battery."""
        near = Near(case, relaxed, caps_of(case, supply_kw), commitments, case.stages.binary)
        on = whole_relays(near, self.options.passes)
        duty = carried_duty(near, on)
        load = case.stages.base_kw + duty @ case.power_kw
        modes = battery_modes(case, load, _grid_limit(case, duty), relaxed)
        return Decisions(on, duty, modes, commitments, relaxed)


def _sun_alone(case: Case) -> Array:
    """Give the supply that needs no plan: what the roofs give, within the inverter, (K,) [kW]."""
    return np.asarray(np.minimum(case.stages.pv_kw, case.problem.inverter.ac_limit_kw))


def _supplied(decisions: Decisions) -> Array:
    """Give what sun and battery really give the house, (K,) [kW]."""
    return np.array([s.flow.pv_kw + max(s.flow.battery_kw, 0.0) for s in decisions.modes])


def _overloaded(case: Case, decisions: Decisions) -> Bools:
    """Find slots in which heating draws more than grid and phases bear, (K,)."""
    grid = np.array([slot.flow.grid_kw for slot in decisions.modes])
    heating = decisions.duty.any(axis=1)
    return np.asarray(heating & (grid > _grid_limit(case, decisions.duty) + _OVERLOAD_KW))


def _decided(case: Case, commitments: Commitments) -> tuple[Bools, Array]:
    """Tell the relaxation what dwell has decided, as mask and duties over all stages."""
    mask = np.zeros((len(case.stages), len(case.power_kw)), dtype=bool)
    duty = np.zeros(mask.shape)
    near = len(commitments.on)
    blocked = case.stages.blocked[:near, None]
    mask[:near] = (commitments.on | commitments.off) & ~blocked
    duty[:near] = commitments.on
    return mask, duty


def _grid_limit(case: Case, duty: Array) -> Array:
    """Give the import that contract and fullest phase bear beside the heating, (K,) [kW]."""
    limits = case.problem.limits
    most = np.full(len(duty), limits.grid_kw)
    if limits.phases != 3:
        return most
    skew = (duty * case.power_kw) @ (case.phases - 1.0 / 3.0)
    bearable = 3.0 * (limits.phase_kw - skew.max(axis=1, initial=0.0))
    return np.asarray(np.minimum(most, bearable))


def _record(relaxed: Relaxed) -> SolverRecord:
    return SolverRecord(
        status=relaxed.status,
        solver=relaxed.solver,
        iterations=relaxed.iterations,
        cpu_s=0.0,
        wall_s=0.0,
        residual=relaxed.residual,
        objective=relaxed.objective,
        bound=relaxed.objective,
    )


_planner: Planner | None = None


def solve(problem: PlanningProblem, options: SolveOptions | None = None) -> Answer:
    """Answer one problem.

    Args:
        problem: state, forecasts, prices and limits.
        options: None keeps the usual ones and the solvers that are already set up.
    Returns: a plan that passed the validator, or a refusal with one sentence.
    """
    global _planner
    if options is not None:
        return Planner(options).solve(problem)
    if _planner is None:
        _planner = Planner()
    return _planner.solve(problem)


def factory() -> Callable[[PlanningProblem], Answer]:
    """Make the worker's handle, libraries loaded and the solver warm."""
    planner = Planner()
    planner.solve(warm_up_problem())
    return planner.solve


def warm_up_problem() -> PlanningProblem:
    """Make the smallest problem that goes through every part once."""
    room = RoomModel("room", Emitter.FLOOR, 0.5, 0.2, 1.0, 0.12, 0.2, 0.01, 0.02)
    grid = TimeGrid.planning(0.0, 6 * HOUR_S)
    slots = len(grid)
    return PlanningProblem(
        issued_at_s=0.0,
        grid=grid,
        model=HouseModel((room,)),
        relays=(Relay("room", 1.0, 1.0, (("room", 1.0),)),),
        battery=BatteryModel(),
        inverter=InverterModel(),
        limits=Limits(),
        state=HouseState(0.0, {"room": RoomThermalState(22.0, 20.0, 19.0)}, {}, 0.5),
        outdoor_c=(0.0,) * slots,
        ghi_w_m2=(0.0,) * slots,
        pv_kw=(0.0,) * slots,
        base_load_kw=(0.5,) * slots,
        import_per_kwh=tuple(3.0 + k % 2 for k in range(slots)),
        export_per_kwh=(1.0,) * slots,
        heating_blocked=(False,) * slots,
        comfort_low_c={"room": (20.0,) * slots},
        comfort_high_c={"room": (22.0,) * slots},
    )
