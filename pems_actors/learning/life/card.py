"""The card of a stored model: what it learned from, and how well it did on what it had not seen.

Plain data without any data library, because the core process shows cards too. Errors are in the
unit of the series; what was not measured is None.

`KINDS` counts, by series, how often what models look at or are made of has changed. A model of an
older kind can be opened, but not asked: it is trained anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KINDS: Mapping[str, int] = {"load": 2, "pv": 2, "price": 2, "rooms": 1}
UNITS: Mapping[str, str] = {"load": "kW", "pv": "kW", "price": "EUR/MWh", "rooms": "K"}


@dataclass(frozen=True, slots=True)
class Source:
    """The history that was learned from: known rows, first and last instant, and its gaps."""

    rows: int
    start_s: float
    end_s: float
    step_s: float
    gaps: int = 0
    longest_gap_s: float = 0.0

    @property
    def days(self) -> float:
        """Days from the first row to the last."""
        return (self.end_s - self.start_s) / 86400.0


@dataclass(frozen=True, slots=True)
class HorizonError:
    """Errors on days that were not learned from, for one stretch of lead times."""

    horizon: str
    rows: int
    mae: float
    rmse: float
    floor_mae: float
    coverage: float | None = None
    present_mae: float | None = None  # of the version in use, on the same rows


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One version of one recipe for one series. `checksum` is that of the stored bytes."""

    series: str
    recipe: str
    number: int
    trained_at_s: float
    source: Source
    errors: tuple[HorizonError, ...] = ()
    took_s: float = 0.0
    size: int = 0
    checksum: str = ""
    notes: tuple[str, ...] = ()
    kind: int = 1

    @property
    def version(self) -> str:
        """Name of this version within its series, such as `ensemble.7`."""
        return f"{self.recipe}.{self.number}"

    @property
    def unit(self) -> str:
        """Unit of its errors."""
        return UNITS.get(self.series.partition("/")[0], "")

    def error(self, horizon: str) -> HorizonError | None:
        """Find the errors of a stretch of lead times; None where none were measured."""
        return next((each for each in self.errors if each.horizon == horizon), None)

    def plain(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        return asdict(self)


def kind_of(series: str) -> int:
    """Which kind of model a series has now."""
    return KINDS.get(series.partition("/")[0], 1)


def card_from(plain: Mapping[str, Any]) -> ModelCard:
    """Read a card.

    Raises: ValueError if this is none.
    """
    try:
        known = dict(plain)
        source = Source(**known.pop("source"))
        errors = tuple(HorizonError(**each) for each in known.pop("errors"))
        notes = tuple(str(note) for note in known.pop("notes"))
        return ModelCard(source=source, errors=errors, notes=notes, **known)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"this is no model card: {problem}") from problem


def recipe_of(version: str) -> str:
    """Name the recipe of a version: `ensemble` of `ensemble.7`, `persistence` of itself."""
    return version.partition(".")[0]
