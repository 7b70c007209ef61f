"""Answer one planning problem: the whole way from question to validated plan, in order.

Assemble, relax, check, round relays, choose battery modes, simulate, explain, validate. Equal
problems after equal pasts give equal plans (timings in the solver record aside): nothing here looks
at a clock to decide. Between plans of equal worth the one that was told before stays, and where no
solver finds a point the last one's prices serve. `factory` is the worker process's entry point.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from pems_actors.domain.house import (
    BatteryMode,
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
    Purpose,
    RoomThermalState,
    SolverRecord,
)
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.crowding import crowd_of
from pems_actors.optimisation.flexible import resting, room_beside, whole_loads
from pems_actors.optimisation.formulation import Formulation, SolverLimits
from pems_actors.optimisation.grid import Array, BadProblemError, in_order, stages_of
from pems_actors.optimisation.mode_table import offered_kw, orders_of
from pems_actors.optimisation.modes import ModeSlot, battery_modes, obeyed
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.plan_maker import Decisions, outcome_of, plan_of, totals_of
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.relays import carried_duty, whole_relays
from pems_actors.optimisation.scarcity import modes_where_scarce
from pems_actors.optimisation.sequences import Bools
from pems_actors.optimisation.shifted import SHIFTED, Agreed, Remembered
from pems_actors.optimisation.switching import Commitments, caps_of, commitments_of
from pems_actors.optimisation.validator import validate

_SUPPLY_ATTEMPTS = 4
_OVERLOAD_KW = 0.005
_GIVES_KW = 0.3
_DRY_SOC = 0.02
_AGAIN_H = 2.0  # whole switches of a plan that stands until the next solve

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
        self._last: Remembered | None = None
        self._agreed: Agreed | None = None

    def solve(self, problem: PlanningProblem) -> Answer:
        """Answer a problem with a validated plan, or with the reason why there is none.

        Between two solves by the prices of the last one, moved on in time: relays are whole in the
        next two hours, for another solve will follow before they are over. Without a last solve of
        the same house, within two hours, it is solved. After a comparison all is as before.
        """
        before = self._last, self._agreed
        answer = self._answer(problem, fresh=problem.purpose is not Purpose.BETWEEN)
        if problem.purpose is Purpose.COMPARE:
            self._last, self._agreed = before
        return answer

    def replan(self, problem: PlanningProblem) -> Answer:
        """Answer a problem as one between two solves."""
        return self.solve(replace(problem, purpose=Purpose.BETWEEN))

    def _answer(self, problem: PlanningProblem, *, fresh: bool) -> Answer:
        cpu, wall = time.process_time(), time.perf_counter()
        problem, whole_h = in_order(problem), self.options.binary_h
        try:
            stages = stages_of(problem, whole_h if fresh else min(whole_h, _AGAIN_H))
        except BadProblemError as error:
            return PlanRefused(str(error), problem.issued_at_s, permanent=True)
        case = case_of(problem, stages)
        decisions = self._decide(case, fresh=fresh)
        if decisions is None:
            return PlanRefused(
                "no solver found a sound point; the last plan stays in force", problem.issued_at_s
            )
        case = decisions.case  # with the flexible loads
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
        fed_kw = _supplied(case, decisions) - _sun_alone(case)
        self._agreed = Agreed(case, decisions.on, decisions.modes, fed_kw)
        totals = {**plan.totals, "disagreement_k": verdict.disagreement_k}
        return replace(plan, solver=record, totals=totals)

    def _relaxed(self, case: Case, commitments: Commitments, *, fresh: bool) -> Relaxed | None:
        """Relax a case, or move the last relaxation on to it."""
        last = self._last.moved_on(case) if self._last is not None else None
        if last is not None and not fresh:
            return last
        relaxed = self._formulation.solve(case, _decided(case, commitments))
        if relaxed is None:
            return last
        self._last = Remembered(case, relaxed)
        return relaxed

    def _decide(self, case: Case, *, fresh: bool) -> Decisions | None:
        """Decide loads, relays and modes. Between two solves the modes are those of the last."""
        slots, sun = case.stages.binary, _sun_alone(case)
        commitments = commitments_of(case, caps_of(case, sun), slots)
        relaxed = self._relaxed(case, commitments, fresh=fresh)
        if relaxed is None:
            return None
        if case.wants:
            case, relaxed = _with_loads(case, relaxed, commitments)
        decisions = self._arranged(case, relaxed, commitments)
        if not case.problem.inverter.takes_powers or relaxed.solver == SHIFTED:
            return decisions
        by_modes = self._arranged(_by_modes(case), relaxed, commitments)
        return min(decisions, replace(by_modes, case=case), key=_objective)

    def _arranged(self, case: Case, relaxed: Relaxed, commitments: Commitments) -> Decisions:
        """Decide relays and modes; where modes do not give what relays count on, relays give way.

        First counting on what the relaxed plan has of sun and battery, then on what the modes
        really give, at last on the sun alone.
        """
        slots, sun = case.stages.binary, _sun_alone(case)
        told = self._agreed if relaxed.solver == SHIFTED else None
        kept = told.modes_at(case) if told is not None else None
        supply = relaxed.pv_kw + _offered(case, relaxed)
        spare = _spare(case, relaxed, supply)
        if told is not None and kept is not None:
            supply, spare = sun + told.fed_at(case), np.zeros_like(sun)
        agreed = self._agreed.within(case) if self._agreed is not None else None
        near = Near(case, relaxed, caps_of(case, supply), commitments, slots, spare, agreed)
        decisions, crowd = self._settle(near, kept), None
        for attempt in range(_SUPPLY_ATTEMPTS):
            over = _overloaded(case, decisions)
            if not over.any():
                break
            last = attempt == _SUPPLY_ATTEMPTS - 1
            if attempt == 0 and over[:slots].any() and kept is None:
                crowd = crowd_of(near, sun, decisions.on)
                decisions = replace(decisions, modes=modes_where_scarce(near, sun, crowd))
            given = sun if last else _supplied(case, decisions)
            if over[:slots].any() or last:
                supply, spare = given, np.zeros_like(given)
                near = near.under(caps_of(case, supply), spare)
                start = None if crowd is None else crowd.on
                decisions = self._settle(near, None if last else decisions.modes, start)
            else:
                supply = np.where(over, np.minimum(supply, given), supply)
                near = near.under(caps_of(case, supply), spare)
                decisions = _eased(near, decisions.on, decisions.modes)
        return decisions

    def _settle(
        self, near: Near, modes: tuple[ModeSlot, ...] | None = None, start: Bools | None = None
    ) -> Decisions:
        """Round relays, counting on the supply that is in the caps; choose modes, or keep some."""
        case, again = near.case, near.relaxed.solver == SHIFTED
        on = whole_relays(near, 1 if again else self.options.passes, start)
        if modes is not None:
            return _eased(near, on, modes)
        duty = carried_duty(near, on)
        load, limit = case.stages.base_kw + duty @ case.power_kw, case.grid_limit_kw(duty)
        wanted = np.append(near.needed_kw(on), near.relaxed.discharge_kw[near.slots :])
        chosen = battery_modes(case, load, limit, near.relaxed.charge_kw, wanted)
        return Decisions(on, duty, chosen, near.commitments, near.relaxed, case)


def _with_loads(case: Case, relaxed: Relaxed, commitments: Commitments) -> tuple[Case, Relaxed]:
    """Make the flexible loads whole; the battery is not counted on while a car is charged."""
    forced = np.zeros((len(case.stages), len(case.power_kw)))
    forced[: len(commitments.on)] = commitments.on
    heating_kw = (forced * case.power_kw) @ case.phases
    room_kw = room_beside(case.stages, case.problem.limits, _sun_alone(case), heating_kw)
    loads_kw = whole_loads(case.wants, case.stages, relaxed.loads_kw, relaxed.power_price, room_kw)
    rests = resting(case.wants, loads_kw)
    given_kw = np.where(rests, 0.0, relaxed.discharge_kw)
    return case.with_loads(loads_kw), replace(relaxed, loads_kw=loads_kw, discharge_kw=given_kw)


def _eased(near: Near, on: Bools, modes: tuple[ModeSlot, ...]) -> Decisions:
    """Fit the heat of the far slots under the caps, and see what given modes make of it."""
    duty = carried_duty(near, on)
    load = near.case.stages.base_kw + duty @ near.case.power_kw
    obeying = obeyed(near.case, load, modes)
    return Decisions(on, duty, obeying, near.commitments, near.relaxed, near.case)


def _by_modes(case: Case) -> Case:
    """Let an inverter that takes powers keep each mode for a while: that too is a plan for it."""
    problem, free = case.problem, case.problem.inverter
    slow = InverterModel(ac_limit_kw=free.ac_limit_kw, efficiency_frac=free.efficiency_frac)
    fresh = replace(problem.state, battery_changes_s=())
    return replace(case, problem=replace(problem, inverter=slow, state=fresh))


def _objective(decisions: Decisions) -> float:
    outcome = outcome_of(decisions.case, decisions)
    return totals_of(decisions.case, decisions, outcome)["objective"]


def _sun_alone(case: Case) -> Array:
    """Give the supply that needs no plan: what the roofs give, within the inverter, (K,) [kW]."""
    return np.asarray(np.minimum(case.stages.pv_kw, case.problem.inverter.ac_limit_kw))


def _offered(case: Case, relaxed: Relaxed) -> Array:
    """Give what orders can make of the discharge of a relaxed plan, (K,) [kW]."""
    wanted = relaxed.discharge_kw
    return offered_kw(orders_of(case, relaxed.charge_kw, wanted), wanted)


def _spare(case: Case, relaxed: Relaxed, supply_kw: Array) -> Array:
    """Give what the battery could add to a supply, (K,), where it is to give anyway [kW].

    Modes last two quarters of an hour, so the neighbours of such slots count too.
    """
    problem, gives = case.problem, relaxed.discharge_kw > _GIVES_KW
    gives[1:] |= gives[:-1].copy()
    gives[:-1] |= gives[1:].copy()
    most = np.minimum(
        relaxed.pv_kw + problem.battery.max_discharge_kw, problem.inverter.ac_limit_kw
    )
    return np.where(gives & problem.battery_obeys, np.maximum(most - supply_kw, 0.0), 0.0)


def _supplied(case: Case, decisions: Decisions) -> Array:
    """Give what sun and battery can be counted on for, less what charges from the grid, (K,) [kW].

    What charges from the sun gives way to the house.
    """
    pv = np.array([slot.flow.pv_kw for slot in decisions.modes])
    given = pv + np.where(_runs_dry(case, decisions), 0.0, _given_kw(decisions))
    drawn = np.array([_charges_kw(slot) for slot in decisions.modes])
    return np.asarray(np.maximum(_sun_alone(case), given) - drawn)


def _charges_kw(slot: ModeSlot) -> float:
    """Give what charges a battery that is told to charge [kW]."""
    return max(-slot.flow.battery_kw, 0.0) if slot.mode is BatteryMode.CHARGE_GRID else 0.0


def _given_kw(decisions: Decisions) -> Array:
    return np.array([max(slot.flow.battery_kw, 0.0) for slot in decisions.modes])


def _runs_dry(case: Case, decisions: Decisions) -> Bools:
    """Find near slots in which a battery somewhat weaker than believed would give up, (K,)."""
    soc = np.array([slot.flow.soc_frac for slot in decisions.modes])
    near = np.arange(len(soc)) < len(decisions.on)
    return np.asarray(near & (soc < case.problem.battery.min_soc_frac + _DRY_SOC))


def _overloaded(case: Case, decisions: Decisions) -> Bools:
    """Find slots in which heating or charging draws more than grid and phases bear, (K,)."""
    grid = np.array([slot.flow.grid_kw for slot in decisions.modes])
    grid += np.where(_runs_dry(case, decisions), _given_kw(decisions), 0.0)
    charging = np.array([_charges_kw(slot) > _OVERLOAD_KW for slot in decisions.modes])
    ours = decisions.duty.any(axis=1) | charging
    return np.asarray(ours & (grid > case.grid_limit_kw(decisions.duty) + _OVERLOAD_KW))


def _decided(case: Case, commitments: Commitments) -> tuple[Bools, Array]:
    """Tell the relaxation what dwell has decided, as mask and duties over all stages."""
    mask = np.zeros((len(case.stages), len(case.power_kw)), dtype=bool)
    duty = np.zeros(mask.shape)
    near = len(commitments.on)
    blocked = case.stages.blocked[:near, None]
    mask[:near] = (commitments.on | commitments.off) & ~blocked
    duty[:near] = commitments.on
    return mask, duty


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
