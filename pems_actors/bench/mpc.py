"""`pems bench mpc`: what a plan costs in time, and how far its relays are from the best known.

Times are CPU seconds of one thread from problem to validated plan, solvers warm, except `plan_s_*`,
which is what a clock on the wall says. Floors and panels stand apart, and every kind of weather.
`replan` is a plan by the prices of the last solve. The gaps are told in `mpc_oracle`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from pems_actors.bench.mpc_oracle import Compared, by_phase, cold_snaps, compared, small_houses
from pems_actors.bench.planning_instances import (
    KINDS,
    START_S,
    advanced,
    instance,
    rooms_only,
    wider,
)
from pems_actors.bench.report import Target, report
from pems_actors.domain.house import Emitter
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.optimisation.grid import coarsened
from pems_actors.optimisation.solver import Planner, SolveOptions

TARGETS = {
    "cpu_s_p50": Target("<=", 0.15),
    "cpu_s_p99": Target("<=", 0.30),
    "panels_cpu_s_p50": Target("<=", 0.10),
    "replan_s_p50": Target("<=", 0.02),
    "full_integer_s_p50": Target("<=", 1.0),
    "oracle_gap_median": Target("<=", 0.0005),
    "oracle_gap_worst": Target("<=", 0.003),
    "cold_cap_gap_worst": Target("<=", 0.005),
    "refused": Target("<=", 0.0),
}
HORIZONS_H = (1.0, 6.0, 24.0, 48.0)
ROOMS = (1, 2, 4, 8, 17, 32)
_SOLVES_EVERY = 4  # quarter hours between solves where plans in between go by the last prices
_MEMORY = """
import resource
from pems_actors.bench.planning_instances import instance
from pems_actors.optimisation.solver import factory
factory()(instance("winter", 0))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
"""


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure everything; some fifteen minutes, `quick` under one.

    Returns: one object of figures, as architecture tells.
    """
    planner = Planner()
    floors = by_kind(planner, 3 if quick else 16, Emitter.FLOOR)
    panels = by_kind(planner, 2 if quick else 8, Emitter.PANEL)
    plans = [plan for told, _ in floors.values() for plan in told]
    cpu = [plan.solver.cpu_s for plan in plans]
    panels_cpu = [plan.solver.cpu_s for told, _ in panels.values() for plan in told]
    wall = [plan.solver.wall_s for plan in plans]
    figures: dict[str, object] = {
        "plan_s_p50": median(wall),
        "plan_s_p99": _p99(wall),
        "cpu_s_p50": median(cpu),
        "cpu_s_p99": _p99(cpu),
        "panels_cpu_s_p50": median(panels_cpu),
        "panels_cpu_s_p99": _p99(panels_cpu),
        "floors_s": _kinds(floors),
        "panels_s": _kinds(panels),
        "replan_s_p50": replan_time(6 if quick else 24),
        "full_integer_s_p50": full_integer_time(1 if quick else 4),
        "relaxation_gap_median": median(_gap(plan) for plan in plans),
        "relaxation_gap_worst": max(_gap(plan) for plan in plans),
        **gap_figures(quick=quick),
        "worker_rss_mb": worker_memory_mb(),
        "horizon_s": {f"{h:g}": horizon_time(planner, h) for h in HORIZONS_H},
        "rooms_s": {str(n): rooms_time(planner, n, 1 if quick else 2) for n in ROOMS},
        "instances": len(cpu) + len(panels_cpu),
        "refused": sum(refused for _, refused in [*floors.values(), *panels.values()]),
    }
    return report("mpc", figures, TARGETS)


def by_kind(planner: Planner, seeds: int, emitter: Emitter) -> dict[str, tuple[list[Plan], int]]:
    """Solve the same houses in all kinds of weather: plans, and how many were refused."""
    planner.solve(instance(KINDS[0], 0, emitter=emitter))
    return {
        kind: _solved(planner, (instance(kind, s, emitter=emitter) for s in range(seeds)))
        for kind in KINDS
    }


def _kinds(plans: dict[str, tuple[list[Plan], int]]) -> dict[str, float]:
    return {kind: median(p.solver.cpu_s for p in told) for kind, (told, _) in plans.items()}


def _p99(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.99))


