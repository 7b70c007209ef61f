"""The tables of the history, and every SQL statement on them. One connection, no threads.

Series names are kept once and rows carry integers: `sample(series, at_ms)` is the primary key and
the table's order, so a range is one walk. `outbox` holds lines for InfluxDB until they are
acknowledged, `dead_letter` the lines it refuses.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from pems_actors.gateways.line_protocol import line
from pems_actors.gateways.memory_history import checked_step_ms

SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS sample (
    series INTEGER NOT NULL, at_ms INTEGER NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (series, at_ms)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS record_by_kind ON record (kind, at_ms);
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dead_letter (
    id INTEGER PRIMARY KEY, line TEXT NOT NULL, reason TEXT NOT NULL);
"""

Sample = tuple[str, float, float]
Record = tuple[str, float, str]


class SqliteStore:
    """One connection to one history file, to be used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises: sqlite3.Error if it cannot be opened or is no database.
        """
        self._db = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise
        self._ids: dict[str, int] = {}

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def limit_pages(self, pages: int) -> None:
        """Let the file grow to so many pages of 4 KiB only (0: as far as the disk goes)."""
        self._db.execute(f"PRAGMA max_page_count={pages or 1073741823:d}")

    # -- writing -------------------------------------------------------------------------------

    def commit(
        self, samples: Sequence[Sample], records: Sequence[Record], *, outbox: bool = False
    ) -> None:
        """Write a group as one transaction: to the disk's platter if it holds records."""
        self._db.execute(f"PRAGMA synchronous={'FULL' if records else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._write_samples(samples, outbox=outbox)
            self._db.executemany(
                "INSERT INTO record (kind, at_ms, body) VALUES (?, ?, ?)",
                ((kind, round(at_s * 1000), body) for kind, at_s, body in records),
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._ids.clear()  # new ids may be rolled back
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _write_samples(self, samples: Sequence[Sample], *, outbox: bool) -> None:
        rows = [(self._id(name), round(at_s * 1000), value) for name, at_s, value in samples]
        self._db.executemany("INSERT OR REPLACE INTO sample VALUES (?, ?, ?)", rows)
        if outbox:
            self._db.executemany(
                "INSERT INTO outbox (line) VALUES (?)",
                ((line(name, round(at_s * 1000), value),) for name, at_s, value in samples),
            )

    def _id(self, name: str) -> int:
        known = self._ids.get(name)
        if known is None:
            self._db.execute("INSERT OR IGNORE INTO series (name) VALUES (?)", (name,))
            known = self._find(name)
            if known is None:
                raise sqlite3.IntegrityError(f"series {name!r} was not kept")
            self._ids[name] = known
        return known

    # -- reading -------------------------------------------------------------------------------

    def _find(self, name: str) -> int | None:
        row = self._db.execute("SELECT id FROM series WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def range(
        self, name: str, start_s: float, end_s: float, step_s: float | None
    ) -> list[tuple[float, float]]:
        """Read rows, or means per step counted from `start_s`."""
        series, start_ms, end_ms = self._find(name), round(start_s * 1000), round(end_s * 1000)
        if step_s is None:
            rows = self._db.execute(
                "SELECT at_ms, value FROM sample WHERE series = ? AND at_ms >= ? AND at_ms < ?"
                " ORDER BY at_ms",
                (series, start_ms, end_ms),
            )
            return [(at_ms / 1000.0, value) for at_ms, value in rows]
        rows = self._db.execute(
            "SELECT (at_ms - ?2) / ?4 AS k, avg(value) FROM sample"
            " WHERE series = ?1 AND at_ms >= ?2 AND at_ms < ?3 GROUP BY k ORDER BY k",
            (series, start_ms, end_ms, checked_step_ms(step_s)),
        )
        return [(start_s + k * step_s, mean) for k, mean in rows]

    def last(self, name: str) -> tuple[float, float] | None:
        """Read the newest row of a series."""
        row = self._db.execute(
            "SELECT at_ms, value FROM sample WHERE series = ? ORDER BY at_ms DESC LIMIT 1",
            (self._find(name),),
        ).fetchone()
        return None if row is None else (row[0] / 1000.0, row[1])

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read records, oldest first."""
        rows = self._db.execute(
            "SELECT at_ms, body FROM record WHERE kind = ? AND at_ms >= ? AND at_ms < ?"
            " ORDER BY at_ms, id",
            (kind, round(start_s * 1000), round(end_s * 1000)),
        )
        return [(at_ms / 1000.0, body) for at_ms, body in rows]

    def last_record(self, kind: str) -> tuple[float, str] | None:
        """Read the newest record of a kind."""
        row = self._db.execute(
            "SELECT at_ms, body FROM record WHERE kind = ? ORDER BY at_ms DESC, id DESC LIMIT 1",
            (kind,),
        ).fetchone()
        return None if row is None else (row[0] / 1000.0, row[1])

    def series(self) -> list[str]:
        """List the names of all series."""
        return [name for (name,) in self._db.execute("SELECT name FROM series ORDER BY name")]

    # -- the outbox ----------------------------------------------------------------------------

    def outbox(self, limit: int) -> list[tuple[int, str]]:
        """Read the oldest lines that InfluxDB has not acknowledged."""
        return self._db.execute(
            "SELECT id, line FROM outbox ORDER BY id LIMIT ?", (limit,)
        ).fetchall()

    def outbox_rows(self) -> int:
        """Count the lines that wait."""
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def dead_letters(self) -> list[tuple[str, str]]:
        """Read the refused lines and why."""
        return self._db.execute("SELECT line, reason FROM dead_letter ORDER BY id").fetchall()

    def settle(self, done: Iterable[int], dead: Sequence[tuple[int, str, str]] = ()) -> None:
        """Take lines out of the outbox: acknowledged ones, and refused ones into dead letters."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT INTO dead_letter (line, reason) VALUES (?, ?)",
                [(text, reason) for _, text, reason in dead],
            )
            gone = [(each,) for each in (*done, *(row[0] for row in dead))]
            self._db.executemany("DELETE FROM outbox WHERE id = ?", gone)
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def trim_outbox(self, keep: int) -> int:
        """Drop the oldest lines beyond `keep`; returns how many."""
        return self._db.execute(
            "DELETE FROM outbox WHERE id <= (SELECT max(id) FROM outbox) - ?", (keep,)
        ).rowcount
