"""What a feature is: a name, a family, what it says, from when on it is known, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene

Availability = Literal["always", "at issue", "as forecast"]
Compute = Callable[[Scene], Array]


@dataclass(frozen=True, slots=True)
class Described:
    """What is told of a feature to whoever asks.

    `known` tells when its newest ingredient is available: a calendar `always`, measurements and
    published prices `at issue`, the weather of the target day `as forecast` at the issue.
    """

    name: str
    family: str
    about: str
    known: Availability


@dataclass(frozen=True, slots=True)
class Feature(Described):
    """One documented feature of a slot, of load and price."""

    compute: Compute

    def of(self, scene: Scene) -> Array:
        """Compute it for all target days of a scene, shape (n, slots)."""
        if self.name not in scene.shown:
            scene.shown[self.name] = np.broadcast_to(self.compute(scene), scene.shape)
        return scene.shown[self.name]


@dataclass(frozen=True, slots=True)
class Family:
    """Features of one kind while they are being listed."""

    name: str
    known: Availability
    features: list[Feature] = field(default_factory=list)

    def add(self, name: str, about: str, compute: Compute) -> None:
        """List one more."""
        self.features.append(Feature(name, self.name, about, self.known, compute))
