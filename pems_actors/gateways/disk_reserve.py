"""Space on the disk that is ours already: given back when the disk is full, so that work can end.

A file of real blocks that holds nothing. Freed, it leaves room for decisions and snapshots until
somebody makes more; it is taken again when there is plenty. Knows no store.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

RESERVE_BYTES = 50 * 1024 * 1024
PLENTY = 3  # times its size must be free before it is taken (again)


@dataclass(slots=True)
class DiskReserve:
    """One reserve file. `held` tells if its space is kept back just now."""

    path: Path
    size: int = RESERVE_BYTES
    held: bool = False

    def take(self) -> bool:
        """Keep space back, if there is plenty; tells if it is held now. Never raises."""
        if self.held:
            return True
        with contextlib.suppress(OSError):
            if self._free_bytes() < PLENTY * self.size and not self.path.exists():
                return False
            with self.path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
            self.held = True
        if not self.held:
            self._remove()  # half a reserve would only take space
        return self.held

    def free(self) -> bool:
        """Give the space back; tells if there was any to give."""
        had = self.held
        self.held = False
        self._remove()
        return had

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _free_bytes(self) -> int:
        facts = os.statvfs(self.path.parent)
        return facts.f_bavail * facts.f_frsize
