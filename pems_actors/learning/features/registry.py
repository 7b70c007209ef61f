"""The feature registry: everything a forecast may know about a slot, by name.

`REGISTRY` can be computed from local days and serves load and price. `CATALOGUE` lists these and
those of PV, which follow the sun and are computed where the roofs are known (`pv.view`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features import calendar, measured, weather
from pems_actors.learning.features.feature import Described, Feature
from pems_actors.learning.features.roofs import FEATURES as ROOFS

REGISTRY: dict[str, Feature] = {
    feature.name: feature for module in (calendar, measured, weather) for feature in module.FEATURES
}

CATALOGUE: dict[str, Described] = {**REGISTRY, **{each.name: each for each in ROOFS}}


def matrix(scene: Scene, names: Sequence[str]) -> Array:
    """Compute features as one row per slot of the target days, shape (n * slots, features)."""
    return np.stack([REGISTRY[name].of(scene).ravel() for name in names], axis=1)


def feature(scene: Scene, name: str) -> Array:
    """Compute one feature, shape (n, slots)."""
    return REGISTRY[name].of(scene)
