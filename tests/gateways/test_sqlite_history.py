"""The history on disk survives kills and full disks, and never makes its callers wait."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pems_actors.gateways.sqlite_history import SqliteHistory
from pems_actors.gateways.sqlite_store import SqliteStore

AT_S = 1_768_435_200.0

WRITER = """
import sys
from pathlib import Path
from pems_actors.gateways.sqlite_history import SqliteHistory
history = SqliteHistory(Path(sys.argv[1]))
n = 0
while True:
    for _ in range(20):
        history.append([("a", float(n), float(n))])
        n += 1
    history.record("decision", float(n), str(n))
    if history.flush():
        print(n, flush=True)
"""


def rows(count: int, series: str = "a") -> list[tuple[str, float, float]]:
    return [(series, AT_S + k, float(k)) for k in range(count)]


def test_a_killed_process_loses_no_acknowledged_row(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    acknowledged = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(5):
            acknowledged = max(acknowledged, int(writer.stdout.readline()))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(20.0)
        writer.stdout.close()
        history = SqliteHistory(path)
        found = {at_s for at_s, _ in history.range("a", 0.0, 1e9)}
        assert found >= {float(n) for n in range(acknowledged)}
        assert (float(acknowledged), str(acknowledged)) in history.records("decision", 0.0, 1e9)
        history.close()


def test_rows_wait_for_company_and_records_do_not(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "h.sqlite")
    history.append(rows(3))
    history.record("decision", AT_S, "{}")
    assert history.flush()
    assert history.status().committed_rows == 3
    history.close()


def test_closing_commits_what_is_open(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "h.sqlite")
    history.append(rows(5))
    history.close()
    again = SqliteHistory(tmp_path / "h.sqlite")
    assert len(again.range("a", 0.0, 1e10)) == 5
    again.close()


def test_a_store_that_cannot_be_written_degrades_with_a_sentence_and_heals(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where the folder should be")
    told: list[tuple[bool, str]] = []
    healed = threading.Event()

    def on_state(ok: bool, reason: str) -> None:
        told.append((ok, reason))
        if ok:
            healed.set()

    history = SqliteHistory(blocked / "h.sqlite", on_state=on_state, retry_s=0.02)
    history.append(rows(2))
    assert not history.flush(2.0)
    status = history.status()
    assert not status.ok
    assert "cannot write" in status.reason
    blocked.unlink()
    blocked.mkdir()
    assert healed.wait(20.0)
    assert history.flush()
    assert len(history.range("a", 0.0, 1e10)) == 2
    assert [ok for ok, _ in told] == [False, True]
    history.close()


def test_on_a_full_disk_the_oldest_measurements_go_and_records_stay(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    history = SqliteHistory(path, queue_rows=100, retry_s=0.02)
    history.append(rows(1))
    assert history.flush()
    store = history._store
    assert store is not None
    locker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    locker.execute("BEGIN EXCLUSIVE")  # as a disk that takes nothing
    began = time.monotonic()
    for k in range(50):
        history.append([("a", AT_S + 100 + 10 * k + j, 0.0) for j in range(10)])
        history.record("decision", AT_S + k, str(k))
    assert time.monotonic() - began < 5.0
    assert history.status().dropped_rows > 0
    assert history.status().queued_rows <= 110
    locker.execute("ROLLBACK")
    locker.close()
    assert history.flush(10.0) or history.flush(10.0)
    assert len(history.records("decision", 0.0, 1e10)) == 50
    assert history.last("a") == (AT_S + 599, 0.0)
    history.close()


def test_a_store_without_room_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "h.sqlite")
    store.commit(rows(10), [])
    store.limit_pages(12)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.commit(rows(100_000, "b"), [])
    assert len(store.range("a", 0.0, 1e10, None)) == 10
    store.limit_pages(0)
    store.commit(rows(10, "b"), [])
    assert len(store.range("b", 0.0, 1e10, None)) == 10
    store.close()


def test_a_broken_file_is_put_aside_and_the_house_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    path.write_bytes(b"this is no database at all" * 100)
    lost: list[str] = []
    history = SqliteHistory(path, on_lost=lost.append)
    history.append(rows(3))
    assert history.flush()
    assert lost == [
        "h.sqlite is no database any more; it is put aside as h.sqlite.broken and a new one begun"
    ]
    assert (tmp_path / "h.sqlite.broken").read_bytes().startswith(b"this is no database")
    history.close()


def test_one_row_that_cannot_be_stored_does_not_take_others_with_it(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "h.sqlite")
    history.append([("good", AT_S, 1.0), ("bad\ud800", AT_S, 1.0), ("fine", AT_S, 2.0)])
    history.record("bad", AT_S, "\ud800")
    history.record("good", AT_S, "{}")
    assert history.flush()
    assert history.last("fine") == (AT_S, 2.0)
    assert history.records("good", 0.0, 1e10) == [(AT_S, "{}")]
    assert history.status().refused_rows == 2
    history.close()


def test_many_rows_are_loaded_without_overflowing_the_queue(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "h.sqlite", queue_rows=25_000)
    history.load(rows(60_000))
    assert history.status().dropped_rows == 0
    assert len(history.range("a", 0.0, 1e10)) == 60_000
    history.close()


def test_each_row_gets_a_line_in_the_outbox_with_its_room_as_a_tag(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "h.sqlite", outbox=True)
    history.append([("temp_c.obyvak", AT_S, 21.5), ("grid_kw", AT_S + 0.5, -1.25)])
    assert history.flush()
    history.close()
    store = SqliteStore(tmp_path / "h.sqlite")
    assert [line for _, line in store.outbox(10)] == [
        "pems,room=obyvak temp_c=21.5 1768435200000",
        "pems grid_kw=-1.25 1768435200500",
    ]
    store.close()
