"""The estimator: turns each picture of the house into a belief about what nobody measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pems_actors.actors.base import PLANNER, THERMAL, HouseActor
from pems_actors.domain.events import Republish, StateEstimated, Tick
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House, HouseModel, house_by
from pems_actors.domain.learned_rooms import LearnedRooms
from pems_actors.domain.readings import HouseReading
from pems_actors.estimation.house_state import Estimate, HouseEstimator
from pems_actors.estimation.taking_over import taken_over
from supervision import Context, Health

SILENT_S = 900.0  # a picture older than this is no ground for a plan
LEAD_S = 30.0  # a step's plan must be there when the step begins, not after


@dataclass(frozen=True, slots=True)
class EstimatorMind:
    """The running estimate, and when the house was last heard."""

    estimate: Estimate | None = None
    heard_s: float = float("-inf")
    clock_trusted: bool = True
    model: HouseModel | None = None  # that was learned; None: as configured


class EstimatorActor(HouseActor):
    """Tells the planner a house state ahead of every planning step, for the step's own edge.

    A plan that came after the edge would find relays switched by its predecessor a moment ago, and
    bound to stay so for their dwell.
    """

    state: EstimatorMind

    def __init__(self, context: Context, house: House, plan_every_s: float) -> None:
        super().__init__(context)
        self.house, self.plan_every_s = house, plan_every_s

    def on_start(self) -> None:
        """Begin without an estimate; the first picture makes one."""
        super().on_start()
        self.estimator = HouseEstimator(house_by(self.house, self.state.model))
        self._arm()

    def first_state(self) -> EstimatorMind:
        """Begin with nothing known."""
        return EstimatorMind()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case HouseReading():
                self._on_reading(message)
            case WeatherForecast():
                self._on_weather(message)
            case Tick():
                self._arm()
                self._tell()
            case Republish():
                self._tell()
            case ClockJumped(by_s=by_s):
                self._on_jump(by_s)
            case LearnedRooms(model=model):
                self._go_by(model)
            case _:
                return super().on_receive(message)
        return None

    def _arm(self) -> None:
        now_s = self.now_s()
        next_s = self.plan_every_s - (now_s + LEAD_S) % self.plan_every_s
        self.after(max(next_s, 1.0), Tick())

    def _on_reading(self, reading: HouseReading) -> None:
        first = self.state.estimate is None
        estimate = self.estimator.update(self.state.estimate, reading)
        trusted, before = reading.clock_trusted, self.state.clock_trusted
        self.state = replace(
            self.state, estimate=estimate, heard_s=reading.at_s, clock_trusted=trusted
        )
        if (first or trusted is not before) and estimate is not None:
            self._tell()

    def _on_jump(self, by_s: float) -> None:
        """Move along with a clock that was set, and have all planned anew at once."""
        mind = self.state
        estimate = mind.estimate and mind.estimate.shifted(by_s)
        self.state = replace(mind, estimate=estimate, heard_s=mind.heard_s + by_s)
        self._arm()
        self._tell()

    def _go_by(self, model: HouseModel | None) -> None:
        """Go on by another model from where the belief is; all who plan follow with the next state.

        That of the configuration comes back in the same way when rooms are not trusted any more.
        """
        if model == self.state.model:
            return
        before, estimate = self.estimator, self.state.estimate
        self.estimator = HouseEstimator(house_by(self.house, model))
        if estimate is not None:
            thermal = taken_over(estimate.thermal, before.filter, self.estimator.filter)
            estimate = replace(estimate, thermal=thermal)
        self.state = replace(self.state, model=model, estimate=estimate)
        self._tell()

    def _on_weather(self, weather: WeatherForecast) -> None:
        """Know the forecast sun and outdoor temperature where no sensor tells them."""
        if self.state.estimate is not None:
            estimate = self.state.estimate.with_forecast(weather)
            self.state = replace(self.state, estimate=estimate)

    def _tell(self) -> None:
        estimate = self.state.estimate
        if estimate is None:
            self.health(Health.DEGRADED, "no reading of the house yet")
            return
        now_s = self.now_s()
        if now_s - self.state.heard_s > SILENT_S:
            self.health(Health.DEGRADED, "the house says nothing, so nothing new is planned")
            return
        trusted = self.state.clock_trusted
        self.health(Health.RUNNING, "estimating")
        why = "" if trusted else "the clock is not trusted"
        state = self.estimator.house_state(estimate, self._planned_from_s(now_s))
        message = StateEstimated(state, trusted, why, self.state.model)
        self.tell(PLANNER, message)
        self.tell(THERMAL, message)

    def _planned_from_s(self, now_s: float) -> float:
        """When a plan that is asked for now begins: at the coming edge, if that is near."""
        wait_s = -now_s % self.plan_every_s
        return now_s + wait_s if wait_s <= LEAD_S else now_s
