"""The recent level of a series and how far slots lie from it: units in which regimes compare."""

from __future__ import annotations

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import feature


def level_and_width(scene: Scene, least: float) -> tuple[Array, Array]:
    """Give the recent level and how far slots lie from it, shape (days, 1) each."""
    level, month, width = (
        feature(scene, name)[:, :1] for name in ("level_7d", "level_28d", "width_14d")
    )
    centre = np.where(np.isfinite(level), level, np.where(np.isfinite(month), month, 0.0))
    width = np.where(np.isfinite(width), width, least)
    return centre, np.maximum(width, max(least, 1e-9))


def least_width(truth: Array) -> float:
    """Say the narrowest width that is believed: a fifth of the usual one."""
    known = truth[np.isfinite(truth)]
    return 0.2 * float(np.median(np.abs(known - np.median(known)))) if len(known) else 0.0
