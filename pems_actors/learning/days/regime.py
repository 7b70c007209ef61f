"""What the width of a band may depend on, in units of the recent spread.

Measured so, bands follow when times become calm or wild, and what was learned in one year holds in
another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pems_actors.learning.days.grid import Array, Ints
from pems_actors.learning.days.scale import level_and_width
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import feature

_PARTS = 6  # parts of the day with a calibration of their own


@dataclass(frozen=True, slots=True, eq=False)
class Regime:
    """Features of each slot (n * slots, k), its part of the day, the unit of each day (n, 1)."""

    features: Array
    parts: Ints
    unit: Array

    def scaled(self, values: Array) -> Array:
        """Write values of shape (n, slots) in units, flat."""
        return np.asarray((values / self.unit).ravel())

    def back(self, scaled: Array) -> Array:
        """Bring flat values in units back, shape (n, slots)."""
        return np.asarray(scaled.reshape(len(self.unit), -1) * self.unit)


def regime_of(scene: Scene, told: Array, mean: Array, median: Array, least: float) -> Regime:
    """Describe the target days.

    Args:
        told: what each member says, shape (n, slots, members).    mean, median: their blends.
        least: the narrowest spread that is believed.
    """
    level, unit = level_and_width(scene, least)
    known = np.where(np.isfinite(told), told, mean[..., None])
    steps = [mean - median, known.max(axis=-1) - known.min(axis=-1)]
    steps += [feature(scene, name) for name in ("std_7d", "std_28d", "level_std_7d")]
    heights = [median, feature(scene, "max_7d"), feature(scene, "min_7d")]
    marks = [feature(scene, "slot"), feature(scene, "free")]
    columns = [part / unit for part in steps] + [(part - level) / unit for part in heights]
    features = np.stack([part.ravel() for part in (*columns, *marks)], axis=1)
    parts = (np.arange(scene.grid.slots) * _PARTS // scene.grid.slots).astype(np.intp)
    return Regime(features, np.tile(parts, len(scene.rows)), unit)
