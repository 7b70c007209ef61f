"""What the learner of rooms remembers, and its pure parts: who is asked, what a day has shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from pems_actors.actors.learner_mind import Schooling
from pems_actors.domain.house import HouseModel
from pems_actors.domain.learned_rooms import LearnedRooms
from pems_actors.domain.states import Value
from pems_actors.learning.life.card import ModelCard
from pems_actors.learning.life.champion import Decision, Ledger
from pems_actors.learning.life.contest import HOUSE, Score
from pems_actors.learning.life.room_jobs import RoomErrors, RoomsJudged
from pems_actors.learning.life.trust import IDENTIFIED, Standing, Tier, evidence, missing

CONFIGURED = LearnedRooms(None, {}, "nothing is learned yet: all rooms are as configured")
_TOLD_ROOMS = 4


@dataclass(frozen=True, slots=True)
class RoomsMind:
    """Records by room, models by version, and what the house was last told to go by.

    `until_s` tells what each version has seen; `before` the version that a room had before the one
    in use, for days that the newer one has seen. `doing`: the job that is out.
    """

    ledgers: Mapping[str, Ledger]
    until_s: Mapping[str, float] = field(default_factory=dict)
    schooling: Schooling = field(default_factory=Schooling)
    models: Mapping[str, HouseModel] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    told: LearnedRooms = CONFIGURED
    refused: frozenset[str] = frozenset()
    days: float = 0.0
    doing: str = ""
    ticket: int = 0

    def standing(self, room: str) -> Standing | None:
        """Give the version of a room and its tier; None if it has none."""
        return self.ledgers[room].standings.get(IDENTIFIED)

    def present(self) -> dict[str, str]:
        """Give the version in use of each room that has one."""
        found = {room: self.standing(room) for room in self.ledgers}
        return {room: each.version for room, each in found.items() if each is not None}

    def asked(self) -> tuple[str, ...]:
        """Name all versions that a judgement may need."""
        return tuple(sorted({*self.present().values(), *self.before.values()}))

    def unseen(self, room: str, start_s: float) -> str | None:
        """Name the newest version of a room that has not learned from a day."""
        named = (self.present().get(room), self.before.get(room))
        fresh = (v for v in named if v is not None and self.until_s.get(v, start_s) <= start_s)
        return next(fresh, None)

    def with_ledger(self, room: str, ledger: Ledger) -> RoomsMind:
        """Take a room's record in."""
        return replace(self, ledgers={**self.ledgers, room: ledger})


def scores_of(mind: RoomsMind, judged: RoomsJudged) -> dict[str, Score]:
    """Make each room's score of a judged day; none where its models had seen the day."""
    found = {}
    for room, errors in judged.rooms.items():
        version = mind.unseen(room, judged.start_s) if room in mind.ledgers else None
        if version is not None and version in errors.error:
            found[room] = _score(judged.start_s, errors, version)
    return found


def _score(start_s: float, errors: RoomErrors, version: str) -> Score:
    names = (version, HOUSE)
    error, inside = ({n: row[n] for n in names} for row in (errors.error, errors.inside))
    return Score(start_s, start_s, errors.rows, error, inside)


def schooling_of(cards: Iterable[ModelCard]) -> Schooling:
    """When the rooms were last trained, by the cards on disk."""
    newest = max(cards, key=lambda card: card.trained_at_s, default=None)
    if newest is None:
        return Schooling()
    return Schooling(newest.trained_at_s, newest.source.days, newest.trained_at_s)


def entry_of(card: ModelCard, entered: Sequence[Decision], now_s: float) -> Decision:
    """Tell once that rooms take a new version in, with their mean errors on unseen days."""
    rows, days = card.source.rows, card.source.days
    said = f"learned from {rows} rows of {days:.1f} days for {len(entered)} rooms"
    numbers: dict[str, float | int | str | None] = {
        "rooms": len(entered),
        "rows": rows,
        "days": round(days, 2),
        **{key: _mean(entered, key) for key in ("mae", "floor_mae")},
    }
    if numbers["mae"] is not None:
        said += f", error {numbers['mae']:.2f} K on unseen days, {numbers['floor_mae']:.2f} K "
        said += "as configured"
    return Decision(
        now_s, card.series, card.recipe, card.version, "entered", Tier.OBSERVE, said, numbers
    )


def _mean(entered: Sequence[Decision], key: str) -> float | None:
    known = [value for d in entered if isinstance(value := d.numbers[key], float)]
    return fmean(known) if known else None


def values_of(mind: RoomsMind, now_s: float) -> tuple[tuple[str, Value], ...]:
    """Tell each room's tier, its errors, and what it lacks for the next one."""
    return tuple((room, Value(told_of(mind, room, now_s), "")) for room in mind.ledgers)


def told_of(mind: RoomsMind, room: str, now_s: float) -> str:
    """Tell a room's tier with its numbers in a phrase."""
    standing, scores = mind.standing(room), mind.ledgers[room].scores
    if standing is None:
        return "as configured"
    seen, lacks = evidence(scores, standing, 0.0, HOUSE), missing(scores, standing, now_s)
    by = f": {seen.error:.2f} K, as configured {seen.floor:.2f} K" if seen is not None else ""
    return f"{standing.version} {standing.tier}{by}{f'; {lacks}' if lacks else ''}"


def summary(mind: RoomsMind, now_s: float) -> str:
    """Say in a line how far the rooms have come, and what some of them lack."""
    rooms = len(mind.ledgers)
    if not mind.present():
        return f"{mind.told.reason}; {mind.days:.1f} days of temperatures are known"
    tiers = [standing.tier for room in mind.ledgers if (standing := mind.standing(room))]
    counts = ", ".join(f"{tiers.count(tier)} {tier}" for tier in Tier if tier in tiers)
    waiting = [room for room in mind.ledgers if room not in mind.told.serving]
    lacks = "; ".join(f"{room}: {told_of(mind, room, now_s)}" for room in waiting[:_TOLD_ROOMS])
    return f"{len(mind.told.serving)} of {rooms} rooms as identified ({counts}); {lacks}".strip(
        "; "
    )
