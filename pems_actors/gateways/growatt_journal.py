"""What the inverter still holds of our orders, on disk: the writes that would take it all back.

The core notes the clean-up of a plan of register writes before the first of them goes out. When
the core is gone, the guardian reads the file and carries the clean-up out. It must be readable
after a crash at any moment, so it is replaced as a whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pems_actors.gateways.growatt_registers import Write, read_write
from pems_actors.gateways.wire import Rejected

NAME = "inverter_cleanup.json"


class GrowattJournal:
    """The clean-up of one inverter, under the state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        self._noted: tuple[Write, ...] | None = None

    def note(self, cleanup: tuple[Write, ...]) -> None:
        """Remember what must be undone, durably; an empty clean-up clears the file.

        Raises: OSError if the disk does not take it; then nothing may be written to the inverter.
        """
        if cleanup == self._noted:
            return
        rows = [{"topic": write.topic, "payload": write.payload} for write in cleanup]
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(rows, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._sync_folder()
        self._noted = cleanup

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @property
    def exists(self) -> bool:
        """Whether there is a note, readable or not; without one nothing was ever written."""
        return self._path.exists()

    def read(self) -> tuple[Write, ...] | None:
        """Read what must be undone; None if there is no readable note."""
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(_read_row(row["topic"], row["payload"]) for row in rows)
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _read_row(topic: str, payload: str) -> Write:
    change = read_write(topic, payload.encode("utf-8"))
    if isinstance(change, Rejected):
        raise ValueError(change.reason)  # noqa: TRY004 - a note that cannot be read is no note
    return Write(change[0], change[1], topic, payload)
