"""PV: the physics runs in a worker process; here its answer is scaled by what the roofs give.

A trained model takes its place where one is trusted. Only quarter hours without a curtailed sample
go into the history for whoever trains.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from pems_actors.actors.as_issued import keep_issue
from pems_actors.actors.base import HISTORY, PLANNER, WEATHER, HouseActor, Samples
from pems_actors.domain.events import ForecastWanted, PvSample, Republish, Tick
from pems_actors.domain.forecasts import Forecast, LearnedForecast, WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.durable.kept import PvKept
from pems_actors.forecasting.learned import Learned, is_learned
from pems_actors.forecasting.pv import PvScaler, news_of
from pems_actors.forecasting.pv_job import PvJob
from supervision import Context, Health
from supervision.worker import WorkerDone, WorkerFailed, WorkerSpec

AHEAD_QUARTERS = 50 * 4
ASK_AGAIN_S = 2 * HOUR_S
OLD_WEATHER_TIMES = 1.4
LEARNED_FROM = "learn.pv_kw"  # the series of finished, uncurtailed quarter hours in the history


class PvMind(NamedTuple):
    """The scaler, the weather whose physics is out or waiting, and what a trained model says."""

    scaler: PvScaler
    ticket: int = 0
    out: WeatherForecast | None = None
    weather: WeatherForecast | None = None
    learned: Learned = Learned()


class PvActor(HouseActor):
    """Gives a forecast at any time, from whichever rung of its ladder holds."""

    state: PvMind

    def __init__(self, context: Context, house: House, worker: WorkerSpec) -> None:
        super().__init__(context)
        self.house, self.spec = house, worker
        self.peak_kw = sum(roof.power_kwp for roof in house.roofs)  # the inverter limits later
        self.kept = -1.0

    def on_start(self) -> None:
        """Start the worker, if there are roofs to reckon, and ask for the weather."""
        self.physics = self.worker(self.spec) if self.house.roofs else None
        super().on_start()
        # the weather is forgotten with the question, so that it is asked again
        self.state = self.state._replace(out=None, weather=None, ticket=self.state.ticket + 1000)
        self.tell(self.path, Tick())
        self.tell(WEATHER, Republish())

    def first_state(self) -> PvMind:
        """Begin with what was learned about these roofs, or with the physics alone."""
        fresh, kept = PvScaler.of(self.house.site, self.house.roofs), self.recall()
        if kept is None or kept.peak_kw != fresh.peak_kw:
            return PvMind(fresh)
        known = replace(fresh, scale=kept.scale, physics=kept.physics, climate_kw=kept.climate_kw)
        return PvMind(known)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case PvSample():
                self._observe(message)
            case WeatherForecast():
                self._ask(message)
            case LearnedForecast():
                self.state = self.state._replace(learned=self.state.learned.heard(message))
            case WorkerDone(ticket=ticket, result=result):
                self._on_physics(ticket, result)
            case WorkerFailed(ticket=ticket, reason=reason):
                self._on_failure(ticket, reason)
            case Tick():
                # a little before each planning step, so that the planner has the newest
                step_s = QUARTER_S if self._tell() else HOUR_S
                self.after(step_s - (self.now_s() + 5.0) % step_s, Tick())
                self._remember()
            case Republish():
                self._tell()
            case ForecastWanted(by=by):
                self.tell(by, self._own(self.now_s()))
            case _:
                return super().on_receive(message)
        return None

    def _observe(self, sample: PvSample) -> None:
        before, full = self.state.scaler, self.state.scaler.filling
        scaler = before.observe(sample.at_s, sample.pv_kw, curtailed=sample.curtailed)
        self.state = self.state._replace(scaler=scaler)
        closed = full.samples > 0 and scaler.filling.quarter != full.quarter
        if closed and before.spoiled != full.quarter:
            row = (LEARNED_FROM, full.quarter * QUARTER_S, full.mean)
            self.tell(HISTORY, Samples((row,)))

    def _remember(self) -> None:
        scaler = self.state.scaler
        learned = PvKept(scaler.peak_kw, scaler.scale, scaler.physics, scaler.climate_kw)
        self.remember(learned)

    def _ask(self, weather: WeatherForecast) -> None:
        """Ask the worker for each new issue; an old one only when its answer runs short."""
        known = self.state.weather
        if (
            known is not None
            and known.issued_at_s == weather.issued_at_s
            and weather.grid.start_s - known.grid.start_s < ASK_AGAIN_S
        ):
            return
        ticket = self.state.ticket + 1
        self.state = self.state._replace(ticket=ticket, out=weather, weather=weather)
        if self.physics is None:
            self._on_physics(ticket, (0.0,) * len(weather.grid))
        else:
            job = PvJob(self.house.site, self.house.roofs, self.peak_kw, weather)
            self.physics.submit(ticket, job)

    def _on_physics(self, ticket: int, powers_kw: Any) -> None:
        mind = self.state
        if ticket != mind.ticket or mind.out is None:
            return
        answer = Forecast("pv_kw", self.now_s(), mind.out.grid, tuple(powers_kw), source="physics")
        self.state = mind._replace(out=None, scaler=mind.scaler.with_physics(answer))
        self._remember()
        self._tell()

    def _on_failure(self, ticket: int, reason: str) -> None:
        if ticket == self.state.ticket:
            self.state = self.state._replace(out=None, weather=None)
        self.health(Health.DEGRADED, f"physics: {reason}")

    def _own(self, now_s: float) -> Forecast:
        grid = TimeGrid.uniform(now_s - now_s % QUARTER_S, AHEAD_QUARTERS)
        return self.state.scaler.forecast(grid, now_s, self.state.weather)

    def _tell(self) -> bool:
        """Tell the planner; False if nobody plans just now, which makes haste needless."""
        now_s = self.now_s()
        weather, wider = self.state.weather, 1.0
        if weather is not None and news_of(weather, now_s) == "last_good":
            wider = OLD_WEATHER_TIMES  # a model cannot know how old the weather is that it is shown
        forecast = self.state.learned.over(self._own(now_s), now_s, least=0.0, wider=wider)
        self.kept = keep_issue(self, "pv", forecast, self.kept)
        if forecast.source in {"physics", "night"} or is_learned(forecast):
            self.health(Health.RUNNING, forecast.source)
        else:
            self.health(Health.DEGRADED, f"from {forecast.source}")
        return self.tell(PLANNER, forecast)
