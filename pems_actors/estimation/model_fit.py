"""How far is each room usually from its model, when that runs on for an hour or two by itself?

A witness is worth what its model is worth. Where nobody has measured the house its model is a
guess, and half a kelvin off it is an ordinary afternoon; only what is far beyond that says
something of a relay. One wild hour counts no more than three times what was usual before, so that
a fault does not make itself usual before it is seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pems_actors.domain.units import HOUR_S
from pems_actors.estimation.picture import Array, Mask

FIRST_K, FIRST_FOR_S = 0.5, 3 * HOUR_S  # believed of a new house, and how long that weighs
REMEMBERS_S = 72 * HOUR_S  # long enough for sun, people and wind to have had their turn
WILD = 3.0
# Six foreign houses on guessed models, twelve winter days of rules each: at 3.0 times the usual no
# relay was accused, without it 33 hours were. Faults of the twin are found as early as without it.
BEYOND = 3.5


class ModelFit(NamedTuple):
    """The mean square of what each room was off its model, shape (R,) [K²], and its weight."""

    off_k2: Array
    weight_s: float = FIRST_FOR_S

    @classmethod
    def unknown(cls, rooms: int) -> ModelFit:
        """Begin with a house of which nothing was seen."""
        return cls(np.full(rooms, FIRST_K**2))

    @property
    def off_k(self) -> Array:
        """How far each room usually is off its model, (R,) [K]."""
        return np.asarray(np.sqrt(self.off_k2))

    @property
    def tells_k(self) -> Array:
        """How far a room must be off its model before that says something, (R,) [K]."""
        return BEYOND * self.off_k

    def seen(self, off_k: Array, counts: Mask, passed_s: float) -> ModelFit:
        """Take in how far the rooms were off for some time; only those that count."""
        weight_s = min(self.weight_s + passed_s, REMEMBERS_S)
        wild_k2 = WILD**2 * self.off_k2
        square_k2 = np.where(counts, np.minimum(off_k**2, wild_k2), self.off_k2)
        share = min(passed_s / weight_s, 1.0)
        return ModelFit(self.off_k2 + share * (square_k2 - self.off_k2), weight_s)
