"""The base load: a weekly profile that learns by itself, and a trained model where one is trusted.

Fed with the load without our relays and battery, so switching the heating changes nothing here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pems_actors.actors.as_issued import keep_issue
from pems_actors.actors.base import HISTORY, PLANNER, HouseActor, Samples
from pems_actors.domain.events import ForecastWanted, LoadSample, Republish, Tick
from pems_actors.domain.forecasts import Forecast, LearnedForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.forecasting.base_load import BaseLoad
from pems_actors.forecasting.learned import Learned
from supervision import Context, Health

AHEAD_QUARTERS = 50 * 4
LEARNED_FROM = "learn.load_kw"  # the series of finished quarter hours in the history


class LoadMind(NamedTuple):
    """What the house has learned by itself, and what a trained model says."""

    own: BaseLoad
    learned: Learned = Learned()


class LoadActor(HouseActor):
    """Always has a forecast; a new champion takes its place between two of them."""

    state: LoadMind

    def __init__(self, context: Context, timezone: str) -> None:
        super().__init__(context)
        self.timezone = timezone
        self.kept = -1.0

    def on_start(self) -> None:
        """Begin with a common household."""
        super().on_start()
        self.tell(self.path, Tick())

    def first_state(self) -> LoadMind:
        """Begin with what was learned before, or with a common household."""
        learned = self.recall()
        if isinstance(learned, BaseLoad) and learned.profile.timezone == self.timezone:
            return LoadMind(learned)
        return LoadMind(BaseLoad.prior(self.timezone))

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case LoadSample():
                self._observe(message)
            case LearnedForecast():
                self.state = self.state._replace(learned=self.state.learned.heard(message))
            case Tick():
                now_s = self.now_s()
                # a little before each planning step, so that the planner has the newest
                step_s = QUARTER_S if self._tell(now_s) else HOUR_S
                self.after(step_s - (now_s + 5.0) % step_s, Tick())
                self.remember(self.state.own)
            case Republish():
                self._tell(self.now_s())
            case ForecastWanted(by=by):
                self.tell(by, self._own(self.now_s()))
            case _:
                return super().on_receive(message)
        return None

    def _observe(self, sample: LoadSample) -> None:
        """Learn; a finished quarter hour goes into the history, for whoever trains."""
        mind, full = self.state, self.state.own.filling
        own = mind.own.observe(sample.at_s, sample.base_load_kw)
        learned = mind.learned
        if full.samples and own.filling.quarter != full.quarter:
            learned = learned.observe(full.quarter, full.mean)
            row = (LEARNED_FROM, full.quarter * QUARTER_S, full.mean)
            self.tell(HISTORY, Samples((row,)))
        self.state = LoadMind(own, learned)

    def _own(self, now_s: float) -> Forecast:
        grid = TimeGrid.uniform(now_s - now_s % QUARTER_S, AHEAD_QUARTERS)
        return self.state.own.forecast(grid, now_s)

    def _tell(self, now_s: float) -> bool:
        """Tell the planner; False if nobody plans just now, which makes haste needless."""
        forecast = self.state.learned.over(self._own(now_s), now_s, least=0.0)
        self.health(Health.RUNNING, forecast.source)
        self.kept = keep_issue(self, "load", forecast, self.kept)
        return self.tell(PLANNER, forecast)
