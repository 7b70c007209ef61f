"""What is left at the end is worth what it will save, and not more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.domain.plan import PlanningProblem
from pems_actors.optimisation.case import case_of
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.worth import EndWorth
from pems_actors.physics.house_model import HouseDynamics
from tests.optimisation.problems import band, constant, quick_problem


def worth_of(problem: PlanningProblem) -> EndWorth:
    return case_of(problem, stages_of(problem)).worth


def test_charge_is_worth_what_it_saves_less_wear_and_losses() -> None:
    problem = constant(quick_problem(24.0), import_per_kwh=5.0, pv_kw=0.0, base_load_kw=1.0)
    leg = problem.battery.leg_frac
    assert worth_of(problem).charge_per_kwh == pytest.approx(leg * (5.0 - 1.0))


def test_charge_is_worth_nothing_where_the_sun_covers_everything_or_wear_eats_it() -> None:
    sunny = constant(quick_problem(24.0), pv_kw=6.0, base_load_kw=1.0)
    assert worth_of(sunny).charge_per_kwh == 0.0
    cheap = constant(quick_problem(24.0), import_per_kwh=0.6, pv_kw=0.0)
    assert worth_of(cheap).charge_per_kwh == 0.0


def test_heat_is_worth_the_mean_price_of_the_hours_that_may_heat() -> None:
    problem = quick_problem(24.0)
    hours = (np.array(problem.grid.starts_s) - problem.grid.start_s) / 3600.0
    dear = hours >= 18.0
    prices = tuple(np.where(dear, 9.0, 3.0).tolist())
    blocked = replace(problem, import_per_kwh=prices, heating_blocked=tuple(dear.tolist()))
    assert worth_of(blocked).heat_per_kwh == pytest.approx(3.0)
    assert worth_of(constant(problem, import_per_kwh=-2.0)).heat_per_kwh == 0.0


def test_the_heat_wanted_at_the_end_holds_the_low_edge_of_the_band() -> None:
    problem = constant(band(quick_problem(24.0), 20.5, 22.0), outdoor_c=-3.0, ghi_w_m2=0.0)
    dynamics = HouseDynamics(problem.model)
    steady = dynamics.steady_temps(np.full(3, 20.5), -3.0).reshape(3, 3)
    wanted = worth_of(problem).wanted_k + 20.0
    assert wanted[0] == pytest.approx(steady[0], abs=1e-6)
    assert wanted[1] == pytest.approx(steady[2], abs=1e-6)
