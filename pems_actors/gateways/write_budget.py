"""How many register writes an inverter bears within a day, counted over all lives of the core.

Its memory wears with each write, so a driver that cannot get its way must not try for ever. The
way home, back to what the device does by itself, is always open and counted all the same.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pems_actors.domain.units import DAY_S
from supervision.snapshots import SnapshotStore

NAME = "inverter_writes"


class WriteBudget:
    """The writes of the last 24 h of house time. `save` is apart, for it may take a while."""

    def __init__(self, most: int = 40, store: SnapshotStore | None = None) -> None:
        """Begin with the writes of earlier lives, where they were kept."""
        self.most, self.problem = most, ""
        self._store = store
        self._at_s: list[float] = []
        self._saved = True
        if store is not None:
            found = store.load(NAME, _read)
            self._at_s, self.problem = found.data or [], found.told

    @classmethod
    def on_disk(cls, state: Path, most: int) -> WriteBudget:
        """Count in a state directory."""
        try:
            return cls(most, SnapshotStore(state))
        except OSError:
            return cls(most)

    def spent(self, house_s: float) -> int:
        """Tell how many writes went out within the last day; a clock set back forgets none."""
        self._at_s = [min(at_s, house_s) for at_s in self._at_s if at_s > house_s - DAY_S]
        return len(self._at_s)

    def bears(self, writes: int, house_s: float) -> bool:
        """Tell if so many more can be borne."""
        return self.spent(house_s) + writes <= self.most

    def note(self, house_s: float) -> None:
        """Count one write that goes out."""
        self._at_s.append(house_s)
        self._saved = False

    def save(self) -> None:
        """Write the count down, if it has changed; a disk that refuses costs only the memory."""
        if self._saved or self._store is None:
            return
        with contextlib.suppress(OSError):
            newest_s = max(self._at_s, default=0.0)
            self._store.save(NAME, [round(at_s, 1) for at_s in self._at_s], newest_s)
            self._saved = True


def _read(data: Any) -> list[float]:
    """Raises: ValueError for what are no times."""
    try:
        return [float(at_s) for at_s in data]
    except TypeError as problem:
        raise ValueError("it is no list of times") from problem
