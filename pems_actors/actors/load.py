"""The base load: learns from each tick what the house takes without heating, and forecasts it."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import PLANNER, HouseActor
from pems_actors.domain.events import LoadSample, Republish, Tick
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.forecasting.base_load import BaseLoad
from supervision import Context, Health

AHEAD_QUARTERS = 50 * 4


class LoadActor(HouseActor):
    """Its state is the learned profile."""

    state: BaseLoad

    def __init__(self, context: Context, timezone: str) -> None:
        super().__init__(context)
        self.timezone = timezone

    def on_start(self) -> None:
        """Begin with a common household."""
        super().on_start()
        self.tell(self.path, Tick())

    def first_state(self) -> BaseLoad:
        """Begin with what was learned before, or with a common household."""
        learned = self.recall()
        if isinstance(learned, BaseLoad) and learned.profile.timezone == self.timezone:
            return learned
        return BaseLoad.prior(self.timezone)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case LoadSample():
                self.state = self.state.observe(message.at_s, message.base_load_kw)
            case Tick():
                now_s = self.now_s()
                # a little before each planning step, so that the planner has the newest
                step_s = QUARTER_S if self._tell(now_s) else HOUR_S
                self.after(step_s - (now_s + 5.0) % step_s, Tick())
                self.remember(self.state)
            case Republish():
                self._tell(self.now_s())
            case _:
                return super().on_receive(message)
        return None

    def _tell(self, now_s: float) -> bool:
        """Tell the planner; False if nobody plans just now, which makes haste needless."""
        grid = TimeGrid.uniform(now_s - now_s % QUARTER_S, AHEAD_QUARTERS)
        forecast = self.state.forecast(grid, now_s)
        self.health(Health.RUNNING, forecast.source)
        return self.tell(PLANNER, forecast)
