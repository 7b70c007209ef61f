"""An inverter that takes powers: another rate in any slot, and a plan that makes use of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache

import numpy as np

from config import PRESETS, load
from pems_actors.bench.planning_instances import instance
from pems_actors.blueprint import house_from
from pems_actors.domain.house import InverterModel
from pems_actors.domain.plan import Plan
from tests.optimisation.problems import plan_for

KINDS = ("winter", "cold", "shoulder", "summer")


@cache
def of_powers() -> InverterModel:
    """Read the reference house's inverter as one that takes powers."""
    loaded = load(PRESETS["house17"], env={"PEMS_INVERTER__CAPABILITY": "power"})
    return house_from(loaded.system).inverter


@cache
def plans(kind: str) -> tuple[Plan, Plan]:
    """Plan one instance with modes and with powers."""
    problem = instance(kind, 2)
    return plan_for(problem), plan_for(replace(problem, inverter=of_powers()))


def changes(plan: Plan) -> int:
    orders = [(slot.battery_mode, slot.battery_rate_kw) for slot in plan.slots]
    return sum(a != b for a, b in itertools.pairwise(orders))


def test_no_limit_on_changes_writes_or_minutes_holds_for_it():
    inverter = of_powers()
    assert inverter.takes_powers
    assert inverter.min_mode_s == 0.0
    assert min(inverter.max_mode_changes_per_day, inverter.max_writes_per_day) >= 1440


def test_where_it_pays_it_is_told_another_power_far_more_often_than_modes_may_change():
    for kind in ("shoulder", "summer"):
        by_modes, by_powers = plans(kind)
        assert changes(by_powers) > 1.5 * changes(by_modes)


def test_freedom_costs_nothing_and_is_worth_something():
    spared = [1.0 - p.totals["objective"] / m.totals["objective"] for m, p in map(plans, KINDS)]
    assert min(spared) >= 0.0
    assert np.mean(spared) > 0.002


def test_every_balance_closes():
    for kind in KINDS:
        for slot in plans(kind)[1].slots:
            used_kw = slot.base_load_kw + sum(slot.heat_kw.values())
            assert abs(slot.grid_kw + slot.battery_kw + slot.pv_kw - used_kw) < 1e-6
