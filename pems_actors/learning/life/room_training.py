"""Training of the rooms: one table of measurements in, one kept house model with its card out.

What each room's model is worth comes along room by room, against the house as it was believed and
against the version in use.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from pems_actors.domain.house import HouseModel
from pems_actors.learning.life.card import HorizonError, ModelCard, Source
from pems_actors.learning.life.champion import FIRST_DAY
from pems_actors.learning.life.jobs import Trained
from pems_actors.learning.life.room_jobs import FAMILY, RoomsTrained, record_of
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.life.trust import IDENTIFIED
from pems_actors.learning.rooms.house import NOTHING_KNOWN, Prior
from pems_actors.learning.rooms.identify import RoomsFound, Tested, identify
from pems_actors.learning.rooms.records import RoomRecords, records_from
from pems_actors.learning.rooms.unseen import of_the_same, unseen
from pems_actors.learning.rooms.verdict import RoomVerdict, verdicts


class OnDays(NamedTuple):
    """The error of the version in use on some of the tested days [K]."""

    starts_s: tuple[float, ...]
    error_k: float


InUse = dict[str, OnDays]  # by room


def train_rooms(
    frame: pd.DataFrame, store: ModelStore, now_s: float, believed: HouseModel | None = None
) -> Trained:
    """Identify all rooms of a table together and keep what was found; see `rooms_trained`."""
    done = rooms_trained(frame, store, now_s, believed)
    return Trained(FAMILY, (done.card,), done.said)


def rooms_trained(
    frame: pd.DataFrame,
    store: ModelStore,
    now_s: float,
    believed: HouseModel | None = None,
    present: Mapping[str, str] | None = None,
) -> RoomsTrained:
    """Identify all rooms of a table together and keep what was found.

    Args:
        frame: as `rooms.records.records_from` wants it.    believed: the rooms as configured.
        present: the version in use, by room.
    Raises: ValueError in a sentence if there is nothing to learn from; OSError from the disk.
    """
    began_s = time.process_time()
    records = records_from(frame)
    found = identify(records, NOTHING_KNOWN if believed is None else Prior.of(believed))
    card = ModelCard(
        series=FAMILY,
        recipe=IDENTIFIED,
        number=0,
        trained_at_s=now_s,
        source=_source(records),
        errors=_errors(found),
        took_s=round(time.process_time() - began_s, 3),
        notes=found.notes,
    )
    compared = _of_present(store, records, found.tested, present or {})
    kept = store.save(card, found)
    store.prune(FAMILY, set((present or {}).values()))
    said = (*found.notes, *(_line(each) for each in verdicts(found)))
    return RoomsTrained(kept, _by_room(kept, found, compared), found.model, said)


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
    return (HorizonError(FIRST_DAY, found.tested.days, ours, ours, floor),)


def _by_room(kept: ModelCard, found: RoomsFound, in_use: InUse) -> dict[str, ModelCard]:
    """Write each room's own card; its floor is the room as it was believed."""
    return {
        name: replace(kept, series=record_of(name), errors=_errors_of(found, k, in_use.get(name)))
        for k, name in enumerate(found.names)
    }


def _errors_of(found: RoomsFound, k: int, in_use: OnDays | None) -> tuple[HorizonError, ...]:
    tested = found.tested
    if tested is None or not np.isfinite(tested.ours_k[k] + tested.believed_k[k]):
        return ()
    ours, floor, present = float(tested.ours_k[k]), float(tested.believed_k[k]), None
    if in_use is not None:  # then only days count that neither had seen
        days = [n for n, at_s in enumerate(tested.starts_s) if at_s in in_use.starts_s]
        same = float(np.sqrt(np.nanmean(tested.daily_k[days, k] ** 2)))
        ours, present = (same, in_use.error_k) if np.isfinite(same) else (ours, None)
    return (HorizonError(FIRST_DAY, tested.days, ours, ours, floor, present_mae=present),)


def _of_present(
    store: ModelStore, records: RoomRecords, tested: Tested | None, present: Mapping[str, str]
) -> InUse:
    """Run the versions in use on those tested days that they have not seen."""
    found: InUse = {}
    for version in sorted(set(present.values())) if tested is not None else ():
        assert tested is not None
        try:
            model, card = store.revived(FAMILY, version), store.card(FAMILY, version)
            same = of_the_same(model, records)
        except ValueError:
            continue  # it cannot be asked any more: there is nothing to compare with
        starts_s = tuple(at_s for at_s in tested.starts_s if at_s >= card.source.end_s)
        if not starts_s:
            continue
        rows = [int(same.index.searchsorted(pd.Timestamp(s, unit="s", tz="UTC"))) for s in starts_s]
        told = unseen(model, same, rows).ours_k
        for k, name in enumerate(model.names):
            if present.get(name) == version and np.isfinite(told[k]):
                found[name] = OnDays(starts_s, float(told[k]))
    return found
