"""The thermal predictor: warns the guard of frost to come, and keeps score of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pems_actors.actors.base import GUARD, HouseActor
from pems_actors.domain.events import FrostOutlook, StateEstimated
from pems_actors.domain.forecasts import WeatherForecast, resample
from pems_actors.domain.house import House, HouseModel
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.forecasting.thermal import ThermalPredictor
from pems_actors.physics.house_model import HouseDynamics
from supervision import Context

OUTLOOK_QUARTERS = 12


@dataclass(frozen=True, slots=True)
class ThermalMind:
    """The weather last heard."""

    weather: WeatherForecast | None = None


class ThermalActor(HouseActor):
    """Answers each new house state with the coldest air that could come of it."""

    state: ThermalMind

    def __init__(self, context: Context, house: House) -> None:
        super().__init__(context)
        self.house = house
        self.predictor = ThermalPredictor(HouseDynamics(house.model), house.relays)

    def first_state(self) -> ThermalMind:
        """Begin with nothing known."""
        return ThermalMind()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case WeatherForecast():
                self.state = replace(self.state, weather=message)
            case StateEstimated(state=house_state, model=model):
                self._go_by(model or self.house.model)
                outdoor_c = self._outdoor_c(house_state.at_s)
                coldest_c = self.predictor.coldest_c(house_state, outdoor_c)
                self.tell(GUARD, FrostOutlook(house_state.at_s, coldest_c))
            case _:
                return super().on_receive(message)
        return None

    def _go_by(self, model: HouseModel) -> None:
        """Predict by the model by which the state was estimated."""
        if model != self.predictor.dynamics.model:
            self.predictor = ThermalPredictor(HouseDynamics(model), self.house.relays)

    def _outdoor_c(self, now_s: float) -> tuple[float, ...]:
        weather = self.state.weather
        if weather is None:
            return ()
        return resample(weather.grid, weather.outdoor_c, TimeGrid.uniform(now_s, OUTLOOK_QUARTERS))
