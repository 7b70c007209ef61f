"""How far our relays are from the best that branch and bound finds, on random small houses.

Both are judged by one program that reads every mode of the rooms, near relays decided and all else
at its best, under the same rests, limits and start prices, and with a battery that obeys orders: in
the near slots an order holds for as long as a mode has to. The search may do more than we: it knows
no steps of rates, no price and no count of changes, and beside the sun the battery is free. It
begins with our relays; where it finds nothing better in its time, ours are the best known. A gap is
in parts of what is at stake: the cost, or what a well-set thermostat would cost where that is more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from pems_actors.bench.planning_instances import KINDS, START_S, instance, rooms_only
from pems_actors.bench.whole_program import solved, sought
from pems_actors.domain.house import BatteryMode, Emitter
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.assembly import Decided, assemble
from pems_actors.optimisation.case import Case, case_of, shape_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import Array, stages_of
from pems_actors.optimisation.modes import ModeSlot, obeyed
from pems_actors.optimisation.plan_maker import Decisions, outcome_of, totals_of
from pems_actors.optimisation.program import Layout, Program
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.sequences import bits_of
from pems_actors.optimisation.solver import Planner, SolveOptions
from pems_actors.optimisation.switching import (
    Commitments,
    caps_of,
    commitments_of,
    history_of,
    switch_rules,
)
from pems_actors.physics.battery_modes import BatteryFlow
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw

_EASY_K = 0.3  # over which a thermostat goes from all to nothing
_LIFTS_K = (0.0, 0.3, 0.6, 1.0, 1.5)  # of its set-point over the band's low edge
_SURE = 1e-5  # of the cost: nearer is not looked for
_AT_REST = BatteryFlow(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Compared:
    """One instance: the objective of our relays, of the best known, and of a thermostat."""

    name: str
    ours: float
    best: float
    thermostat: float

    @property
    def gap(self) -> float:
        """By how much ours is dearer than the best, in parts of what is at stake."""
        return (self.ours - self.best) / max(abs(self.best), abs(self.thermostat), 1.0)


def small_houses(seeds: int) -> Iterator[tuple[str, PlanningProblem]]:
    """Draw houses of three to five rooms, half a day or a whole one, floors and panels."""
    for seed in range(seeds):
        for number, kind in enumerate(KINDS):
            for emitter in (Emitter.FLOOR, Emitter.PANEL):
                rng = np.random.default_rng([seed, number, emitter is Emitter.PANEL])
                hours = float(rng.choice([12.0, 24.0]))
                whole = instance(kind, seed, horizon_s=hours * HOUR_S, emitter=emitter)
                alone = [r.name for r in whole.relays if len(r.members) == 1]
                names = rng.choice(alone, size=int(rng.integers(3, 6)), replace=False).tolist()
                yield f"{emitter.value} {kind}", rooms_only(whole, tuple(names))


def cold_snaps(seeds: int) -> Iterator[tuple[str, PlanningProblem]]:
    """Take the whole house for six cold hours in which the limits bind, every slot whole."""
    for seed in range(seeds):
        yield "cold with cap", instance("cold", seed, grid=TimeGrid.uniform(START_S, 24))


def compared(
    name: str, problem: PlanningProblem, within_s: float, binary_h: float = 4.0
) -> Compared | None:
    """Compare one instance; None where there is no plan to compare.

    Args:
        within_s: how long branch and bound may search.    binary_h: hours of whole relays.
    """
    plan = Planner(SolveOptions(binary_h=binary_h)).solve(problem)
    case = case_of(problem, stages_of(problem, binary_h), exact=True)
    if not isinstance(plan, Plan):
        return None
    judge = _Judge(case)
    near = case.stages.binary
    on = np.array([[slot.relays[r.name] for r in problem.relays] for slot in plan.slots[:near]])
    ours = judge.of(on)
    best = judge.best(within_s, on)
    return Compared(name, ours, best, thermostat_cost(case, judge.relaxed))


class _Judge:
    """One exact case: what some relays cost, and the best that is found."""

    def __init__(self, case: Case) -> None:
        self.case, self.near = case, case.stages.binary
        relaxed = Formulation().solve(case)
        if relaxed is None:
            raise RuntimeError("the relaxed program has no sound point; look at the instance")
        self.relaxed = relaxed
        start, end = case.stages.start_s[: self.near], float(case.stages.edges_s[self.near])
        self.rules = tuple(
            switch_rules(start, relay, history_of(case, relay), end)
            for relay in case.problem.relays
        )
        self.start_cost = np.array([relay.start_cost for relay in case.problem.relays])

    def of(self, on: Array) -> float:
        """Price whole relays in the near slots, all else at its best."""
        _, cost = self._priced(on)
        starts = [r.starts(bits_of(on[None, :, m]))[0] for m, r in enumerate(self.rules)]
        return cost + float(self.start_cost @ starts)

    def best(self, within_s: float, start: Array) -> float:
        """Search better relays than some, (near slots, relays), by branch and bound from there."""
        program = self._program()
        _decide_commitments(self.case, program)
        extra = sought(program, self.case, self.rules)
        begun, _ = self._priced(start)
        options = {"time_limit": float(within_s), "mip_rel_gap": _SURE}
        x = solved(program, extra, options, begun)
        known = self.of(start)
        if x is None:
            return known
        return min(known, self.of(x[program.layout.columns["u"][: self.near]].round()))

    def _priced(self, on: Array) -> tuple[Array, float]:
        """Put all else at its best beside whole relays: the whole point, and its cost."""
        mask = np.zeros((len(self.case.stages), on.shape[1]))
        duty = mask.copy()
        mask[: self.near], duty[: self.near] = 1.0, on
        program = self._program((mask, duty))
        extra = sought(program, self.case, ())
        x = solved(program, extra, {"mip_rel_gap": _SURE})
        if x is None:
            raise RuntimeError("the judge finds no point for a plan that was accepted")
        return x, float(program.cost @ x[: program.layout.width])

    def _program(self, decided: Decided | None = None) -> Program:
        """Assemble the case; near relays are whole, so nobody has to take turns there."""
        program = assemble(self.case, Layout(shape_of(self.case)), decided)
        program.row_high[program.layout.rows["whole"][: self.near]] = np.inf
        return program


def _decide_commitments(case: Case, program: Program) -> None:
    """Decide what dwell has decided for us too."""
    near = case.stages.binary
    fixed: Commitments = commitments_of(case, caps_of(case, case.stages.pv_kw), near)
    columns = program.layout.columns["u"][:near]
    program.fix(columns[fixed.on], 1.0)
    program.fix(columns[fixed.off], 0.0)


def thermostat_cost(case: Case, relaxed: Relaxed) -> float:
    """Price what a thermostat does at its best set-point, the inverter left alone."""
    return min(_cost_at(case, relaxed, lift_k) for lift_k in _LIFTS_K)


def _cost_at(case: Case, relaxed: Relaxed, lift_k: float) -> float:
    problem, stages = case.problem, case.stages
    duty = _thermostat_duty(case, lift_k)
    load = stages.base_kw + duty @ case.power_kw
    alone = (ModeSlot(BatteryMode.SELF_USE, None, None, _AT_REST),) * len(stages)
    nothing = np.zeros((0, len(problem.relays)), dtype=bool)
    none, modes = Commitments(nothing, nothing, ()), obeyed(case, load, alone)
    decisions = Decisions(nothing, duty, modes, none, relaxed, case)
    return totals_of(case, decisions, outcome_of(case, decisions))["objective"]


def _thermostat_duty(case: Case, lift_k: float) -> Array:
    """Give each relay the more duty the colder its neediest room is, under the grid's limit."""
    problem, stages = case.problem, case.stages
    dynamics = HouseDynamics(problem.model)
    temps = dynamics.pack(problem.state.rooms)
    drift = [problem.state.disturbance_kw.get(name, 0.0) for name in dynamics.names]
    shares = heat_shares_kw(problem.model, problem.relays)
    rows = []
    for k, hours in enumerate(stages.hours.tolist()):
        step = dynamics.matrices(hours * HOUR_S)
        air = temps[dynamics.rooms : 2 * dynamics.rooms]
        needs = np.clip((stages.low_c[k] + lift_k - air) / _EASY_K, 0.0, 1.0)
        duty = np.array([needs[heated].max() for heated in case.share > 0.0])
        duty *= 0.0 if stages.blocked[k] else 1.0
        room_kw = min(problem.limits.heating_kw, problem.limits.grid_kw - float(stages.base_kw[k]))
        duty *= min(1.0, room_kw / max(float(duty @ case.power_kw), 1e-9))
        temps = step.a @ temps + step.heat @ (shares @ duty) + step.gain @ drift + step.internal
        temps = temps + step.outdoor * stages.outdoor_c[k] + step.ghi * stages.ghi_w_m2[k]
        rows.append(duty)
    return np.array(rows)


def by_phase(found: Sequence[Compared]) -> dict[str, dict[str, float]]:
    """Tell median and worst gap of each kind of instance."""
    phases = dict.fromkeys(each.name for each in found)
    gaps = {name: [each.gap for each in found if each.name == name] for name in phases}
    return {
        name: {"median": median(of), "worst": max(of), "instances": len(of)}
        for name, of in gaps.items()
    }
