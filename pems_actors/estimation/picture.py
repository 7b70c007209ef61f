"""One picture of the house as arrays: rooms in the model's order, relays in the house's.

NaN is unknown: a room that says nothing, a contact that nobody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pems_actors.domain.readings import HouseReading, RoomReading
from pems_actors.estimation.freshness import ROOM_C

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_SILENT = RoomReading("", float("-inf"), None)


class Picture(NamedTuple):
    """What was read. Shapes for R rooms and S relays: said_c, said_at_s, window (R,), contact (S,).

    `window` and `contact` are 1 for open and on, 0 for closed and off; `window` is None where the
    house has no contacts. `whole`: every room said something possible, just now. `all_contacts`:
    every relay's contact is read.
    """

    at_s: float
    said_c: Array
    said_at_s: Array
    contact: Array
    blocked: bool
    window: Array | None = None
    whole: bool = False
    all_contacts: bool = False


class PictureReader:
    """Lays readings out as arrays; equal contacts give the same array, so that it can be compared.

    It keeps nothing but the last array of contacts.
    """

    def __init__(self, rooms: Sequence[str], relays: Sequence[str]) -> None:
        self.rooms, self.relays = tuple(rooms), tuple(relays)
        row = {name: k for k, name in enumerate(self.rooms)}
        self._rows = [row[name] for name in self.relays]
        self._seen: tuple[bool | None, ...] = ()
        self._contact: Array = np.zeros(0)

    def read(self, reading: HouseReading, *, blocked: bool) -> Picture:
        """Lay out one reading; what is no number is unknown."""
        columns = tuple(zip(*reading.rooms, strict=True))
        if not columns or columns[0] != self.rooms:  # most houses keep the model's order anyway
            columns = tuple(zip(*self._ordered(reading), strict=True))
        _, stamps, temps, relays_on, _, windows = columns
        no_windows = windows.count(None) == len(windows)
        contacts = tuple([relays_on[row] for row in self._rows])
        return Picture(
            at_s=reading.at_s,
            said_c=np.array(temps, dtype=np.float64),
            said_at_s=np.array(stamps),
            contact=self._contacts(contacts),
            blocked=blocked,
            window=None if no_windows else np.array(windows, dtype=np.float64),
            whole=stamps.count(reading.at_s) == len(stamps) and _possible(temps),
            all_contacts=None not in contacts,
        )

    def _ordered(self, reading: HouseReading) -> Sequence[RoomReading]:
        """Bring the rooms into the model's order."""
        said = {room.room: room for room in reading.rooms}
        return [said.get(name, _SILENT) for name in self.rooms]

    def _contacts(self, seen: tuple[bool | None, ...]) -> Array:
        if seen != self._seen or len(self._contact) != len(seen):
            self._seen, self._contact = seen, np.array(seen, dtype=np.float64)
        return self._contact


def _possible(temps: Sequence[float | None]) -> bool:
    if None in temps:
        return False
    known = [temp for temp in temps if temp is not None]
    return bool(known) and ROOM_C.low <= min(known) and max(known) <= ROOM_C.high
