"""The learner of rooms: has them identified and judged, and says by which model the house goes.

Every six hours each room's model runs free through the day that is just over, beside the room as
configured; trust moves by these errors alone, room by room. Rooms that are trusted with control go
into one house model, the estimator takes it up and plans follow. It reckons nothing itself: what is
identified or judged runs in a process that then ends. A training that fails, or never comes back,
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pems_actors.actors.base import ESTIMATOR, HouseActor
from pems_actors.actors.learner_mind import Schooling
from pems_actors.actors.learner_school import Learning
from pems_actors.actors.room_learner_mind import (
    RoomsMind,
    entry_of,
    schooling_of,
    scores_of,
    summary,
    values_of,
)
from pems_actors.actors.room_learner_past import WARM_S, RoomPast
from pems_actors.domain.events import Republish, Tick
from pems_actors.domain.house import House
from pems_actors.domain.levels import Level
from pems_actors.domain.ports import History
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.learning.life.card import ModelCard
from pems_actors.learning.life.champion import Decision, Ledger, ledgers_from
from pems_actors.learning.life.room_jobs import (
    FAMILY,
    JudgeRooms,
    RoomJob,
    RoomsJudged,
    RoomsTrained,
    TrainRooms,
    record_of,
)
from pems_actors.learning.life.room_model import (
    fault_of,
    house_of,
    number_of,
    records,
    served,
)
from pems_actors.learning.life.store import ROOMS_LEDGER, ModelStore
from pems_actors.learning.life.trust import IDENTIFIED, Tier
from supervision import Context, Health
from supervision.worker import Worker, WorkerDone, WorkerFailed

EVERY_S = 6 * HOUR_S
LAG_S = 20 * 60.0  # after the end of a day its last quarter hour is on record
FIRST_AFTER_S = 120.0


class RoomLearnerActor(HouseActor):
    """Its state outlives a crash; records and models on disk outlive the process."""

    state: RoomsMind

    def __init__(self, context: Context, house: House, store: History, learning: Learning) -> None:
        super().__init__(context)
        self.believed, self.learning = house.model, learning
        self.past = RoomPast(store, house)
        self.models = ModelStore(learning.folder)

    def on_start(self) -> None:
        """Begin with the record so far; a job that was out is forgotten."""
        self.worker_at_work: Worker | None = None
        super().on_start()
        self.state = replace(self.state, doing="", ticket=self.state.ticket + 1000)
        self.after(FIRST_AFTER_S, Tick())

    def first_state(self) -> RoomsMind:
        """Begin with the records on disk; their models come with the first judgement."""
        plain, wrong = self.models.ledger(ROOMS_LEDGER)
        if wrong:
            self.health(Health.DEGRADED, wrong)
        names = [record_of(room.name) for room in self.believed.rooms]
        cards = self.models.cards(FAMILY)[0]
        return RoomsMind(
            records(self.believed.rooms, ledgers_from(plain, names)),
            until_s={card.version: card.source.end_s for card in cards},
            schooling=schooling_of(cards),
        )

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case Tick():
                self._on_tick(self.now_s())
            case WorkerDone(ticket=ticket, result=RoomsJudged() as judged):
                if self._is_back(ticket):
                    self._on_judged(judged, self.now_s())
            case WorkerDone(ticket=ticket, result=RoomsTrained() as trained):
                if self._is_back(ticket):
                    self._on_trained(trained, self.now_s())
            case WorkerFailed(ticket=ticket, reason=reason):
                if ticket == self.state.ticket:
                    self._on_failure(reason, self.now_s())
            case Republish():
                self.tell(ESTIMATOR, self.state.told)
            case _:
                return super().on_receive(message)
        return None

    # -- jobs ----------------------------------------------------------------------------------

    def _on_tick(self, now_s: float) -> None:
        self.after(EVERY_S - (now_s - LAG_S) % EVERY_S, Tick())
        if self.state.doing:
            return
        self.state = replace(self.state, days=self.past.days(now_s))
        self._find_new(now_s)
        versions = self.state.asked()
        if not versions:
            self._tell_all(now_s)
            self._train_if_due(now_s)
            return
        start_s = (now_s - LAG_S) // EVERY_S * EVERY_S - DAY_S
        history = self.past.columns(start_s - WARM_S, start_s + DAY_S + QUARTER_S)
        folder = str(self.learning.folder)
        self._submit("judging", JudgeRooms(folder, self.believed, history, start_s, versions))

    def _train_if_due(self, now_s: float) -> None:
        mind = self.state
        if not mind.schooling.is_due(mind.days, now_s):
            return
        self.state = replace(mind, schooling=replace(mind.schooling, tried_s=now_s))
        history = self.past.columns(now_s - mind.days * DAY_S, now_s)
        folder = str(self.learning.folder)
        self._submit("training", TrainRooms(folder, self.believed, history, now_s, mind.present()))

    def _submit(self, doing: str, job: RoomJob) -> None:
        self.state = replace(self.state, doing=doing, ticket=self.state.ticket + 1)
        self.worker_at_work = self.worker(self.learning.rooms)
        self.worker_at_work.submit(self.state.ticket, job)

    def _is_back(self, ticket: int) -> bool:
        """Whether this is the answer that is waited for; its process is let go."""
        if ticket != self.state.ticket:
            return False
        self.state = replace(self.state, doing="")
        if self.worker_at_work is not None:
            self.worker_at_work.close()
            self.worker_at_work = None
        return True

    def _on_failure(self, reason: str, now_s: float) -> None:
        """What the house goes by stays; a failed training is tried again another day."""
        doing = self.state.doing
        if not doing or not self._is_back(self.state.ticket):
            return  # it was dismissed
        if doing == "training":
            self.keep("training_failed", {"series": FAMILY, "reason": reason})
            schooling = replace(self.state.schooling, trouble=reason)
            self.state = replace(self.state, schooling=schooling)
            self._tell_all(now_s)
        else:
            self._train_if_due(now_s)
        self.health(Health.DEGRADED, f"{doing} rooms: {reason}; what serves goes on")

    # -- keeping score -------------------------------------------------------------------------

    def _on_judged(self, judged: RoomsJudged, now_s: float) -> None:
        self.state = replace(self.state, models={**self.state.models, **judged.models})
        self._strike_unusable(judged, now_s)
        scores = scores_of(self.state, judged)
        for room, before in self.state.ledgers.items():
            ledger = before if room not in scores else before.with_score(scores[room])
            after, decisions = ledger.judged(now_s)
            self._decide(room, after, decisions)
        self._save()
        self._tell_all(now_s)
        self._train_if_due(now_s)

    def _strike_unusable(self, judged: RoomsJudged, now_s: float) -> None:
        """Let go of versions that cannot be opened, or with which nobody could reckon."""
        believed = {room.name: room for room in self.believed.rooms}
        for room, version in self.state.present().items():
            why = judged.broken.get(version, "")
            if version in judged.models:
                why = fault_of(judged.models[version], believed[room])
            if why:
                self._strike(room, version, why, now_s)

    def _strike(self, room: str, version: str, why: str, now_s: float) -> None:
        ledger = self.state.ledgers[room]
        tier = ledger.standings[IDENTIFIED].tier
        said = f"{version} cannot be used ({why})"
        decision = Decision(now_s, ledger.series, IDENTIFIED, version, "dethroned", tier, said)
        self._decide(room, ledger.without(IDENTIFIED), (decision,))
        self.state = replace(self.state, refused=self.state.refused | {version})

    def _decide(self, room: str, ledger: Ledger, decisions: Iterable[Decision]) -> None:
        """Take a record in, and tell each decision to log and history."""
        self.state = self.state.with_ledger(room, ledger)
        for decision in decisions:
            self._announce(decision)

    def _announce(self, decision: Decision) -> None:
        self.keep("model", decision.plain())
        self.health(Health.RUNNING, decision.line)

    # -- new versions --------------------------------------------------------------------------

    def _on_trained(self, trained: RoomsTrained, now_s: float) -> None:
        card, days = trained.card, self.state.days
        self.keep("trained", {"series": FAMILY, "said": list(trained.said)})
        self.state = replace(
            self.state,
            schooling=Schooling(now_s, days, now_s),
            models={**self.state.models, card.version: trained.model},
            until_s={**self.state.until_s, card.version: card.source.end_s},
        )
        believed = {room.name: room for room in self.believed.rooms}
        able = {r: c for r, c in trained.rooms.items() if r in believed}
        usable = {r: c for r, c in able.items() if not fault_of(trained.model, believed[r])}
        self._enter(card, usable, now_s)
        self._save()
        self._tell_all(now_s)

    def _enter(self, card: ModelCard, rooms: Mapping[str, ModelCard], now_s: float) -> None:
        """Take a version in for the rooms for which it is not worse; tell it once, not per room."""
        entered = []
        for room, own in rooms.items():
            before = self.state.present().get(room)
            ledger, decision = self.state.ledgers[room].entered(own, now_s)
            if decision.what == "kept_old":
                self._decide(room, ledger, (decision,))
                continue
            entered.append(decision)
            self.state = self.state.with_ledger(room, ledger)
            if before is not None:
                self.state = replace(self.state, before={**self.state.before, room: before})
        if entered:
            self._announce(entry_of(card, entered, now_s))

    def _find_new(self, now_s: float) -> None:
        """Watch what somebody else has trained (`pems train rooms`), where nothing better serves.

        It was not compared with what is in use, so it does not take its place.
        """
        mind = self.state
        newest = max(self.models.cards(FAMILY)[0], key=lambda card: card.number, default=None)
        known = max((number_of(version) for version in mind.present().values()), default=0)
        if newest is None or newest.version in mind.refused or newest.number <= known:
            return
        until_s = {**mind.until_s, newest.version: newest.source.end_s}
        self.state = replace(mind, until_s=until_s)
        watched = (
            room
            for room in mind.ledgers
            if (standing := mind.standing(room)) is None or standing.tier is Tier.OBSERVE
        )
        own = {room: replace(newest, series=record_of(room), errors=()) for room in watched}
        self._enter(newest, own, now_s)

    # -- telling -------------------------------------------------------------------------------

    def _tell_all(self, now_s: float) -> None:
        """Say by which model the house goes, and how far the rooms have come."""
        mind, models = self.state, self.state.models
        learned = house_of(self.believed, served(mind.ledgers, models), models)
        changed = learned.serving != mind.told.serving
        used = {*mind.asked(), *learned.serving.values()}
        kept = {version: model for version, model in models.items() if version in used}
        self.state = replace(mind, told=learned if changed else mind.told, models=kept)
        if changed:
            self.keep("house_model", {"serving": dict(learned.serving), "reason": learned.reason})
        if changed or learned.serving:
            self.tell(ESTIMATOR, learned)  # again, for whoever has started anew
        said, trouble = summary(self.state, now_s), mind.schooling.trouble
        self.health(
            Health.DEGRADED if trouble else Health.RUNNING, f"{trouble}; {said}".strip("; ")
        )
        values = values_of(self.state, now_s)
        self.publish(DeviceState(self.path, now_s, Level.PLAN, said, values))

    def _save(self) -> None:
        """Keep the records. Small, once in six hours, and no one waits for this actor."""
        plain = {ledger.series: ledger.plain() for ledger in self.state.ledgers.values()}
        try:
            self.models.keep_ledger(plain, ROOMS_LEDGER)
        except OSError as problem:
            self.health(Health.DEGRADED, f"trust is not saved ({problem}); it holds in memory")
