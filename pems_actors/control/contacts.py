"""Which relays draw by what their contacts say, whatever was ordered.

A relay that a person or a weld has closed draws before anybody has found out why. While the meter
is silent, a contact that has changed since its last reading tells what has changed in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.domain.readings import RoomReading

NOBODY: frozenset[str] = frozenset()


class Contacts(NamedTuple):
    """Relays by their contacts; one that was switched off is closed only by a later reading.

    metered: closed when the meter was last read.    off_s: when each last went off.
    """

    closed: frozenset[str] = NOBODY
    open: frozenset[str] = NOBODY
    metered: frozenset[str] = NOBODY
    off_s: Mapping[str, float] = MappingProxyType({})

    def heard(self, rooms: Sequence[RoomReading], *, metered: bool) -> Contacts:
        """Take in a picture; `metered` tells if the meter was read in it.

        Where nothing was read of the rooms, what was last seen stands.
        """
        if not rooms:
            return self._replace(metered=self.closed) if metered else self
        off_s = self.off_s
        closed = frozenset(
            [r.room for r in rooms if r.relay_on and r.at_s > off_s.get(r.room, -inf)]
        )
        opened = frozenset([room.room for room in rooms if room.relay_on is False])
        return Contacts(closed, opened, closed if metered else self.metered, off_s)

    def switched_off(self, relay: str, at_s: float) -> Contacts:
        """Note that a relay went off: what was read before counts no more."""
        return self._replace(closed=self.closed - {relay}, off_s={**self.off_s, relay: at_s})

    def shifted(self, by_s: float) -> Contacts:
        """Move along with a clock that was set."""
        return self._replace(off_s={name: at_s + by_s for name, at_s in self.off_s.items()})

    @property
    def come(self) -> frozenset[str]:
        """Closed now, and not when the meter was last read."""
        return self.closed - self.metered

    @property
    def gone(self) -> frozenset[str]:
        """Open now, and closed when the meter was last read."""
        return self.metered & self.open
