"""The planner at its post: one question at a time, and only a sound plan goes on."""

from itertools import pairwise

import pytest

from pems_actors.actors.base import (
    CONTROL,
    ESTIMATOR,
    LOAD,
    PLAN_KEEPER,
    PLANNER,
    PRICES,
    PV,
    WEATHER,
)
from pems_actors.domain.events import (
    ComfortWish,
    HouseMode,
    ModeChanged,
    Outcome,
    PlanAdopted,
    PlanFailed,
    Republish,
)
from pems_actors.domain.findings import BatteryObeys, OutOfService
from pems_actors.domain.forecasts import Forecast
from pems_actors.domain.plan import Plan, PlanRefused, Purpose
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.solver import solve
from supervision import WorkerDone, WorkerFailed
from supervision.worker import InlineWorker
from tests.actors.kit import NOON, order
from tests.actors.plans import house_state, informed, outlook, planner, solver

HOUR_S, QUARTER_S = 3600.0, 900.0
SOLVE, BETWEEN = Purpose.SOLVE, Purpose.BETWEEN


# The planner.


def test_it_asks_everybody_for_what_they_know():
    stage = planner()
    addresses = (WEATHER, PRICES, LOAD, PV, ESTIMATOR, CONTROL)
    assert all(stage.all_heard(address, Republish) for address in addresses)


def test_without_prices_it_says_what_it_waits_for():
    stage = planner()
    stage.tell(outlook()[0], house_state())
    assert stage.status.reason == "waiting for prices, base load"
    assert not stage.all_heard(PLAN_KEEPER, PlanAdopted)


def test_a_sound_plan_reaches_the_keeper():
    stage = informed()
    stage.tell(house_state())
    stage.run(1.0)
    [adopted] = stage.all_heard(PLAN_KEEPER, PlanAdopted)
    assert adopted.plan.issued_at_s == NOON
    assert stage.status.state == "running"
    assert stage.state.planned == 1


def test_there_is_one_question_at_a_time_and_the_newest_state_comes_next():
    stage = informed()
    stage.run(5.0)
    stage.forget()
    stage.tell(house_state(), house_state(), house_state())
    assert stage.system.workers()["planning/solver"].jobs == 1
    stage.run(1.0)
    assert len(stage.all_heard(ESTIMATOR, Republish)) == 1
    stage.tell(house_state(NOON + 1.0))
    stage.run(1.0)
    assert [a.plan.issued_at_s for a in stage.all_heard(PLAN_KEEPER, PlanAdopted)] == [
        NOON,
        NOON + 1.0,
    ]
    assert len(stage.all_heard(ESTIMATOR, Republish)) == 1


def test_an_answer_to_an_old_ticket_is_ignored():
    stage = informed()
    stage.tell(house_state())
    ticket = stage.state.ticket
    stage.tell(WorkerDone("planning/solver", ticket - 1, PlanRefused("late", NOON), 9.0))
    assert stage.state.asked is not None
    assert not stage.all_heard(PLAN_KEEPER, PlanFailed)
    stage.run(1.0)
    stage.tell(WorkerDone("planning/solver", ticket, PlanRefused("twice", NOON), 9.0))
    assert not stage.all_heard(PLAN_KEEPER, PlanFailed)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("tests.actors.solvers:refusing", "no plan fits the limits"),
        ("tests.actors.solvers:talking", "the solver answered with a str"),
        ("tests.actors.solvers:lying", "battery"),
        ("tests.actors.solvers:broken", "ArithmeticError"),
    ],
)
def test_what_is_no_sound_plan_is_not_passed_on_but_told(target, said):
    stage = informed(solver(target))
    stage.tell(house_state())
    stage.run(1.0)
    assert not stage.all_heard(PLAN_KEEPER, PlanAdopted)
    assert said in stage.last(PLAN_KEEPER, PlanFailed).reason
    assert stage.status.state == "degraded"


def test_a_failure_is_tried_again_less_and_less_often():
    stage = informed(solver("tests.actors.solvers:refusing"))
    stage.run(5.0)
    stage.forget()
    asked: list[float] = []
    stage.tell(house_state())
    while len(asked) < 7:
        stage.run(1.0)
        for at_s, _ in stage.heard[ESTIMATOR]:
            asked.append(at_s)
            stage.tell(house_state(stage.now_s))
        stage.heard[ESTIMATOR].clear()
    gaps = [b - a for a, b in pairwise([NOON + 5.0, *asked])]
    assert gaps == pytest.approx([60.0, 120.0, 180.0, 240.0, 300.0, 300.0, 300.0], abs=2.0)


def test_a_worker_over_its_deadline_is_a_failure_too():
    stage = informed(solver(virtual_latency_s=(30.0, 40.0), deadline_s=20.0))
    stage.tell(house_state())
    stage.run(25.0)
    assert stage.all_heard(PLAN_KEEPER, PlanFailed)
    stage.tell(WorkerFailed("planning/solver", stage.state.ticket, "crashed", "crash", 1.0))
    assert len(stage.all_heard(PLAN_KEEPER, PlanFailed)) == 1


