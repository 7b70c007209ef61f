"""Who may write to the devices: `STATE/devices.lock` has one holder, and its lives are counted.

The holder is the core's writer, or `pems_actors.safe_state` once the core is gone. The kernel lets
go of the lock when its holder ends, however it ends. Beside it lies the number of lives of the
core: each gets epochs above all those of the lives before it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

from supervision.snapshots import SnapshotStore

NAME = "devices.lock"
LIVES = "devices.epoch"
EPOCHS_PER_LIFE = 1_000_000  # restarts of one actor within one life of the core never reach it
LOOK_EVERY_S = 0.05


class DevicesTakenError(OSError):
    """Somebody else writes to the devices just now; the text says who."""


class DevicesLock:
    """The right to write to the devices of one state directory, until released or dead."""

    def __init__(self, state: Path, file: TextIO) -> None:
        self._state, self._file = state, file
        self.problem = ""  # with the count of lives

    @classmethod
    def take(cls, state: Path, holder: str, wait_s: float = 0.0) -> DevicesLock:
        """Take the lock for `holder` (a word for a person), waiting at most `wait_s`.

        Raises: DevicesTakenError if another process keeps it; OSError if there can be no file.
        """
        file = (state / NAME).open("a+", encoding="utf-8")
        try:
            _lock(file, time.monotonic() + wait_s)
        except BlockingIOError:
            other = _read(file)
            file.close()
            raise DevicesTakenError(
                f"the devices of {state} are in the hands of {other}; nothing is written"
            ) from None
        file.truncate(0)
        file.write(f"{holder}, process {os.getpid()}")
        file.flush()
        return cls(state, file)

    def begin_life(self, at_s: float) -> int:
        """Count one more life and give the first epoch of it, above all epochs so far.

        A disk that does not take the count is no reason not to heat: then the next life may have
        the same epochs, which only makes records harder to tell apart.
        """
        kept = SnapshotStore(self._state)
        found = kept.load(LIVES)
        self.problem = found.told
        behind = 1 if found.generation == "previous" else 0
        life = 1 + behind + (found.data["lives"] if isinstance(found.data, dict) else 0)
        with contextlib.suppress(OSError):
            kept.save(LIVES, {"lives": life}, at_s)
        return life * EPOCHS_PER_LIFE + 1

    def release(self) -> None:
        """Let another process write to the devices; may be called twice."""
        self._file.close()


def _lock(file: TextIO, due_s: float) -> None:
    """Lock a file; raises BlockingIOError if that is not possible in time."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= due_s:
                raise
            time.sleep(LOOK_EVERY_S)  # a lock that is let go tells nobody
        else:
            return


def _read(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip() or "another process"
