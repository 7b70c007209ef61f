"""Stand-ins for the worker that knows rooms: errors as a test wants them, by day and room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

from pems_actors.domain.house import HouseModel
from pems_actors.learning.life.card import HorizonError, ModelCard, Source
from pems_actors.learning.life.champion import FIRST_DAY
from pems_actors.learning.life.contest import HOUSE
from pems_actors.learning.life.room_jobs import (
    JudgeRooms,
    RoomErrors,
    RoomJob,
    RoomsJudged,
    RoomsTrained,
    TrainRooms,
    record_of,
)
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.life.trust import IDENTIFIED

AS_CONFIGURED_K, GOOD_K, BAD_K = 0.5, 0.1, 0.9
WEAK = "kitchen"  # no better than configured


class Story:
    """What the workers tell: from `drifts_s` on no identified room is right."""

    drifts_s = inf
    worse = False
    impossible = False


def found(believed: HouseModel, number: int) -> HouseModel:
    """A model that can be told from any other version's."""
    times = -1.0 if Story.impossible else 1.0 + 0.1 * number
    return replace(
        believed,
        rooms=tuple(replace(r, c_air_kwh_k=times * r.c_air_kwh_k) for r in believed.rooms),
    )


def factory() -> Callable[[RoomJob], RoomsTrained | RoomsJudged]:
    """Judge and train as the story goes."""
    return lambda job: trained(job) if isinstance(job, TrainRooms) else judged(job)


def trained(job: TrainRooms) -> RoomsTrained:
    end_s = job.history.end_s
    card = ModelCard(
        "rooms", IDENTIFIED, 0, job.now_s, Source(960, job.history.start_s, end_s, 900.0)
    )
    kept = ModelStore(Path(job.folder)).save(card, job.believed)
    own_k, present = (4.0 * GOOD_K, GOOD_K) if Story.worse else (GOOD_K, None)
    errors = (HorizonError(FIRST_DAY, 3, own_k, own_k, AS_CONFIGURED_K, present_mae=present),)
    rooms = {
        room.name: replace(kept, series=record_of(room.name), errors=errors)
        for room in job.believed.rooms
    }
    return RoomsTrained(kept, rooms, found(job.believed, kept.number), ("all is well",))


def judged(job: JudgeRooms) -> RoomsJudged:
    rooms = {}
    for room in job.believed.rooms:
        wrong = job.start_s + 86400.0 > Story.drifts_s
        error_k = BAD_K if wrong else AS_CONFIGURED_K if room.name == WEAK else GOOD_K
        error = dict.fromkeys(job.versions, error_k) | {HOUSE: AS_CONFIGURED_K}
        inside = dict.fromkeys(job.versions, 0.8) | {HOUSE: 0.0}
        rooms[room.name] = RoomErrors(96, error, inside)
    numbers = {version: int(version.rpartition(".")[2]) for version in job.versions}
    models = {version: found(job.believed, number) for version, number in numbers.items()}
    return RoomsJudged(job.start_s, rooms, models)
