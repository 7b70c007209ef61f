"""Stand-ins for the workers' native code, made to answer as a test needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pems_actors.domain.plan import PlanningProblem, PlanRefused
from pems_actors.forecasting.pv_job import PvJob


def sun_factory() -> Callable[[PvJob], tuple[float, ...]]:
    """Physics that give 2 kW whenever the sky lets through anything."""
    return lambda job: tuple(2.0 if ghi else 0.0 for ghi in job.weather.ghi_w_m2)


def broken() -> Callable[[object], Any]:
    """A worker whose every job fails."""

    def handle(job: object) -> Any:
        raise ArithmeticError(f"no answer to a {type(job).__name__}")

    return handle


def refusing() -> Callable[[PlanningProblem], PlanRefused]:
    """A solver that never finds a plan."""
    return lambda problem: PlanRefused("no plan fits the limits", problem.issued_at_s)


def talking() -> Callable[[PlanningProblem], str]:
    """A solver that answers with something else."""
    return lambda _: "forty-two"


def lying() -> Callable[[PlanningProblem], Any]:
    """A solver whose plan breaks a hard limit."""
    from pems_actors.optimisation.solver import solve

    def handle(problem: PlanningProblem) -> Any:
        plan = solve(problem)
        first = replace(plan.slots[0], battery_kw=50.0)
        return replace(plan, slots=(first, *plan.slots[1:]))

    return handle
