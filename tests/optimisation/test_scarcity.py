"""Where power is short, the battery's orders are chosen with what heating makes of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.planning_instances import START_S, instance
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation import solver
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import ModeSlot
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.scarcity import _fullest, modes_where_scarce
from pems_actors.optimisation.sequences import Bools
from pems_actors.optimisation.solver import Planner
from pems_actors.optimisation.switching import caps_of
from tests.optimisation.test_relays import near_of


def best_of_all_sets(near: Near, room_kw: Array, worth: Array, k: int) -> float:
    relays = near.case.power_kw.size
    sets: Bools = (np.arange(2**relays)[:, None] >> np.arange(relays) & 1).astype(bool)
    fits = (sets @ near.caps.use.T <= room_kw[:, k] + 1e-6).all(axis=1)
    fits &= ~(sets & (near.commitments.off | near.closed[: near.slots])[k]).any(axis=1)
    fits &= (sets | ~near.commitments.on[k]).all(axis=1)
    return float((sets[fits] @ worth).max())


def chosen_afterwards(near: Near, *_: object) -> tuple[ModeSlot, ...]:
    return Planner()._settle(near).modes


def objective(problem: PlanningProblem) -> float:
    plan = Planner().solve(problem)
    assert isinstance(plan, Plan)
    return plan.totals["objective"]


def test_the_relays_that_fit_beside_an_order_keep_every_limit_and_are_worth_most() -> None:
    near = near_of(instance("cold", 1))
    room_kw = caps_of(near.case, near.case.stages.pv_kw[: near.slots]).room_kw
    on = _fullest(near, room_kw[None], np.arange(near.slots))[0]
    assert (near.caps.use @ on.T <= room_kw + 1e-6).all()
    worth = near.relaxed.heat_price @ near.case.share.T * near.case.power_kw
    for k in range(0, near.slots, 5):
        most = best_of_all_sets(near, room_kw, worth[k], k)
        assert on[k] @ worth[k] >= 0.99 * most


@pytest.mark.parametrize("seed", [0, 5])
def test_orders_chosen_with_the_heating_beat_those_chosen_after_it(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = instance("cold", seed)
    together = objective(problem)
    monkeypatch.setattr(solver, "modes_where_scarce", chosen_afterwards)
    assert together < 0.98 * objective(problem)


def test_gaps_that_whole_relays_leave_charge_the_battery() -> None:
    near = near_of(instance("cold", 2, grid=TimeGrid.uniform(START_S, 24)))
    modes = modes_where_scarce(near, near.case.stages.pv_kw)
    charging = [slot for slot in modes if slot.mode is BatteryMode.CHARGE_GRID]
    assert charging
    assert any(slot.mode is BatteryMode.SELL for slot in modes)
    assert all(slot.flow.grid_kw <= near.case.problem.limits.grid_kw + 1e-6 for slot in charging)


def test_an_inverter_that_obeys_nobody_is_left_in_self_use() -> None:
    problem = replace(instance("cold", 1), battery_obeys=False)
    near = near_of(problem)
    modes = modes_where_scarce(near, near.case.stages.pv_kw)
    assert {slot.mode for slot in modes} == {BatteryMode.SELF_USE}


def test_where_nothing_is_short_every_slot_has_its_order_too() -> None:
    problem = instance("winter", 0)
    blocked = replace(problem, heating_blocked=(True,) * len(problem.grid))
    near = near_of(blocked)
    modes = modes_where_scarce(near, near.case.stages.pv_kw)
    assert len(modes) == len(near.case.stages)
