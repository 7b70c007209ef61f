"""A full forecast of the house in one question: bands of all series, and paths through them.

Plain data, like `jobs`: the core can ask without touching anything that needs pandas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pems_actors.learning.life.jobs import ForecastJob, Told

PATHS = 20
Paths = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class HouseForecastJob:
    """Ask for several series at once; the first version of each part speaks for its series."""

    parts: tuple[ForecastJob, ...]
    paths: int = PATHS
    seed: int = 1


@dataclass(frozen=True, slots=True)
class HouseTold:
    """What was told of each series, and joint paths: path k of all series belongs together.

    A series whose model could not be asked has no paths. `cpu_s` is what the answer took.
    """

    told: Mapping[str, Told]
    paths: Mapping[str, Paths] = field(default_factory=dict)
    cpu_s: float = 0.0
