"""The worker that knows rooms: identifies them, and judges what was identified, in its own process.

A version that cannot be opened is named with its reason, the others are judged. The core never
loads what is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from pems_actors.domain.house import HouseModel
from pems_actors.learning.life.contest import HOUSE, LEAST_KNOWN_FRAC
from pems_actors.learning.life.jobs import Columns
from pems_actors.learning.life.room_jobs import (
    FAMILY,
    JudgeRooms,
    RoomErrors,
    RoomJob,
    RoomsJudged,
    RoomsTrained,
)
from pems_actors.learning.life.room_training import rooms_trained
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.rooms.identify import RoomsFound
from pems_actors.learning.rooms.records import RoomRecords, records_from
from pems_actors.learning.rooms.unseen import of_the_same, unseen

_LEAST_ROWS = LEAST_KNOWN_FRAC * 96


def factory() -> Callable[[RoomJob], RoomsTrained | RoomsJudged]:
    """Give the handler of the worker."""
    return handle


def handle(job: RoomJob) -> RoomsTrained | RoomsJudged:
    """Do one job.

    Raises: ValueError in a sentence if there is nothing to train on.
    """
    if isinstance(job, JudgeRooms):
        return judge(job)
    store = ModelStore(Path(job.folder))
    return rooms_trained(frame_of(job.history), store, job.now_s, job.believed, job.present)


def frame_of(columns: Columns) -> pd.DataFrame:
    """Make a table of plain columns; a series that was never known is left out."""
    start = pd.Timestamp(columns.start_s, unit="s", tz="UTC")
    step = pd.Timedelta(seconds=columns.step_s)
    index = pd.date_range(start, periods=len(columns), freq=step)
    frame = pd.DataFrame({n: np.array(v, float) for n, v in columns.series.items()}, index=index)
    return frame.dropna(axis="columns", how="all")


def judge(job: JudgeRooms) -> RoomsJudged:
    """Run every version through the day and compare; models are told even without a day."""
    store, opened, broken = ModelStore(Path(job.folder)), {}, {}
    for version in job.versions:
        try:
            opened[version] = _opened(store, version)
        except ValueError as problem:
            broken[version] = str(problem)
    models: dict[str, HouseModel] = {version: found.model for version, found in opened.items()}
    try:
        records = records_from(frame_of(job.history))
        start = int(records.index.searchsorted(pd.Timestamp(job.start_s, unit="s", tz="UTC")))
        rooms = _errors(opened, records, start)
    except ValueError as problem:
        return RoomsJudged(job.start_s, {}, models, broken, str(problem))
    return RoomsJudged(job.start_s, rooms, models, broken)


def _opened(store: ModelStore, version: str) -> RoomsFound:
    found = store.revived(FAMILY, version)
    if not isinstance(found, RoomsFound):
        raise ValueError(f"{FAMILY} {version} holds no rooms; train it again")  # noqa: TRY004
    return found


def _errors(
    opened: dict[str, RoomsFound], records: RoomRecords, start: int
) -> dict[str, RoomErrors]:
    """Collect the errors by room. Raises: ValueError if there is no whole day after the start."""
    if start + round(24.0 / records.step_h) >= len(records.index):
        raise ValueError("the day to be judged is not over")
    rooms: dict[str, RoomErrors] = {}
    for version, found in opened.items():
        told = unseen(found, of_the_same(found, records), [start])
        for k, name in enumerate(found.names):
            if told.rows[k] < _LEAST_ROWS or not np.isfinite(told.believed_k[k]):
                continue
            before = rooms.get(name, RoomErrors(int(told.rows[k])))
            error = {version: float(told.ours_k[k]), HOUSE: float(told.believed_k[k])}
            within = {version: float(told.inside[k]), HOUSE: 0.0}
            rooms[name] = RoomErrors(
                before.rows, {**before.error, **error}, {**before.inside, **within}
            )
    return rooms
