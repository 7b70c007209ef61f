"""A scenario in which the people change their habits one day: what a load model must notice."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from pems_actors.domain.units import DAY_S
from pems_actors.simulation.scenario import Scenario

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NewHabits(Scenario):
    """From `from_s` on the day is lived later by `later_h`, and needs `times` as much."""

    from_s: float = inf
    later_h: float = 10.0
    times: float = 1.6

    @classmethod
    def after(cls, usual: Scenario, from_s: float) -> NewHabits:
        """Live as in another scenario until an instant, and otherwise from then on."""
        return cls(usual.climate, usual.start_s, usual.days, usual.seed, usual.timezone, from_s)

    def _quarters(self, name: str, day: int) -> Array:
        """Give the quarter hours of a day; only the base load knows of habits."""
        usual = super()._quarters(name, day)
        if name != "base_load_kw" or day * DAY_S < self.from_s:
            return usual
        return np.asarray(self.times * np.roll(usual, round(4 * self.later_h)))
