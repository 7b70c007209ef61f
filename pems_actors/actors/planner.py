"""The planner: asks the solver for a plan at every step, and lets only a sound one pass.

The MPC itself runs in a worker process. This actor puts the problem together, judges the answer
by the validator (its own code path), and tells the plan keeper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pems_actors.actors.base import (
    BATTERY,
    CONTROL,
    ESTIMATOR,
    INSPECTOR,
    LOAD,
    PLAN_KEEPER,
    PRICES,
    PV,
    WEATHER,
    HouseActor,
    load_address,
    room_address,
)
from pems_actors.actors.planner_curve import CurveInHand
from pems_actors.actors.planner_orders import answered
from pems_actors.domain.events import (
    ComfortWish,
    ModeChanged,
    Outcome,
    PlanAdopted,
    PlanFailed,
    Republish,
    Request,
    StateEstimated,
    Tick,
)
from pems_actors.domain.findings import BatteryObeys, ClockJumped, OutOfService
from pems_actors.domain.flexible_load import LoadWanted
from pems_actors.domain.forecasts import Forecast, PriceCurve, WeatherForecast
from pems_actors.domain.house import House, HouseModel, house_by
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import HouseState, Plan, PlanningProblem, PlanRefused, Purpose
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.outlook import Outlook, planning_problem
from pems_actors.optimisation.validator import validate
from supervision import Context, Health
from supervision.worker import WorkerDone, WorkerFailed, WorkerSpec

SOON_S = 2.0
SOLVE_S = 1800.0  # between two solves their prices serve, unless there is news


@dataclass(frozen=True, slots=True)
class Overdue:
    """The planner's own reminder: by now the answer to this ticket should have come."""

    ticket: int


@dataclass(frozen=True, slots=True)
class PlannerMind:
    """What the planner has been told, and the problem that is out for solution."""

    outlook: Outlook = field(default_factory=Outlook)
    house_state: HouseState | None = None
    model: HouseModel | None = None  # by which it was estimated; None: as configured
    ticket: int = 0
    asked: PlanningProblem | None = None
    solved_s: float | None = None  # for when it was last solved; None: there is news since
    failures: int = 0
    planned: int = 0
    waiting: bool = False  # a fresh question came while one was out
    curve: CurveInHand | None = None  # a cost-comfort curve that somebody asked for
    curves: int = 0


