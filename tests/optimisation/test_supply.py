"""What power costs by its sources, and what it costs to be short of heat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.control.floor import MARGIN_K
from pems_actors.optimisation.amends import level_weights, owed_h, shortage_cost
from pems_actors.optimisation.case import case_of, floor_limits_c
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.supply import supply_of
from tests.optimisation.problems import constant, quick_problem, with_state

FORMULATION = Formulation()


def test_sun_is_used_before_the_battery_and_the_battery_before_the_grid() -> None:
    problem = constant(
        with_state(quick_problem(), soc_frac=0.9),
        pv_kw=3.0,
        base_load_kw=1.0,
        import_per_kwh=9.0,
        export_per_kwh=1.0,
    )
    case = case_of(problem, stages_of(problem))
    relaxed = FORMULATION.solve(case)
    assert relaxed is not None
    relaxed = replace(relaxed, charge_price=np.full(len(case.stages), 3.0))
    supply = supply_of(case, relaxed, case.stages.binary)
    hours, leg, wear = 0.25, problem.battery.leg_frac, problem.battery.wear_per_kwh
    slots = np.ones(case.stages.binary)

    def one_more(heat_kw: float) -> float:
        rise = supply.cost(slots * (heat_kw + 0.01)) - supply.cost(slots * heat_kw)
        return float(rise[3]) / 0.01 / hours

    spare_kw = 3.0 - 1.0  # of sun, beside the base load
    assert one_more(spare_kw - problem.battery.max_charge_kw - 0.5) == pytest.approx(1.0)
    assert one_more(spare_kw - 0.5) == pytest.approx(3.0 * leg)
    assert one_more(spare_kw + 0.5) == pytest.approx(3.0 / leg + wear)
    assert one_more(spare_kw + problem.battery.max_discharge_kw + 0.5) == pytest.approx(9.0)


def test_what_supplies_more_never_gets_cheaper() -> None:
    for kind in ("winter", "shoulder", "summer"):
        problem = instance(kind, 1)
        case = case_of(problem, stages_of(problem))
        relaxed = FORMULATION.solve(case)
        assert relaxed is not None
        supply = supply_of(case, relaxed, 16)
        powers = np.linspace(-20.0, 25.0, 91)[:, None] * np.ones(16)
        rise = np.diff(supply.cost(powers), axis=0)
        assert (np.diff(rise, axis=0) > -1e-9).all()


def test_being_short_costs_more_the_more_it_is_and_being_ahead_nothing() -> None:
    problem = quick_problem()
    case = case_of(problem, stages_of(problem))
    relaxed = FORMULATION.solve(case)
    assert relaxed is not None
    nobody = np.zeros((len(case.stages), len(problem.relays)), dtype=bool)
    cost = shortage_cost(case, relaxed, nobody, 16)
    owed = owed_h(relaxed.duty, case.stages.hours, 16)
    assert cost.shape == owed.shape == (3, 32)
    assert (cost[owed <= 0.0] == 0.0).all()
    whole = cost[:, 1::2]  # with the first slot, from few hours on to many
    assert (np.diff(whole, axis=1) <= 1e-9).all()
    assert level_weights(4).tolist() == [1, 2, 2, 2]


def test_a_floor_that_nobody_measures_is_planned_as_much_cooler_as_its_rules_keep_it() -> None:
    problem = instance("cold", 1)
    case = case_of(problem, stages_of(problem))
    limits = dict(zip(case.rooms.names, floor_limits_c(case).tolist(), strict=True))
    assert limits["obyvak"] == pytest.approx(29.0 - MARGIN_K)
    assert limits["koupelna_dole"] == pytest.approx(33.0 - MARGIN_K)
