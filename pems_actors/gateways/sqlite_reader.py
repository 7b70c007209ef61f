"""Questions to a history file, on a connection of their own: they never wait for the writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pems_actors.gateways.sqlite_store import SqliteStore

T = TypeVar("T")


class SqliteReader:
    """Asks one file, one question at a time; a file that cannot be read has no answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: SqliteStore | None = None
        self._lock = threading.Lock()

    def ask(self, query: Callable[[SqliteStore], T], nothing: T) -> T:
        """Ask, and give `nothing` where there is no file or no answer."""
        with self._lock:
            if not self._path.exists():
                return nothing
            try:
                if self._store is None:
                    self._store = SqliteStore(self._path)
                return query(self._store)
            except sqlite3.Error:
                self._let_go()
                return nothing

    def close(self) -> None:
        """Let go of the file; the next question opens it again."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = None
