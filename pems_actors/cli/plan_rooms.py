"""Where the plan leads the rooms, hour by hour, for the drawing of `pems plan`. Pure.

All rooms share one scale, so that a cool room is low and a warm one high.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pems_actors.cli.hours import Told, bars, hourly_mean, spans

LEAST_SPAN_K = 2.0  # rooms that hardly differ must not look as if they did


class RoomLine(NamedTuple):
    """A room's name, one character per hour, and the range of its air."""

    name: str
    cells: str
    note: str


def room_lines(slots: Sequence[Told], hours: Sequence[datetime]) -> list[RoomLine]:
    """Draw the planned air of every room; rooms of which nothing is planned are left out."""
    names = sorted({name for slot in slots for name in slot.get("temps_c") or {}})
    means = {name: hourly_mean(hours, spans(slots, _temp_of(name))) for name in names}
    known = [temp for row in means.values() for temp in row if temp is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    low, high = low - 0.1, max(high, low + LEAST_SPAN_K)
    return [RoomLine(name, bars(row, low, high), _range(row)) for name, row in means.items()]


def _temp_of(room: str) -> Any:
    return lambda slot: (slot.get("temps_c") or {}).get(room)


def _range(row: Sequence[float | None]) -> str:
    known = [temp for temp in row if temp is not None]
    return f"{min(known):.1f} to {max(known):.1f} °C" if known else ""
