"""What an error of the local store means: a bad row, a full disk or a broken file.

A bad row must not take others with it, a full disk passes, a broken file never does: it is put
aside, so that a new one can begin.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from pems_actors.gateways.sqlite_store import Sample, SqliteStore

BAD_ROW = (
    ValueError,  # a text that is no Unicode, too
    TypeError,
    OverflowError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
)
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
HARDLY_ANY_BYTES = 4 * 1024 * 1024
THIN_S = 600.0


def is_full(error: Exception, folder: Path) -> bool:
    """Tell if an error means that the disk has no room."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith("SQLITE_IOERR"):  # what a full disk looks like from a write-ahead log
        facts = os.statvfs(folder)
        return facts.f_bavail * facts.f_frsize < HARDLY_ANY_BYTES
    return name == "SQLITE_FULL"


def is_broken(error: Exception) -> bool:
    """Tell if an error means that the file is no database (any more)."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, (sqlite3.OperationalError, *BAD_ROW)
    )


def put_aside(path: Path) -> None:
    """Rename a broken file, with what belongs to it; a past one makes room."""
    for part in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{part}").replace(f"{path}.broken{part}")


def open_or_replace(path: Path, on_lost: Callable[[], object]) -> SqliteStore:
    """Open the file; one that is no database is put aside, which is told, and a new one begun.

    Raises: sqlite3.OperationalError if neither can be done.
    """
    try:
        return SqliteStore(path)
    except sqlite3.DatabaseError as error:
        if not is_broken(error):
            raise
        put_aside(path)
        on_lost()
        return SqliteStore(path)


class Thinning:
    """Lets one row of each series through per ten minutes, where there is no room for all."""

    def __init__(self) -> None:
        self._passed_s: dict[str, float] = {}

    def of(self, samples: Sequence[Sample]) -> list[Sample]:
        """Give the rows that are kept."""
        kept: list[Sample] = []
        for series, at_s, value in samples:
            if abs(at_s - self._passed_s.get(series, float("-inf"))) >= THIN_S:
                self._passed_s[series] = at_s
                kept.append((series, at_s, value))
        return kept
