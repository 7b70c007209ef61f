"""The feature registry: everything a forecast may know about a slot, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features import calendar, measured, weather
from pems_actors.learning.features.feature import Feature

REGISTRY: dict[str, Feature] = {
    feature.name: feature for module in (calendar, measured, weather) for feature in module.FEATURES
}


def matrix(scene: Scene, names: Sequence[str]) -> Array:
    """Compute features as one row per slot of the target days, shape (n * slots, features)."""
    return np.stack([REGISTRY[name].of(scene).ravel() for name in names], axis=1)


def feature(scene: Scene, name: str) -> Array:
    """Compute one feature, shape (n, slots)."""
    return REGISTRY[name].of(scene)
