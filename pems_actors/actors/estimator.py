"""The estimator: turns each picture of the house into a belief about what nobody measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pems_actors.actors.base import PLANNER, THERMAL, HouseActor
from pems_actors.domain.events import Republish, StateEstimated, Tick
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading
from pems_actors.estimation.house_state import Estimate, HouseEstimator
from supervision import Context, Health

FIRST_S = 2.0


@dataclass(frozen=True, slots=True)
class EstimatorMind:
    """The running estimate, and when the planner was last told."""

    estimate: Estimate | None = None
    told_s: float = float("-inf")


class EstimatorActor(HouseActor):
    """Tells the planner a house state on every planning step, on the step's own edge."""

    state: EstimatorMind

    def __init__(self, context: Context, house: House, plan_every_s: float) -> None:
        super().__init__(context)
        self.plan_every_s = plan_every_s
        self.estimator = HouseEstimator(house)

    def on_start(self) -> None:
        """Begin without an estimate; the first picture makes one."""
        super().on_start()
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
            case _:
                return super().on_receive(message)
        return None

    def _arm(self) -> None:
        now_s = self.now_s()
        self.after(self.plan_every_s - now_s % self.plan_every_s, Tick())

    def _on_reading(self, reading: HouseReading) -> None:
        first = self.state.estimate is None
        estimate = self.estimator.update(self.state.estimate, reading)
        self.state = replace(self.state, estimate=estimate)
        if first and estimate is not None:
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
        self.health(Health.RUNNING, "estimating")
        message = StateEstimated(self.estimator.house_state(estimate, self.now_s()), trusted=True)
        self.tell(PLANNER, message)
        self.tell(THERMAL, message)
        self.state = replace(self.state, told_s=self.now_s())
