"""How the learner has models trained: one series at a time, in a process that then ends.

A training that fails, or never comes back, is noted and tried again another day; nothing else
hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pems_actors.actors.base import HouseActor
from pems_actors.actors.learner_mind import LearnerMind, Schooling
from pems_actors.actors.learner_past import Past
from pems_actors.domain.units import HOUR_S
from pems_actors.learning.life.card import ModelCard
from pems_actors.learning.life.jobs import SERIES, Place, Trained, TrainJob
from pems_actors.learning.life.store import ModelStore
from supervision.worker import Worker, WorkerFailed, WorkerSpec

_OF_MODELS = (
    "holidays.countries",
    "xgboost",
    "pems_actors.learning.pv.model",
    "pems_actors.learning.series.load",
    "pems_actors.learning.series.price",
)
MODELS = WorkerSpec(
    name="forecasting/models",
    target="pems_actors.learning.life.worker:factory",
    deadline_s=30.0,
    preload=_OF_MODELS,  # or the first question would wait for them
)
TRAINING = WorkerSpec(
    name="forecasting/training",
    target="pems_actors.learning.life.worker:factory",
    deadline_s=900.0,
    nice=15,
    virtual_latency_s=(60.0, 300.0),
)
ROOMS = replace(
    TRAINING,
    name="forecasting/rooms_training",
    target="pems_actors.learning.life.room_worker:factory",
    virtual_latency_s=(20.0, 120.0),
)


@dataclass(frozen=True)
class Learning:
    """Where models are kept, how they are run, how often they are asked.

    `recipes` limits who competes for a series; all that there are where it is not named.
    """

    folder: Path
    models: WorkerSpec = MODELS
    training: WorkerSpec = TRAINING
    rooms: WorkerSpec = ROOMS
    issue_every_s: float = HOUR_S
    recipes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class School:
    """Trains for the learner; `actor` is the learner, whose mind goes in and comes out."""

    def __init__(self, actor: HouseActor, learning: Learning, place: Place, past: Past) -> None:
        self.actor, self.learning, self.place, self.past = actor, learning, place, past
        self.worker: Worker | None = None

    def begin_next(self, mind: LearnerMind, now_s: float) -> LearnerMind:
        """Begin with the first series that is due, unless one is under way."""
        due = (n for n in SERIES if mind.schooling[n].is_due(mind.days.get(n, 0.0), now_s))
        series = "" if mind.in_school else next(due, "")
        if not series:
            return mind
        job = TrainJob(
            series=series,
            folder=str(self.learning.folder),
            place=self.place,
            history=self.past.whole(series, mind.days[series], now_s),
            now_s=now_s,
            recipes=self.learning.recipes.get(series, ()),
            present={r: s.version for r, s in mind.ledgers[series].standings.items()},
        )
        self.worker = self.actor.worker(self.learning.training)
        self.worker.submit(0, job)
        tried = replace(mind.schooling[series], tried_s=now_s)
        return replace(mind, in_school=series, schooling={**mind.schooling, series: tried})

    def done(self, mind: LearnerMind, trained: Trained, now_s: float) -> LearnerMind:
        """Note a training that came back, and end its process: its memory is needed elsewhere."""
        self._dismiss()
        name = trained.series
        self.actor.keep("trained", {"series": name, "said": list(trained.said)})
        learned = Schooling(now_s, mind.days.get(name, 0.0), now_s)
        return replace(mind, in_school="", schooling={**mind.schooling, name: learned})

    def failed(self, mind: LearnerMind, failed: WorkerFailed) -> LearnerMind:
        """Note a training that did not; it is tried again another day."""
        self._dismiss()
        name = mind.in_school
        self.actor.keep("training_failed", {"series": name, "reason": failed.reason})
        troubled = replace(mind.schooling[name], trouble=failed.reason)
        return replace(mind, in_school="", schooling={**mind.schooling, name: troubled})

    def _dismiss(self) -> None:
        if self.worker is not None:
            self.worker.close()
            self.worker = None


def schooling_of(models: ModelStore) -> dict[str, Schooling]:
    """When each series was last trained, by the cards on disk."""
    return {name: _last(models.cards(name)[0]) for name in SERIES}


def _last(cards: Iterable[ModelCard]) -> Schooling:
    newest = max(cards, key=lambda card: card.trained_at_s, default=None)
    if newest is None:
        return Schooling()
    return Schooling(newest.trained_at_s, newest.source.days, newest.trained_at_s)


def new_cards(
    models: ModelStore, mind: LearnerMind, series: str, allowed: Iterable[str] | None
) -> list[ModelCard]:
    """Versions that somebody else has trained (`pems train`), the newest of each recipe."""
    standings = mind.ledgers[series].standings
    newest = {card.recipe: card for card in models.cards(series)[0]}
    return [
        card
        for recipe, card in sorted(newest.items())
        if (recipe not in standings or _number(standings[recipe].version) < card.number)
        and (series, card.version) not in mind.refused
        and (allowed is None or recipe in allowed)
    ]


def _number(version: str) -> int:
    number = version.rpartition(".")[2]
    return int(number) if number.isdigit() else 0