def _solved(planner: Planner, problems: Iterable[PlanningProblem]) -> tuple[list[Plan], int]:
    answers = [planner.solve(problem) for problem in problems]
    plans = [answer for answer in answers if isinstance(answer, Plan)]
    return plans, len(answers) - len(plans)


def _gap(plan: Plan) -> float:
    bound = plan.solver.bound or plan.solver.objective
    return (plan.solver.objective - bound) / max(abs(bound), 1.0)


def cpu_times(planner: Planner, problems: Sequence[PlanningProblem]) -> list[float]:
    """Solve problems once each after one for warmth, and give their CPU seconds."""
    planner.solve(problems[0])
    plans, _ = _solved(planner, problems)
    return [plan.solver.cpu_s for plan in plans]


def horizon_time(planner: Planner, hours: float) -> float:
    """Median time for all rooms and a horizon."""
    return median(cpu_times(planner, [instance(k, 0, horizon_s=hours * HOUR_S) for k in KINDS]))


def rooms_time(planner: Planner, rooms: int, seeds: int = 1) -> float:
    """Median time for 48 h and a number of rooms."""
    problems = [instance(kind, seed) for seed in range(seeds) for kind in KINDS]
    return median(cpu_times(planner, [with_rooms(problem, rooms) for problem in problems]))


def with_rooms(problem: PlanningProblem, rooms: int) -> PlanningProblem:
    """Keep so many rooms, or build a second house on to it first."""
    whole = problem if rooms <= len(problem.model.rooms) else wider(problem)
    shared = {n for relay in whole.relays if len(relay.members) > 1 for n, _ in relay.members}
    names = [room.name for room in whole.model.rooms]
    names.sort(key=lambda name: name in shared)  # what one relay heats comes together, and last
    return rooms_only(whole, tuple(names[:rooms]))


def replan_time(steps: int) -> float:
    """Median time of plans by the last prices, in a house that does what it is told."""
    planner, times = Planner(), []
    fine = instance("winter", 1, grid=TimeGrid.uniform(START_S, 4 * 96))
    state = fine.state
    for step in range(steps * _SOLVES_EVERY // (_SOLVES_EVERY - 1)):
        now = START_S + step * QUARTER_S
        problem = replace(
            coarsened(fine, TimeGrid.planning(now, 2 * DAY_S)), issued_at_s=now, state=state
        )
        again = step % _SOLVES_EVERY != 0
        plan = planner.replan(problem) if again else planner.solve(problem)
        if not isinstance(plan, Plan):
            raise TypeError(plan.reason)
        if again:
            times.append(plan.solver.cpu_s)
        state = advanced(problem, plan)
    return median(times)


def full_integer_time(seeds: int) -> float:
    """Median time with whole relays in all 192 quarter hours of two days."""
    planner = Planner(SolveOptions(binary_h=48.0))
    grid = TimeGrid.uniform(START_S, 192)
    return median(cpu_times(planner, [instance("winter", s, grid=grid) for s in range(seeds)]))


def gap_figures(*, quick: bool = False) -> dict[str, object]:
    """Compare with the oracle: small houses of every kind, and the cap that binds in the cold."""
    small = oracle_gaps(1 if quick else 4, within_s=1.0 if quick else 20.0)
    snaps = _compared(cold_snaps(1 if quick else 8), 10.0 if quick else 60.0, 6.0)
    gaps = [each.gap for each in small]
    return {
        "oracle_gap_median": median(gaps) if gaps else None,
        "oracle_gap_worst": max(gaps, default=None),
        "oracle_gaps": by_phase(small),
        "oracle_instances": len(gaps),
        "cold_cap_gap_worst": max((each.gap for each in snaps), default=None),
        "cold_cap_gaps": [each.gap for each in snaps],
        "cold_cap_instances": len(snaps),
    }


def oracle_gaps(seeds: int, within_s: float) -> list[Compared]:
    """Compare our relays with the best found by branch and bound, on small houses."""
    return _compared(small_houses(seeds), within_s, 4.0)


def _compared(
    problems: Iterable[tuple[str, PlanningProblem]], within_s: float, binary_h: float
) -> list[Compared]:
    """Compare all that have a plan."""
    found = [compared(name, problem, within_s, binary_h) for name, problem in problems]
    return [each for each in found if each is not None]


def worker_memory_mb() -> float:
    """Largest resident memory of a fresh worker after one plan [MB]."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)
