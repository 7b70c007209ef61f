"""What every predictor can do. Frozen states: learning returns the successor, never changes it.

A predictor never fails: whatever it was fed, its forecast is whole and finite, and `source` says
where the figures come from. It does not know actors, clocks or files.
"""

from __future__ import annotations

from typing import Protocol

from pems_actors.domain.forecasts import Forecast
from pems_actors.domain.time_grid import TimeGrid


class Predictor(Protocol):
    """A model of one quantity, such as the base load or the PV power."""

    def forecast(self, grid: TimeGrid, now_s: float) -> Forecast:
        """Tell the means over the slots of `grid` with P10 and P90, as believed at `now_s`."""
