"""The feature registry: everything a forecast may know about a slot, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pems_actors.learning import calendar_features, measured_features, weather_features
from pems_actors.learning.day_grid import Array
from pems_actors.learning.feature import Feature
from pems_actors.learning.scene import Scene

REGISTRY: dict[str, Feature] = {
    feature.name: feature
    for module in (calendar_features, measured_features, weather_features)
    for feature in module.FEATURES
}


def matrix(scene: Scene, names: Sequence[str]) -> Array:
    """Compute features as one row per slot of the target days, shape (n * slots, features)."""
    return np.stack([REGISTRY[name].of(scene).ravel() for name in names], axis=1)


def feature(scene: Scene, name: str) -> Array:
    """Compute one feature, shape (n, slots)."""
    return REGISTRY[name].of(scene)
