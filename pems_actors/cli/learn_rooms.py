"""`pems train rooms`: the table of all rooms, from a CSV or from what the house has recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pems_actors.actors.room_learner_past import RoomPast
from pems_actors.blueprint import model_data
from pems_actors.domain.house import HouseModel
from pems_actors.domain.units import DAY_S, QUARTER_S

if TYPE_CHECKING:
    import pandas as pd

    from pems_actors.domain.house import House
    from pems_actors.gateways.sqlite_store import SqliteStore
    from pems_actors.learning.life.jobs import Trained
    from pems_actors.learning.life.store import ModelStore
    from pems_actors.learning.rooms.identify import RoomsFound


def trained_from_csv(
    file: Path, house: House, store: ModelStore, timezone: str, renamed: Mapping[str, str]
) -> Trained:
    """Identify the rooms of a CSV; rooms that the configuration knows begin as it says.

    Raises: ValueError in a sentence if there is nothing to learn from.
    """
    from pems_actors.learning.life.room_training import train_rooms  # noqa: PLC0415
    from pems_actors.learning.tables.reading import read_csv  # noqa: PLC0415 - loads pandas

    table = read_csv(file, timezone=timezone, rename=renamed)
    known = {room.name for room in house.model.rooms}
    named = {str(name).removeprefix("temp_c_") for name in table.frame.columns}
    believed = house.model if known & named else None
    return train_rooms(table.frame, store, table.index[-1].timestamp(), believed)


def trained_from_history(history: SqliteStore, house: House, store: ModelStore) -> Trained:
    """Identify the rooms of the house itself.

    Raises: ValueError in a sentence if there is nothing to learn from.
    """
    from pems_actors.learning.life.room_training import train_rooms  # noqa: PLC0415

    frame, now_s = recorded(history, house)
    return train_rooms(frame, store, now_s, house.model)


def write_model(store: ModelStore, trained: Trained, out: Path) -> str:
    """Write what was found as a configuration's `house_model`, and say so.

    Only rooms that are told unseen days ahead better than by the simple ways, or than by what is
    believed of them: that is what a plan would stand on instead, and those left out keep it.
    Raises: OSError if it cannot be written.
    """
    from pems_actors.learning.life.trust import Tier  # noqa: PLC0415
    from pems_actors.learning.rooms.verdict import verdicts  # noqa: PLC0415

    found = store.revived(trained.series, trained.cards[0].version)
    trusted = {each.room for each in verdicts(found) if each.tier is not Tier.OBSERVE}
    good = trusted | _beyond_belief(found)
    rooms = tuple(room for room in found.model.rooms if room.name in good)
    links = tuple(link for link in found.model.links if {link[0], link[1]} <= good)
    out.write_text(json.dumps(model_data(HouseModel(rooms, links)), indent=2) + "\n")
    left = [room.name for room in found.model.rooms if room.name not in good]
    without = f"; without {', '.join(left)}, which are not trusted yet" if left else ""
    return f'{out}: {len(rooms)} rooms, to be named as "house_model" in a configuration{without}'


def _beyond_belief(found: RoomsFound) -> set[str]:
    """Name the rooms whose unseen days are told better than as they were believed."""
    tested = found.tested
    if tested is None:
        return set()
    told = zip(found.names, tested.ours_k, tested.believed_k, strict=True)
    return {name for name, ours_k, believed_k in told if ours_k < believed_k}


def recorded(history: SqliteStore, house: House) -> tuple[pd.DataFrame, float]:
    """Read temperatures, heat, outdoors and sun by quarter hours, and when they end.

    Raises: ValueError if no room was ever recorded.
    """
    from pems_actors.learning.life.room_worker import frame_of  # noqa: PLC0415 - loads pandas

    last = [history.last(f"temp_c.{room.name}") for room in house.rooms]
    ends = [row[0] for row in last if row is not None]
    if not ends:
        raise ValueError("rooms: the history has no temperature of any room; let the house run")
    end_s = (max(ends) // QUARTER_S + 1.0) * QUARTER_S
    past = RoomPast(history, house)
    return frame_of(past.columns(end_s - past.days(end_s) * DAY_S, end_s)), end_s
