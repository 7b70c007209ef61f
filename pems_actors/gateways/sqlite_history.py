"""The always-on local history: a `History` on SQLite that never makes its callers wait.

Callers put rows into a bounded queue; one writer thread commits them in groups (after 1 s or 200
rows; a record at once). A disk that is full or gone degrades the history and nothing else. Full:
the reserve is given back, decisions go on being written, measurements every ten minutes. Not even
that: rows wait in memory, the oldest measurements are dropped and counted, records are kept as
long as can be. `problem` says in one sentence what is wrong.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pems_actors.gateways.disk_reserve import DiskReserve
from pems_actors.gateways.history_queue import LARGEST_GROUP, Batch, HistoryQueue
from pems_actors.gateways.sqlite_reader import SqliteReader
from pems_actors.gateways.sqlite_store import Record, Sample, SqliteStore
from pems_actors.gateways.store_faults import (
    BAD_ROW,
    Thinning,
    is_broken,
    is_full,
    open_or_replace,
    put_aside,
)

T = TypeVar("T")
GROUP_S = 1.0
RETRY_S = 5.0
TIGHT = "the disk is full: only decisions and a tenth of the measurements are kept; free space"


def _nobody(_said: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class HistoryStatus:
    """How the store does."""

    ok: bool
    reason: str
    queued_rows: int
    committed_rows: int
    dropped_rows: int
    dropped_records: int
    refused_rows: int
    thinned_rows: int = 0


class SqliteHistory:
    """`domain.ports.History` in one file.

    Args:
        path: the file; its folder must exist.    outbox: also keep a line per row for InfluxDB.
        on_state: told `(ok, sentence)` from the writer's thread when the state changes.
        reserve: space to give back when the disk is full.
        on_lost: told a sentence, from the same thread, when a file that is no database is put
            aside.
    """

    def __init__(
        self,
        path: Path,
        *,
        outbox: bool = False,
        on_state: Callable[[bool, str], None] | None = None,
        queue_rows: int = 200_000,
        retry_s: float = RETRY_S,
        reserve: DiskReserve | None = None,
        on_lost: Callable[[str], None] = _nobody,
    ) -> None:
        self.path, self._outbox, self._on_state = path, outbox, on_state
        self._on_lost = on_lost
        self._retry_s, self._reserve = retry_s, reserve
        self._thinning: Thinning | None = None  # while the disk is full
        self._thinned_rows = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._queue = HistoryQueue(most_rows=queue_rows)
        self._committed_rows = self._refused_rows = 0
        self._reason = ""
        self._hurry = self._closing = False
        self._store: SqliteStore | None = None
        self._reader = SqliteReader(path)
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)
        self._thread.start()

    # -- the port ------------------------------------------------------------------------------

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Hand rows over; never blocks. What is no finite number is refused and counted."""
        good = tuple(row for row in samples if _is_usable(row))
        with self._lock:
            self._refused_rows += len(samples) - len(good)
            if good:
                self._put(good, None)

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Hand one record over; it is committed at once, to the platter. Never blocks."""
        with self._lock:
            self._put((), (kind, at_s, body))

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None = None
    ) -> list[tuple[float, float]]:
        """Read `[start_s, end_s)`; with a step its means, stamped at step starts."""
        return self._read(lambda store: store.range(series, start_s, end_s, step_s), [])

    def last(self, series: str) -> tuple[float, float] | None:
        """Read the newest row of a series."""
        return self._read(lambda store: store.last(series), None)

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read the records of one kind in `[start_s, end_s)`, oldest first."""
        return self._read(lambda store: store.records(kind, start_s, end_s), [])

    def close(self) -> None:
        """Commit what is open and let go of the file; at most 5 s."""
        with self._lock:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(5.0)
        self._reader.close()

    # -- more than the port --------------------------------------------------------------------

    def series(self) -> list[str]:
        """List the names of all series."""
        return self._read(lambda store: store.series(), [])

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until all that was handed over is committed; False if that did not happen."""
        until = time.monotonic() + timeout_s
        with self._lock:
            goal = self._queue.handed
            while self._queue.done < goal:
                self._hurry = True
                self._changed.notify_all()
                left = until - time.monotonic()
                if left <= 0 or self._reason or not self._thread.is_alive():
                    return False
                self._changed.wait(min(left, 0.5))
        return True

    def load(self, samples: Sequence[Sample], timeout_s: float = 60.0) -> None:
        """Store many rows, waiting for room: for importers, not for actors.

        Raises: TimeoutError if the disk does not take them in time.
        """
        for start in range(0, len(samples), LARGEST_GROUP):
            self.append(samples[start : start + LARGEST_GROUP])
            if not self.flush(timeout_s):
                raise TimeoutError(f"the history takes no rows: {self._reason or 'too slow'}")

    def problem(self) -> str:
        """Say what keeps the history from writing all it should; empty if nothing does."""
        if not self._thread.is_alive() and not self._closing:
            return "the history's writer has ended; restart the core"
        return self._reason or (TIGHT if self._thinning is not None else "")

    def status(self) -> HistoryStatus:
        """Tell how the store does."""
        with self._lock:
            return HistoryStatus(
                ok=not self.problem(),
                reason=self.problem(),
                queued_rows=self._queue.rows,
                committed_rows=self._committed_rows,
                dropped_rows=self._queue.dropped_rows,
                dropped_records=self._queue.dropped_records,
                refused_rows=self._refused_rows,
                thinned_rows=self._thinned_rows,
            )

    def _put(self, samples: tuple[Sample, ...], record: Record | None) -> None:
        was_empty = not self._queue
        self._queue.put(samples, record)
        if was_empty or self._queue.is_due():  # waking the writer for each row costs more
            self._changed.notify_all()

    # -- the writer's thread -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._take_reserve()
            group = self._take()
            if not group:
                break
            if self._written(group):
                self._committed(group)
            else:
                self._wait_and_keep(group)
        if self._store is not None:
            self._store.close()

    def _take(self) -> list[Batch]:
        """Wait for a group to be due, and take it; empty means: closing and nothing left."""
        with self._lock:
            while not self._queue and not self._closing:
                self._changed.wait()
                self._settle()
            until_s = time.monotonic() + GROUP_S
            while not self._is_due() and (left := until_s - time.monotonic()) > 0:
                self._changed.wait(left)
            return self._queue.take()

    def _is_due(self) -> bool:
        return self._hurry or self._closing or self._queue.is_due()

    def _settle(self) -> None:
        if self._queue.settle():
            self._hurry = False
        self._changed.notify_all()

    def _take_reserve(self) -> None:
        """Keep space back once there is plenty; then all measurements are welcome again."""
        if self._reserve is None or self._reserve.take():
            self._thinning = None

    def _written(self, group: list[Batch]) -> bool:
        samples = [row for batch in group for row in batch.samples]
        records = [batch.record for batch in group if batch.record is not None]
        kept = samples if self._thinning is None else self._thinning.of(samples)
        try:
            self._commit(self._opened(), kept, records)
        except Exception as error:
            self._close_store()
            self._tell(f"history cannot write to {self.path.name}: {error}; {self._mend(error)}")
            return False
        with self._lock:
            self._thinned_rows += len(samples) - len(kept)
        self._tell("")
        return True

    def _mend(self, error: Exception) -> str:
        """Do what may help before the next try; returns what is left to do, or was done."""
        if is_broken(error):
            self._reader.close()
            with contextlib.suppress(OSError):
                put_aside(self.path)
            return self._lost()
        if self._reserve is not None and is_full(error, self.path.parent):
            self._thinning = self._thinning or Thinning()
            self._reserve.free()
        return "free space or mend it"

    def _commit(
        self, store: SqliteStore, samples: Sequence[Sample], records: Sequence[Record]
    ) -> None:
        try:
            store.commit(samples, records, outbox=self._outbox)
        except BAD_ROW:  # a row that the store cannot take: find it, keep all others
            for sample in samples:
                self._commit_one(store, [sample], [])
            for record in records:
                self._commit_one(store, [], [record])

    def _commit_one(self, store: SqliteStore, samples: list[Sample], records: list[Record]) -> None:
        try:
            store.commit(samples, records, outbox=self._outbox)
        except BAD_ROW:
            with self._lock:
                self._refused_rows += 1

    def _opened(self) -> SqliteStore:
        if self._store is None:
            self._store = open_or_replace(self.path, self._lost)
        return self._store

    def _lost(self) -> str:
        said = f"it is put aside as {self.path.name}.broken and a new one begun"
        self._on_lost(f"{self.path.name} is no database any more; {said}")
        return said

    def _close_store(self) -> None:
        if self._store is not None:
            with contextlib.suppress(sqlite3.Error):
                self._store.close()
        self._store = None

    def _committed(self, group: list[Batch]) -> None:
        with self._lock:
            self._committed_rows += self._queue.committed(group)
            self._settle()

    def _wait_and_keep(self, group: list[Batch]) -> None:
        """Put a group back, oldest first, and try again in a while; closing ends the wait."""
        with self._lock:
            self._queue.put_back(group)
            until_s = time.monotonic() + self._retry_s
            while (left := until_s - time.monotonic()) > 0 and not self._closing:
                self._changed.wait(left)
            if self._closing:
                self._queue.give_up()

    def _tell(self, reason: str) -> None:
        with self._lock:
            changed, self._reason = bool(reason) != bool(self._reason), reason
            self._changed.notify_all()
        if changed and self._on_state is not None:
            with contextlib.suppress(Exception):
                self._on_state(not reason, reason or "history writes again")

    # -- reading -------------------------------------------------------------------------------

    def _read(self, query: Callable[[SqliteStore], T], nothing: T) -> T:
        """Ask the file; what was handed over before is in the answer."""
        self.flush(2.0)
        return self._reader.ask(query, nothing)


def _is_usable(row: tuple[str, float, float]) -> bool:
    return math.isfinite(row[1]) and math.isfinite(row[2])
