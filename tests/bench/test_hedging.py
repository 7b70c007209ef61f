"""Planning before several futures: they lie about the forecast, and their plan is a sound one."""

import numpy as np
import pytest

from pems_actors.bench.closed_loop.hedging import PAIRS, HedgedPlanner, futures, mean_of
from pems_actors.bench.planning_instances import instance
from pems_actors.domain.plan import Plan
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.solver import SolveOptions

PROBLEM = instance("shoulder", 3, horizon_s=12 * HOUR_S)


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(PROBLEM, stages_of(PROBLEM))


def test_futures_lie_about_the_forecast_and_spread_with_the_hours(case: Case) -> None:
    found = list(futures(case))
    assert len(found) == 2 * PAIRS
    for name in ("outdoor_c", "ghi_w_m2", "pv_kw", "base_kw"):
        each = np.array([getattr(future.stages, name) for future in found])
        assert each.mean(axis=0) == pytest.approx(getattr(case.stages, name), abs=1e-9)
    spread = np.array([future.stages.outdoor_c for future in found]).std(axis=0)
    assert spread[-8:].mean() > spread[:8].mean() > 0.0


def test_futures_stay_the_same_while_no_weather_is_issued(case: Case) -> None:
    first, again = (next(futures(case)).stages for _ in range(2))
    assert first.outdoor_c.tolist() == again.outdoor_c.tolist()


def test_the_mean_of_one_plan_is_that_plan(case: Case) -> None:
    relaxed = Formulation().solve(case)
    assert relaxed is not None
    mean = mean_of([relaxed, relaxed])
    assert np.allclose(mean.duty, relaxed.duty)
    assert np.allclose(mean.heat_price, relaxed.heat_price)


def test_a_plan_before_several_futures_is_carried_out_on_the_forecast() -> None:
    plan = HedgedPlanner(SolveOptions()).solve(PROBLEM)
    assert isinstance(plan, Plan)
    base_kw = [slot.base_load_kw for slot in plan.slots]
    assert base_kw == pytest.approx(list(PROBLEM.base_load_kw))