class PlannerActor(HouseActor):
    """One problem out at a time; an answer to an old question is not looked at."""

    state: PlannerMind

    def __init__(
        self, context: Context, house: House, worker: WorkerSpec, horizon_s: float
    ) -> None:
        super().__init__(context)
        self.house, self.horizon_s = house, horizon_s
        self.spec = worker

    def on_start(self) -> None:
        """Start the solver and ask everybody for what they know."""
        self.solver = self.worker(self.spec)
        super().on_start()
        self.state = replace(self.state, asked=None, solved_s=None, ticket=self.state.ticket + 1000)
        rooms = (room_address(room.name) for room in self.house.rooms)
        devices = (INSPECTOR, BATTERY, *(load_address(load.name) for load in self.house.loads))
        for address in (WEATHER, PRICES, LOAD, PV, ESTIMATOR, CONTROL, *devices, *rooms):
            self.tell(address, Republish())

    def first_state(self) -> PlannerMind:
        """Begin with nothing known."""
        return PlannerMind()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case StateEstimated():
                self._on_state(message)
            case OutOfService() | BatteryObeys():
                self._on_service(message)
            case ClockJumped():
                self._on_jump()
            case WeatherForecast() | PriceCurve() | Forecast() | ComfortWish() | ModeChanged():
                self._learn(message)
            case LoadWanted():
                self._on_load(message)
            case WorkerDone() | WorkerFailed():
                self._on_outcome(message)
            case Overdue(ticket=ticket):
                self._on_answer(ticket, PlanRefused("the solver does not answer", self.now_s()))
            case Tick():
                self.tell(ESTIMATOR, Republish())
            case Request():
                return self._on_order(message)
            case _:
                return super().on_receive(message)
        return None

    def _on_outcome(self, outcome: WorkerDone | WorkerFailed) -> None:
        """Take the worker's word, on the plan or on a point of a curve."""
        ticket = outcome.ticket
        if isinstance(outcome, WorkerDone):
            answer = outcome.result
        else:
            answer = PlanRefused(outcome.reason, self.now_s())
        if ticket < 0:
            self._on_curve_answer(ticket, answer)
        else:
            self._on_answer(ticket, answer)

    def _on_state(self, estimated: StateEstimated) -> None:
        """Plan from a new house state; without a clock to be trusted no hour has a price."""
        if not estimated.trusted:
            self.state = replace(self.state, asked=None, house_state=None)
            self.health(Health.FALLBACK, f"no plan: {estimated.reason}", 3)
            return
        self.state = replace(self.state, house_state=estimated.state, model=estimated.model)
        self._plan()

    def _on_service(self, news: OutOfService | BatteryObeys) -> None:
        """Plan anew when something can no longer be counted on, or can again."""
        before = self.state.outlook
        match news:
            case OutOfService(dead=dead, welded=welded):
                outlook = replace(before, dead=dead, welded=welded)
            case BatteryObeys(obeys=obeys):
                outlook = replace(before, battery_obeys=obeys)
        if outlook != before:
            self.state = replace(self.state, outlook=outlook)
            self._anew()

    def _on_jump(self) -> None:
        """Forget the question that is out: it was asked at another time."""
        self.state = replace(self.state, asked=None, waiting=False, house_state=None)
        self._anew()

    def _learn(
        self, news: WeatherForecast | PriceCurve | Forecast | ComfortWish | ModeChanged
    ) -> None:
        """Take news into the outlook; a person's wish is worth a new plan at once.

        Prices that were published since are worth a solve at the next step. What is only told
        anew all the time, a little differently, is not.
        """
        before = self.state.outlook
        outlook = _with(before, news)
        self.state = replace(self.state, outlook=outlook)
        first = bool(before.lacks()) and not outlook.lacks()
        sun_came = isinstance(news, Forecast) and news.name == "pv_kw" and before.pv is None
        wished = isinstance(news, ComfortWish | ModeChanged) and outlook != before
        if first or sun_came or wished:
            self._anew()
        elif _published(before.prices) != _published(outlook.prices):
            self.state = replace(self.state, solved_s=None)

    def _on_load(self, news: LoadWanted) -> None:
        """Know what a load wants; another hour, or more than before, is worth a new plan."""
        before = self.state.outlook.tasks.get(news.load)
        tasks = {**self.state.outlook.tasks, news.load: news.task}
        self.state = replace(self.state, outlook=replace(self.state.outlook, tasks=tasks))
        task = news.task
        less = task is None or (
            before is not None and task.by_s == before.by_s and task.energy_kwh <= before.energy_kwh
        )
        if not less:
            self._anew()

    def _anew(self) -> None:
        """Solve soon: what is worth a plan at once is more than the last prices know of."""
        self.state = replace(self.state, solved_s=None)
        self.after(SOON_S, Tick(), key="soon")

    def _plan(self) -> None:
        mind = self.state
        lacking = mind.outlook.lacks()
        if mind.house_state is None or lacking:
            self.health(Health.DEGRADED, f"waiting for {', '.join(lacking) or 'a house state'}")
            return
        if mind.asked is not None:
            self.state = replace(mind, waiting=True)
            return
        problem, solved_s = self._problem(mind.house_state), mind.solved_s
        at_s = problem.state.at_s
        if solved_s is not None and 0.0 <= at_s - solved_s < SOLVE_S:
            problem = replace(problem, purpose=Purpose.BETWEEN)
        else:
            solved_s = at_s
        ticket = mind.ticket + 1
        self.state = replace(mind, asked=problem, ticket=ticket, waiting=False, solved_s=solved_s)
        self.solver.submit(self.state.ticket, problem)
        patience_s = self.spec.deadline_s + self.spec.start_timeout_s  # it may have to be replaced
        self.after(patience_s, Overdue(self.state.ticket), process=True)

    def _problem(self, house_state: HouseState) -> PlanningProblem:
        grid = TimeGrid.planning(house_state.at_s, self.horizon_s)
        house = house_by(self.house, self.state.model)
        problem = planning_problem(house, house_state, self.state.outlook, grid)
        return replace(problem, issued_at_s=min(problem.issued_at_s, self.now_s()))

    def _on_answer(self, ticket: int, answer: object) -> None:
        mind = self.state
        if ticket != mind.ticket or mind.asked is None:
            return
        self.state = replace(mind, asked=None)
        problem_text = self._judge(mind.asked, answer)
        if problem_text is None and isinstance(answer, Plan):
            self.state = replace(self.state, failures=0, planned=mind.planned + 1)
            if answer.level is not Level.PLAN:
                self.state = replace(self.state, solved_s=None)
            self.health(Health.RUNNING, f"plan {answer.solver.status}")
            self.tell(PLAN_KEEPER, PlanAdopted(answer, self.now_s()))
        else:
            self._on_failure(problem_text or "the solver gave no plan")
        if self.state.waiting:
            self.tell(ESTIMATOR, Republish())

    def _judge(self, problem: PlanningProblem, answer: object) -> str | None:
        if isinstance(answer, PlanRefused):
            return answer.reason
        if not isinstance(answer, Plan):
            return f"the solver answered with a {type(answer).__name__}"
        return validate(problem, answer).refusal

    def _on_failure(self, reason: str) -> None:
        failures = self.state.failures + 1
        self.state = replace(self.state, failures=failures, solved_s=None)
        self.health(Health.DEGRADED, reason)
        self.tell(PLAN_KEEPER, PlanFailed(self.now_s(), reason))
        self.after(min(60.0 * failures, 300.0), Tick(), key="retry")

    # --- the cost-comfort curve

    def _on_curve(self, request: Request) -> None:
        """Plan the present question at several points; whoever asked last gets the answer."""
        mind = self.state
        prices = mind.outlook.prices
        if mind.house_state is None or mind.outlook.lacks() or prices is None:
            said = "rejected", "there is nothing to plan from yet; ask again in a moment"
            self.answer(Outcome(request.id, self.path, request.verb, *said, self.now_s()))
            return
        problem = self._problem(mind.house_state)
        curve = CurveInHand.asked(request, problem, prices.price_level, mind.curves)
        self.state = replace(mind, curve=curve, curves=mind.curves + 1)
        for ticket, (_, question) in curve.questions.items():
            self.solver.submit(ticket, question)

    def _on_curve_answer(self, ticket: int, answer: object) -> None:
        curve = self.state.curve
        if curve is None:
            return
        curve = curve.answered(ticket, answer)
        self.state = replace(self.state, curve=None if curve.complete else curve)
        if curve.complete:
            asked, found = curve.request, curve.result()
            done = ("done", "") if found["points"] else ("failed", "no point has a plan")
            self.answer(Outcome(asked.id, self.path, asked.verb, *done, self.now_s(), found))

    def _on_order(self, request: Request) -> Outcome | None:
        """Answer an order, at once where that can be."""
        if request.verb == "curve":
            self._on_curve(request)
            return None
        return self.answer(self._on_request(request))

    def _on_request(self, request: Request) -> Outcome:
        now_s = self.now_s()
        answer = answered(request, self.state.outlook, self.house.model.rooms, now_s)
        if answer.outcome == "done":
            self.state = replace(self.state, outlook=answer.outlook, solved_s=None)
            self.tell(ESTIMATOR, Republish())
        return Outcome(request.id, self.path, request.verb, answer.outcome, answer.reason, now_s)


def _published(prices: PriceCurve | None) -> tuple[float, float] | None:
    """Tell until when prices are known, and of which level they are."""
    return None if prices is None else (prices.published_until_s, prices.price_level)


def _with(
    outlook: Outlook, news: WeatherForecast | PriceCurve | Forecast | ComfortWish | ModeChanged
) -> Outlook:
    match news:
        case WeatherForecast():
            return replace(outlook, weather=news)
        case PriceCurve():
            return replace(outlook, prices=news)
        case Forecast(name="pv_kw"):
            return replace(outlook, pv=news)
        case Forecast():
            return replace(outlook, base_load=news)
        case ComfortWish(room=room):
            wishes: Mapping[str, ComfortWish] = {**outlook.wishes, room: news}
            return replace(outlook, wishes=wishes)
        case ModeChanged(mode=mode, until_s=until_s):
            return replace(outlook, mode=mode, mode_until_s=until_s)
