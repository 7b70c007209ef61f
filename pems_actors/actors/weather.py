"""The weather: asks a source every half hour, and always has a forecast to give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pems_actors.actors.as_issued import keep_issue
from pems_actors.actors.base import (
    ESTIMATOR,
    GATEWAY,
    HISTORY,
    PLANNER,
    PV,
    THERMAL,
    HouseActor,
    Samples,
)
from pems_actors.actors.feed_health import feed_health
from pems_actors.domain.events import ForecastWanted, Outdoor, Republish, Tick
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.ports import WeatherSource
from pems_actors.domain.readings import Quality
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.durable.kept import WeatherKept
from pems_actors.forecasting.weather import WeatherLadder
from supervision import Context, Health

ASK_EVERY_S = 1800.0
AHEAD_H = 50


class WeatherActor(HouseActor):
    """Its state is the ladder of sources with what each last said."""

    state: WeatherLadder

    def __init__(self, context: Context, house: House, source: WeatherSource) -> None:
        super().__init__(context)
        self.house, self.source = house, source
        self.kept = -1.0

    def on_start(self) -> None:
        """Ask at once."""
        super().on_start()
        self.tell(self.path, Tick())

    def first_state(self) -> WeatherLadder:
        """Begin with the last good issue from before a restart."""
        fresh, kept = WeatherLadder.of(self.house.site), self.recall()
        if kept is None:
            return fresh
        return replace(fresh, issue=kept.issue, bias=kept.bias, anomaly=kept.anomaly)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case Tick():
                self.after(ASK_EVERY_S, Tick())
                self._ask()
            case Outdoor(temp_c=temp_c, quality=Quality.GOOD):
                self.state = self.state.observe(self.now_s(), temp_c)
            case Republish():
                self._tell()
            case ForecastWanted(by=by):
                self.tell(by, self._forecast(self.now_s()))
            case _:
                return super().on_receive(message)
        return None

    def _ask(self) -> None:
        now_s = self.now_s()
        try:
            issue = self.source.forecast(self._grid(now_s), now_s)
        except OSError as problem:
            self.state = self.state.accept(None, now_s)
            self.health(Health.DEGRADED, f"weather source: {problem}")
        else:
            self.state = self.state.accept(issue, now_s)
            mind = self.state
            self.remember(WeatherKept(mind.issue, mind.bias, mind.anomaly))
            feed_health(self, self.source, mind.lacking(now_s), "as forecast")
            if issue is not None and not mind.refused:
                self._keep_hour(self._forecast(now_s))
        self._tell()

    def _forecast(self, now_s: float) -> WeatherForecast:
        return self.state.forecast(self._grid(now_s), now_s)

    def _keep_hour(self, forecast: WeatherForecast) -> None:
        """Keep the present hour as last forecast: the weather that whoever trains will see."""
        at_s = forecast.grid.start_s
        rows = (
            ("learn.temp_c", at_s, forecast.outdoor_c[0]),
            ("learn.ghi_w_m2", at_s, forecast.ghi_w_m2[0]),
            ("learn.dni_w_m2", at_s, forecast.dni_w_m2[0]),
            ("learn.dhi_w_m2", at_s, forecast.dhi_w_m2[0]),
        )
        self.tell(HISTORY, Samples(rows))

    def _tell(self) -> None:
        forecast = self._forecast(self.now_s())
        self.kept = keep_issue(self, "weather", forecast, self.kept)
        for address in (GATEWAY, PV, THERMAL, ESTIMATOR, PLANNER):
            self.tell(address, forecast)

    @staticmethod
    def _grid(now_s: float) -> TimeGrid:
        return TimeGrid.uniform(now_s - now_s % HOUR_S, AHEAD_H, HOUR_S)
