"""The solver's desk in a measured run: the product's planner, asked by the product's own actor.

The virtual runtime loads a solver by its name, so what the run at hand wants of it stands in this
module (`at_desk`). What a variant changes, it changes here: in the problem before it is solved, or
in the plan afterwards. Every plan is noted for the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from pems_actors.bench.closed_loop.battery_powers import by_powers
from pems_actors.bench.closed_loop.hedging import HedgedPlanner
from pems_actors.bench.closed_loop.retelling import retold
from pems_actors.bench.closed_loop.variants import Variant
from pems_actors.bench.closed_loop.world import World
from pems_actors.domain.plan import HouseState, Plan, PlanningProblem, PlanRefused
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.optimisation.solver import Planner, SolveOptions
from pems_actors.optimisation.validator import validate
from pems_actors.physics.house_model import HouseDynamics

Answer = Plan | PlanRefused
SOLVER = "pems_actors.bench.closed_loop.solver_desk:factory"
_FREE_KW = 0.15
_DAY_PLAN_S = DAY_S + HOUR_S  # a schedule of the day holds until the next one is there


@dataclass
class Desk:
    """What one run wants of the solver, and what it has answered so far."""

    world: World
    variant: Variant
    plans: list[Plan] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        valid_s = _DAY_PLAN_S if self.variant.once_a_day else SolveOptions().valid_s
        kind = HedgedPlanner if self.variant.hedged else Planner
        self._planner = kind(SolveOptions(valid_s=valid_s))

    def answer(self, problem: PlanningProblem) -> Answer:
        """Answer one problem of the core as the variant would."""
        why = self._closed(problem.state.at_s)
        if why:
            return PlanRefused(why, problem.issued_at_s)
        plan = self._planned(problem)
        if isinstance(plan, PlanRefused):
            self.refused.append(plan.reason)
            return plan
        self.plans.append(plan)
        self.cpu_s.append(plan.solver.cpu_s)
        return self._last(plan) if self.variant.forgets else plan

    def _planned(self, problem: PlanningProblem) -> Answer:
        """Plan as the variant would; where the core would refuse that, plan as the product."""
        variant = self.variant
        seen = _at_rest(problem) if variant.no_estimator else problem
        seen = self._foreseen(seen) if variant.exact else seen
        plan = self._planner.solve(seen)
        if isinstance(plan, PlanRefused) or (seen is problem and not variant.powers):
            return plan
        plan = by_powers(seen, plan) if variant.powers else plan
        plan = retold(problem, plan)
        refusal = validate(problem, plan).refusal
        if refusal is None:
            return plan
        self.refused.append(refusal)
        return self._planner.solve(problem)

    def _closed(self, at_s: float) -> str:
        """Say why there is no plan now; empty if there may be one."""
        start_s, away_h = self.world.span.start_s, self.variant.away_after_h
        if not self.variant.plans or at_s < start_s:
            return "the run-in is by rules"
        if away_h is not None and at_s >= start_s + away_h * HOUR_S:
            return "the planner is away"
        if self.variant.once_a_day and self.plans and at_s - self._day_s < DAY_S:
            return "the schedule of the day is in force"
        return ""

    @property
    def _day_s(self) -> float:
        """When the last plan was made, at the edge for which it was made."""
        return self.plans[-1].slots[0].start_s

    def _last(self, plan: Plan) -> Plan:
        """Let no plan reach beyond the time from which it is to be forgotten."""
        end_s = self.world.span.start_s + (self.variant.away_after_h or 0.0) * HOUR_S
        return replace(
            plan,
            valid_until_s=min(plan.valid_until_s, end_s),
            path_until_s=min(plan.path_until_s, end_s),
            known_until_s=min(plan.known_until_s, end_s),
        )

    def _foreseen(self, problem: PlanningProblem) -> PlanningProblem:
        """Put what will be in the place of what is forecast.

        A little of each phase stays free: the core judges plans by its own forecasts.
        """
        actual, grid, limits = self.world.scenario.actual, problem.grid, problem.limits
        return replace(
            problem,
            limits=replace(
                limits,
                breaker_a=limits.breaker_a - _FREE_KW * 1000.0 / limits.voltage_v,
                import_kw=limits.import_kw - _FREE_KW,
            ),
            outdoor_c=actual("outdoor_c", grid),
            ghi_w_m2=actual("ghi_w_m2", grid),
            pv_kw=actual("pv_kw", grid),
            base_load_kw=actual("base_load_kw", grid),
        )


def _at_rest(problem: PlanningProblem) -> PlanningProblem:
    """Believe that rooms have long been held at what their thermometers say."""
    state, dynamics = problem.state, HouseDynamics(problem.model)
    air = np.array([state.rooms[name].air_c for name in dynamics.names])
    temps = dynamics.steady_temps(air, problem.outdoor_c[0])
    temps[: len(air)] = np.maximum(temps[: len(air)], air)
    rested: HouseState = replace(state, rooms=dynamics.unpack(temps), disturbance_kw={})
    return replace(problem, state=rested)


_desk: Desk | None = None


@contextmanager
def at_desk(desk: Desk) -> Iterator[Desk]:
    """Let a run's desk answer what its solver is asked."""
    global _desk
    before, _desk = _desk, desk
    try:
        yield desk
    finally:
        _desk = before


def factory() -> Callable[[PlanningProblem], Answer]:
    """Make the solver's handle for the run at hand. Raises: LookupError outside of a run."""
    if _desk is None:
        raise LookupError("no run is at the desk; open one with at_desk()")
    return _desk.answer
