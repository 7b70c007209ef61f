"""What the core asks of the learning worker, and what it answers: plain data.

Apart from `worker`, so that the core can ask without touching anything that needs pandas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pems_actors.domain.house import Roof, Site
from pems_actors.learning.life.card import ModelCard
from pems_actors.learning.life.contest import Band

SERIES = ("load", "pv", "price")
TARGETS: Mapping[str, str] = {"load": "load_kw", "pv": "pv_kw", "price": "price_eur_mwh"}
LEAST: Mapping[str, float] = {"load": 0.0, "pv": 0.0}  # no power is below this
WEATHER = ("temp_c", "ghi_w_m2", "dni_w_m2", "dhi_w_m2")


@dataclass(frozen=True, slots=True)
class Columns:
    """Evenly stepped series by name, all of one length; NaN where nothing is known."""

    start_s: float
    step_s: float
    series: Mapping[str, tuple[float, ...]]

    def __len__(self) -> int:
        """Count the rows."""
        return max((len(column) for column in self.series.values()), default=0)

    @property
    def end_s(self) -> float:
        """End of the last row."""
        return self.start_s + self.step_s * len(self)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and under what roofs the house stands; what a model may need to know of it."""

    site: Site
    roofs: tuple[Roof, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainJob:
    """Train recipes for a series and keep what came of it in the registry at `folder`.

    `present` names the versions in use, by recipe: a new one is compared with them. No recipes:
    all that there are.
    """

    series: str
    folder: str
    place: Place
    history: Columns
    now_s: float
    recipes: tuple[str, ...] = ()
    present: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trained:
    """Cards of the new versions, and sentences about what was seen and done."""

    series: str
    cards: tuple[ModelCard, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForecastJob:
    """Ask versions for a forecast of the slots from `start_s` on.

    `known` has the target up to `known_until_s`, and the weather as forecast over the slots too.
    """

    series: str
    folder: str
    place: Place
    known: Columns
    issued_at_s: float
    start_s: float
    slots: int
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What each version said; `broken` are those that cannot be opened, with a sentence each."""

    series: str
    rivals: Mapping[str, Band]
    broken: Mapping[str, str] = field(default_factory=dict)


LearnJob = TrainJob | ForecastJob
