"""Training of the rooms: one table of measurements in, one kept house model with its card out."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from pems_actors.domain.house import HouseModel
from pems_actors.learning.life.card import HorizonError, ModelCard, Source
from pems_actors.learning.life.jobs import Trained
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.rooms.house import NOTHING_KNOWN, Prior
from pems_actors.learning.rooms.identify import RoomsFound, identify
from pems_actors.learning.rooms.records import RoomRecords, records_from
from pems_actors.learning.rooms.verdict import RoomVerdict, verdicts

SERIES, RECIPE = "rooms", "identified"
HORIZON = "0-24 h"


def train_rooms(
    frame: pd.DataFrame, store: ModelStore, now_s: float, believed: HouseModel | None = None
) -> Trained:
    """Identify all rooms of a table together and keep what was found.

    Args:
        frame: as `rooms.records.records_from` wants it.    believed: the rooms as configured.
    Raises: ValueError in a sentence if there is nothing to learn from; OSError from the disk.
    """
    began_s = time.process_time()
    records = records_from(frame)
    found = identify(records, NOTHING_KNOWN if believed is None else Prior.of(believed))
    card = ModelCard(
        series=SERIES,
        recipe=RECIPE,
        number=0,
        trained_at_s=now_s,
        source=_source(records),
        errors=_errors(found),
        took_s=round(time.process_time() - began_s, 3),
        notes=found.notes,
    )
    kept = store.save(card, found)
    store.prune(SERIES, ())
    return Trained(SERIES, (kept,), (*found.notes, *(_line(each) for each in verdicts(found))))


def _line(verdict: RoomVerdict) -> str:
    """Tell how far a room is trusted and what was seen of it."""
    lacks = f", lacks {verdict.missing}" if verdict.missing else ""
    return f"{verdict.room}: {verdict.tier.value}{lacks}; {verdict.statement}"


def _source(records: RoomRecords) -> Source:
    unknown = ~np.isfinite(records.air_c)
    starts = unknown[1:] & ~unknown[:-1]
    first, step_s = records.index[0].timestamp(), records.step.total_seconds()
    return Source(
        rows=int((~unknown).sum()),
        start_s=first,
        end_s=first + step_s * len(records.index),
        step_s=step_s,
        gaps=int(starts.sum() + unknown[0].sum()),
    )


def _errors(found: RoomsFound) -> tuple[HorizonError, ...]:
    """Root mean squares over a free day, as means over the rooms; none where none were tested."""
    if found.tested is None:
        return ()
    ours, floor = (float(np.nanmean(k)) for k in (found.tested.ours_k, found.tested.floor_k))
    return (HorizonError(HORIZON, found.tested.days, ours, ours, floor),)
