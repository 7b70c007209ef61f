"""How warm the rooms will be: left to themselves (for the frost guard), and under a schedule.

It starts from the estimated state of the whole house, steps the same equations as the planner, and
holds the slow disturbance as it is.
It also keeps score of itself: yesterday's prediction against what the sensors said since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import Relay
from pems_actors.domain.plan import HouseState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.forecasting.quarters import number
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw

Array = npt.NDArray[np.float64]

FROST_REACH_S = 3.0 * HOUR_S


@dataclass(frozen=True, slots=True)
class RoomsForecast:
    """Air temperature of each room at the end of every slot [°C]."""

    issued_at_s: float
    grid: TimeGrid
    start_c: Mapping[str, float]
    air_c: Mapping[str, tuple[float, ...]]

    def at(self, room: str, at_s: float) -> float | None:
        """Predicted air temperature at an instant [°C], None outside or for a strange room."""
        path = self.air_c.get(room)
        if path is None or not self.grid.start_s <= at_s <= self.grid.end_s:
            return None
        return float(np.interp(at_s, self.grid.edges_s, (self.start_c[room], *path)))


class ThermalPredictor:
    """Predicts the rooms of one house; it holds only what follows from the model."""

    def __init__(self, dynamics: HouseDynamics, relays: Sequence[Relay]) -> None:
        self.dynamics = dynamics
        self._relays = tuple(relay.name for relay in relays)
        power_kw = np.array([relay.power_kw for relay in relays])
        self._shares = heat_shares_kw(dynamics.model, relays) / np.maximum(power_kw, 1e-9)

    def coldest_c(
        self, state: HouseState, outdoor_c: Sequence[float], reach_s: float = FROST_REACH_S
    ) -> dict[str, float]:
        """Find the coldest air each room would reach without heating [°C]: the frost outlook.

        Careful on purpose: no sun, and a disturbance counts only where it cools.

        Args:
            state: the house now.    outdoor_c: outdoors per quarter hour from now; the last holds.
            reach_s: how far to look.
        Returns: per room the coldest temperature from now on [°C].
        """
        temps = self.dynamics.pack(state.rooms)
        cooling = np.minimum(0.0, self._disturbance(state))
        nothing = np.zeros(len(self.dynamics.names))
        count = len(nothing)
        coldest = temps[count : 2 * count]
        for k in range(ceil(reach_s / QUARTER_S)):
            outdoors = outdoor_c[min(k, len(outdoor_c) - 1)] if outdoor_c else _usual(state)
            temps = self.dynamics.step(temps, nothing, outdoors, 0.0, QUARTER_S, cooling)
            coldest = np.minimum(coldest, temps[count : 2 * count])
        return dict(zip(self.dynamics.names, coldest.tolist(), strict=True))

    def under(
        self,
        state: HouseState,
        grid: TimeGrid,
        heat_kw: Sequence[Mapping[str, float]],
        outdoor_c: Sequence[float],
        ghi_w_m2: Sequence[float],
    ) -> RoomsForecast:
        """Predict the rooms under a heat schedule.

        Args:
            state: the house at `grid.start_s`.    grid: the slots.
            heat_kw: per slot the mean heat of each relay [kW]; a relay not named is off.
            outdoor_c, ghi_w_m2: per slot.
        Returns: air temperatures at the slots' ends.
        Raises: ValueError if the series do not fit the grid.
        """
        temps = self.dynamics.pack(state.rooms)
        count = len(self.dynamics.names)
        rest = self._disturbance(state)
        rows = []
        inputs = zip(pairwise(grid.edges_s), heat_kw, outdoor_c, ghi_w_m2, strict=True)
        for (start_s, end_s), heat, outdoors, ghi in inputs:
            room_kw = self._shares @ np.array([heat.get(name, 0.0) for name in self._relays])
            temps = self.dynamics.step(temps, room_kw, outdoors, ghi, end_s - start_s, rest)
            rows.append(temps[count : 2 * count])
        paths = np.array(rows).T.tolist()
        return RoomsForecast(
            issued_at_s=state.at_s,
            grid=grid,
            start_c={name: state.rooms[name].air_c for name in self.dynamics.names},
            air_c={n: tuple(path) for n, path in zip(self.dynamics.names, paths, strict=True)},
        )

    def _disturbance(self, state: HouseState) -> Array:
        return np.array([state.disturbance_kw.get(name, 0.0) for name in self.dynamics.names])


def _usual(state: HouseState) -> float:
    """Outdoors when nobody knows: what the estimator holds, else a frosty night."""
    return -10.0 if state.outdoor_c is None else state.outdoor_c


@dataclass(frozen=True, slots=True)
class ThermalScore:
    """Running error of the prediction in force, and the figures of the one before it.

    `rmse_k` is per room, of the last prediction that was followed to its end.
    """

    prediction: RoomsForecast | None = None
    squares_k2: Mapping[str, float] = field(default_factory=dict)
    samples: Mapping[str, int] = field(default_factory=dict)
    rmse_k: Mapping[str, float] = field(default_factory=dict)

    def begin(self, prediction: RoomsForecast) -> ThermalScore:
        """Follow a new prediction; what the old one has earned becomes `rmse_k`."""
        return ThermalScore(prediction, rmse_k=self.running_k() or self.rmse_k)

    def measured(self, at_s: float, air_c: Mapping[str, float | None]) -> ThermalScore:
        """Compare with what the sensors say; a missing value is no error."""
        if self.prediction is None:
            return self
        squares, samples = dict(self.squares_k2), dict(self.samples)
        for room, said in air_c.items():
            truth_c, told_c = number(said), self.prediction.at(room, at_s)
            if truth_c is not None and told_c is not None:
                squares[room] = squares.get(room, 0.0) + (truth_c - told_c) ** 2
                samples[room] = samples.get(room, 0) + 1
        return ThermalScore(self.prediction, squares, samples, self.rmse_k)

    def running_k(self) -> dict[str, float]:
        """Root mean squared error so far, per room that was measured [K]."""
        return {room: sqrt(self.squares_k2[room] / n) for room, n in self.samples.items()}
