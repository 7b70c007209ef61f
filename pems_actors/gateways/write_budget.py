"""How many register writes an inverter bears within a day, counted over all lives of the core.

Its memory wears with each write, so a driver that cannot get its way must not try for ever. The
way home, back to what the device does by itself, is always open and counted all the same.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from pems_actors.domain.units import DAY_S

NAME = "inverter_writes.json"


class WriteBudget:
    """The writes of the last 24 h of house time. `save` is apart, for it may take a while."""

    def __init__(self, most: int = 40, file: Path | None = None) -> None:
        """Begin with the writes of earlier lives, where there is a file with them."""
        self.most = most
        self._file = file
        self._at_s = _read(file)
        self._saved = True

    @classmethod
    def on_disk(cls, state: Path, most: int) -> WriteBudget:
        """Count in a state directory."""
        return cls(most, state / NAME)

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
        if self._saved or self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            with fresh.open("w", encoding="utf-8") as out:
                json.dump([round(at_s, 1) for at_s in self._at_s], out)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._file)
            self._saved = True


def _read(file: Path | None) -> list[float]:
    if file is None:
        return []
    try:
        return [float(at_s) for at_s in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
