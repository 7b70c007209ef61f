"""What the learner remembers, and its pure parts: when to train, what an answer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from pems_actors.domain.forecasts import Forecast, WeatherForecast, resample
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S
from pems_actors.forecasting.prices import SpotSeries
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.contest import Band, Issue
from pems_actors.learning.life.trust import Tier, missing

LEAST_DAYS = 3.0
TRAIN_EVERY_S = 7 * DAY_S
GROWN_TIMES = 1.3  # so much more history is worth a training before its time
TRY_AGAIN_S = DAY_S


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is out: an issue without its answers. `kept`: it will be scored."""

    series: str
    issued_at_s: float
    grid: TimeGrid
    house: Band | None
    kept: bool


@dataclass(frozen=True, slots=True)
class Schooling:
    """When a series was last trained, on how much, and what went wrong since."""

    at_s: float = -inf
    days: float = 0.0
    tried_s: float = -inf
    trouble: str = ""

    def is_due(self, days: float, now_s: float) -> bool:
        """Whether there is something to be gained from training on so many days."""
        if days < LEAST_DAYS or now_s - self.tried_s < TRY_AGAIN_S - 1.0:
            return False
        return now_s - self.at_s >= TRAIN_EVERY_S or days >= GROWN_TIMES * self.days


@dataclass(frozen=True, slots=True)
class LearnerMind:
    """Ledgers by series, issues that wait for their truth, what the predictors last told."""

    ledgers: Mapping[str, Ledger]
    waiting: tuple[Issue, ...] = ()
    weather: WeatherForecast | None = None
    own: Mapping[str, Forecast] = field(default_factory=dict)
    spot: SpotSeries | None = None
    asked: Mapping[int, Asked] = field(default_factory=dict)
    schooling: Mapping[str, Schooling] = field(default_factory=dict)
    days: Mapping[str, float] = field(default_factory=dict)
    refused: frozenset[tuple[str, str]] = frozenset()  # versions that were worse
    ticket: int = 0
    kept: float = -1.0
    in_school: str = ""


def house_band(mind: LearnerMind, series: str, grid: TimeGrid) -> Band | None:
    """What the house itself expects over the slots of an issue; None if it said nothing."""
    if series == "price":
        spot = mind.spot
        if spot is None or not _covers(spot.grid, grid):
            return None
        return Band.of(resample(spot.grid, spot.eur_mwh, grid))
    own = mind.own.get(series)
    if own is None or not _covers(own.grid, grid):
        return None
    told = (own.p50, own.p10 or own.p50, own.p90 or own.p50)
    return Band.of(*(resample(own.grid, values, grid) for values in told))


def _covers(whole: TimeGrid, part: TimeGrid) -> bool:
    return whole.start_s <= part.start_s and part.end_s <= whole.end_s


def summary(mind: LearnerMind, now_s: float) -> str:
    """Say in a line how far each series has come."""
    return "; ".join(f"{name}: {_standing(mind, name, now_s)}" for name in sorted(mind.ledgers))


def _standing(mind: LearnerMind, series: str, now_s: float) -> str:
    ledger, days = mind.ledgers[series], mind.days.get(series, 0.0)
    if ledger.serving is not None:
        return f"{ledger.serving.version} serves"
    if not ledger.standings:
        short = f"{days:.1f} of {LEAST_DAYS:g} days known" if days < LEAST_DAYS else "untrained"
        return f"the house's own serves, {short}"
    best = max(ledger.standings.values(), key=lambda each: (each.tier.rank, each.recipe))
    lacks = missing(ledger.scores, best, now_s)
    verb = "advises" if best.tier is Tier.ADVISE else "is watched"
    return f"the house's own serves, {best.version} {verb} ({lacks})"
