"""`pems bench mpc`: what a plan costs in time, and how far its relays are from the best known.

Times are CPU seconds of one thread from problem to validated plan, solvers warm, except `plan_s_*`,
which is what a clock on the wall says. The oracle searches the same program, relays whole in the
first hours, by branch and bound; gaps are of the objective, in parts of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from pems_actors.bench.planning_instances import KINDS, START_S, instance, rooms_only
from pems_actors.bench.report import Target, report
from pems_actors.domain.house import Emitter
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.optimisation.case import case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import coarsened, stages_of
from pems_actors.optimisation.solver import Planner, SolveOptions

TARGETS = {
    "cpu_s_p50": Target("<=", 0.15),
    "cpu_s_p99": Target("<=", 0.30),
    "panels_cpu_s_p50": Target("<=", 0.10),
    "refused": Target("<=", 0.0),
}
_SMALL_ROOMS = ("loznice", "pracovna", "koupelna_dole", "hosti")
_MEMORY = """
import resource
from pems_actors.bench.planning_instances import instance
from pems_actors.optimisation.solver import factory
factory()(instance("winter", 0))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
"""


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure everything; a few minutes, `quick` under half of one.

    Returns: one object of figures, as architecture tells.
    """
    seeds = range(8 if quick else 40)
    planner = Planner()
    problems = [instance(kind, seed) for seed in seeds for kind in KINDS]
    planner.solve(problems[0])
    plans, refused = _solved(planner, problems)
    cpu, wall = [p.solver.cpu_s for p in plans], [p.solver.wall_s for p in plans]
    gaps = oracle_gaps(seeds=2 if quick else 8, within_s=4.0 if quick else 20.0)
    figures: dict[str, object] = {
        "plan_s_p50": median(wall),
        "plan_s_p99": float(np.quantile(wall, 0.99)),
        "cpu_s_p50": median(cpu),
        "cpu_s_p99": float(np.quantile(cpu, 0.99)),
        "panels_cpu_s_p50": panels_time(planner, 2 if quick else 8),
        "replan_s_p50": replan_time(planner, 6 if quick else 24),
        "full_integer_s_p50": full_integer_time(1 if quick else 4),
        "relaxation_gap_median": median(_gap(plan) for plan in plans),
        "relaxation_gap_worst": max(_gap(plan) for plan in plans),
        "oracle_gap_median": median(gaps),
        "oracle_gap_worst": max(gaps),
        "worker_rss_mb": worker_memory_mb(),
        "horizon_s": {f"{h:g}": horizon_time(planner, h) for h in (12.0, 24.0, 48.0)},
        "rooms_s": {str(n): rooms_time(planner, n) for n in (1, 4, 8, 17)},
        "instances": len(problems),
        "refused": refused,
    }
    return report("mpc", figures, TARGETS)


def _solved(planner: Planner, problems: Iterable[PlanningProblem]) -> tuple[list[Plan], int]:
    answers = [planner.solve(problem) for problem in problems]
    plans = [answer for answer in answers if isinstance(answer, Plan)]
    return plans, len(answers) - len(plans)


def _gap(plan: Plan) -> float:
    bound = plan.solver.bound or plan.solver.objective
    return plan.solver.objective / bound - 1.0


def cpu_times(planner: Planner, problems: Sequence[PlanningProblem]) -> list[float]:
    """Solve problems once each after one for warmth, and give their CPU seconds."""
    planner.solve(problems[0])
    plans, _ = _solved(planner, problems)
    return [plan.solver.cpu_s for plan in plans]


def panels_time(planner: Planner, seeds: int) -> float:
    """Median time for the same house with panels instead of floors."""
    problems = [
        instance(kind, seed, emitter=Emitter.PANEL) for seed in range(seeds) for kind in KINDS
    ]
    return median(cpu_times(planner, problems))


def horizon_time(planner: Planner, hours: float) -> float:
    """Median time for all rooms and a horizon."""
    return median(cpu_times(planner, [instance(k, 0, horizon_s=hours * HOUR_S) for k in KINDS]))


def rooms_time(planner: Planner, rooms: int) -> float:
    """Median time for 48 h and a number of rooms."""
    whole = instance("winter", 0)
    shared = {"obyvak", "kuchyne"}  # one relay heats both: they come together, and last
    names = [r.name for r in whole.model.rooms if r.name not in shared]
    names = [*names, *sorted(shared)][:rooms]
    return median(cpu_times(planner, [rooms_only(instance(k, 0), tuple(names)) for k in KINDS]))


def replan_time(planner: Planner, steps: int) -> float:
    """Median time of the next plans, each a quarter of an hour after the last one."""
    fine = instance("winter", 1, grid=TimeGrid.uniform(START_S, 4 * 96))
    state, times = fine.state, []
    for step in range(steps):
        now = START_S + step * QUARTER_S
        grid = TimeGrid.planning(now, 2 * DAY_S)
        problem = replace(coarsened(fine, grid), issued_at_s=now, state=state)
        answer = planner.solve(problem)
        if not isinstance(answer, Plan):
            continue
        times.append(answer.solver.cpu_s)
        first = answer.slots[0]
        rooms = {
            name: replace(room, air_c=first.temps_c[name]) for name, room in state.rooms.items()
        }
        state = replace(state, at_s=now + QUARTER_S, rooms=rooms, soc_frac=first.soc_frac)
    return median(times)


def full_integer_time(seeds: int) -> float:
    """Median time with whole relays in all 192 quarter hours of two days."""
    planner = Planner(SolveOptions(binary_h=48.0))
    grid = TimeGrid.uniform(START_S, 192)
    return median(cpu_times(planner, [instance("winter", s, grid=grid) for s in range(seeds)]))


def oracle_gaps(seeds: int, within_s: float) -> list[float]:
    """Compare our relays with the best found by branch and bound, on four rooms and 24 h.

    Both are judged by the same relaxed program with the near relays decided.
    """
    gaps = []
    for seed in range(seeds):
        for kind in KINDS:
            problem = rooms_only(instance(kind, seed, horizon_s=24 * HOUR_S), _SMALL_ROOMS)
            gap = _oracle_gap(problem, within_s)
            if gap is not None:
                gaps.append(gap)
    return gaps


def _oracle_gap(problem: PlanningProblem, within_s: float) -> float | None:
    plan = Planner().solve(problem)
    case = case_of(problem, stages_of(problem), exact=True)
    near = case.stages.binary
    if not isinstance(plan, Plan):
        return None
    mask, duty = np.zeros((len(case.stages), len(problem.relays))), None
    mask[:near] = 1.0
    duty = np.array([[slot.relays[r.name] for r in problem.relays] for slot in plan.slots], float)
    formulation = Formulation()
    ours = formulation.solve(case, (mask, duty))
    best = formulation.best_known(case, near, within_s)
    if ours is None or best is None:
        return None
    return (ours.objective - best) / max(abs(best), 1.0)


def worker_memory_mb() -> float:
    """Largest resident memory of a fresh worker after one plan [MB]."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)