def test_a_wish_a_mode_and_the_first_sun_are_worth_a_new_plan():
    stage = informed()
    stage.run(5.0)
    grid = TimeGrid.uniform(NOON, 200)
    for news in (
        ComfortWish("bath", 25.0, NOON + HOUR_S, "user", "visitors"),
        ModeChanged(HouseMode.AWAY, NOON),
        Forecast("pv_kw", NOON, grid, (1.0,) * 200),
    ):
        stage.forget()
        stage.tell(news)
        stage.run(3.0)
        assert len(stage.all_heard(ESTIMATOR, Republish)) == 1
    stage.forget()
    stage.tell(Forecast("pv_kw", NOON, grid, (2.0,) * 200))
    stage.run(3.0)
    assert not stage.all_heard(ESTIMATOR, Republish)
    stage.tell(house_state())
    asked = stage.state.asked
    assert 24.0 < asked.comfort_low_c["bath"][0] < 25.0
    assert asked.comfort_low_c["living"][0] < 17.0
    assert asked.pv_kw[0] == 2.0


def test_between_two_solves_their_prices_serve():
    stage = informed()
    assert asked_for(stage, 0, 15, 30, 45, 60) == [SOLVE, BETWEEN, SOLVE, BETWEEN, SOLVE]


def test_a_plan_asked_for_out_of_turn_moves_no_solve():
    stage = informed()
    assert asked_for(stage, 0, 5, 15, 25, 30) == [SOLVE, BETWEEN, BETWEEN, BETWEEN, SOLVE]


@pytest.mark.parametrize(
    "news",
    [
        ComfortWish("bath", 25.0, NOON + HOUR_S, "user", "visitors"),
        ModeChanged(HouseMode.AWAY, NOON),
        OutOfService(NOON, dead=frozenset({"bath"})),
        BatteryObeys(NOON, obeys=False, reason="it does as it likes"),
        outlook(published_s=NOON + 30 * HOUR_S)[1],
        order(PLANNER, "replan"),
        order(PLANNER, "strategy", name="comfort"),
    ],
)
def test_news_is_worth_a_solve(news):
    stage = informed()
    asked_for(stage, 0)
    stage.tell(news)
    assert asked_for(stage, 15) == [SOLVE]


def test_news_while_a_question_is_out_is_worth_another_solve():
    stage = informed()
    stage.tell(house_state())
    stage.tell(ModeChanged(HouseMode.AWAY, NOON))
    stage.run(1.0)
    assert asked_for(stage, 15) == [SOLVE]


def test_forecasts_that_are_told_anew_wait_for_the_next_solve():
    stage = informed()
    asked_for(stage, 0)
    stage.tell(*outlook(NOON + 60.0, published_s=NOON + 200 * QUARTER_S))
    assert asked_for(stage, 15) == [BETWEEN]


def test_after_a_failure_it_is_solved():
    stage = informed()
    asked_for(stage, 0)
    stage.tell(house_state(NOON + QUARTER_S))
    ticket = stage.state.ticket
    stage.tell(WorkerDone("planning/solver", ticket, PlanRefused("no", NOON), 0.1))
    assert asked_for(stage, 16) == [SOLVE]


def asked_for(stage, *minutes):
    """Tell the house's state at some minutes; say what each question was put for."""
    purposes = []
    for minute in minutes:
        stage.tell(house_state(NOON + 60.0 * minute))
        purposes.append(stage.state.asked.purpose)
        stage.run(1.0)
    return purposes


def test_strategy_and_replan_are_orders():
    stage = planner()
    for verb, args, outcome in (
        ("replan", {}, "done"),
        ("strategy", {"name": "Comfort"}, "done"),
        ("strategy", {"name": "greed"}, "rejected"),
        ("dance", {}, "rejected"),
    ):
        stage.tell(order(PLANNER, verb, **args))
        assert stage.last(CONTROL, Outcome).outcome == outcome
    assert stage.state.outlook.weights.name == "comfort"


def test_a_successor_keeps_the_outlook_and_asks_anew():
    stage = informed()
    stage.tell(house_state())
    ticket = stage.state.ticket
    stage.crash()
    assert stage.state.asked is None
    stage.run(5.0)
    stage.tell(house_state(NOON + 5.0))
    assert stage.state.ticket > ticket + 1
    stage.run(1.0)
    assert [a.plan.issued_at_s for a in stage.all_heard(PLAN_KEEPER, PlanAdopted)] == [NOON + 5.0]


def test_the_solver_ends_with_the_planner():
    stage = planner()
    worker = stage.system.directory.find(PLANNER).life.workers["planning/solver"]
    assert isinstance(worker, InlineWorker)
    stage.system.terminate_child("planning", "planner")
    assert worker.status().ready is False


def test_the_test_plan_is_a_plan_of_the_real_solver():
    stage = informed()
    stage.tell(house_state())
    assert isinstance(solve(stage.state.asked), Plan)


def test_an_unknown_message_is_counted():
    stage = planner()
    stage.tell("what is this?")
    assert stage.system.counters()["unexpected"] == 1
