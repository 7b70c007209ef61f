"""A disk that is full or a file that breaks costs measurements at most, and says so."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pems_actors.gateways import sqlite_history
from pems_actors.gateways.disk_reserve import DiskReserve
from pems_actors.gateways.sqlite_history import TIGHT, SqliteHistory
from pems_actors.gateways.sqlite_store import SqliteStore
from pems_actors.gateways.store_faults import Thinning, is_broken, is_full
from tests.gateways.brokers import wait

AT_S = 1_768_435_200.0
MB = 1024 * 1024


class SmallDisk(DiskReserve):
    """A reserve on a disk whose free space the test turns by hand."""

    spare = 10 * MB

    def _free_bytes(self) -> int:
        return self.spare


@pytest.fixture
def disk(tmp_path: Path) -> DiskReserve:
    return SmallDisk(tmp_path / "reserve", MB)


@pytest.fixture
def history(
    tmp_path: Path, disk: DiskReserve, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SqliteHistory]:
    """A history on a disk that has no room for more as long as the reserve is held back."""

    def opened(path: Path, _on_lost: Callable[[], object]) -> SqliteStore:
        store = SqliteStore(path)
        if disk.held and path.stat().st_size > 60_000:
            store.limit_pages(1)
        return store

    monkeypatch.setattr(sqlite_history, "open_or_replace", opened)
    made = SqliteHistory(tmp_path / "h.sqlite", retry_s=0.02, reserve=disk)
    yield made
    made.close()


def minutes(count: int, first: int = 0) -> list[tuple[str, float, float]]:
    return [("grid_kw", AT_S + 60.0 * (first + k), float(k)) for k in range(count)]


def fill(history: SqliteHistory, disk: SmallDisk) -> None:
    """Write until the disk has no more room, and go on until it is told so."""
    assert history.flush()
    history.append([("filler", AT_S + k, 0.5) for k in range(5000)])
    wait(lambda: history.status().committed_rows == 5000)
    history._close_store()
    disk.spare = 0
    history.record("decision", AT_S, "x" * 10_000)
    wait(lambda: bool(history.records("decision", 0.0, 1e10)), "the first decision")
    wait(lambda: history.problem() == TIGHT)
    assert not disk.held


def test_a_reserve_is_made_of_real_blocks_and_given_back(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "reserve", MB)
    assert reserve.take()
    assert reserve.take()
    assert reserve.path.stat().st_blocks * 512 >= MB
    assert reserve.free()
    assert not reserve.path.exists()
    assert not reserve.free()


def test_a_reserve_is_not_taken_where_it_would_make_the_disk_full(disk: SmallDisk) -> None:
    disk.spare = 2 * MB
    assert not disk.take()
    assert not disk.path.exists()
    disk.spare = 3 * MB
    assert disk.take()


def test_a_reserve_of_a_past_life_is_taken_over(disk: SmallDisk) -> None:
    disk.take()
    disk.spare = 0
    assert SmallDisk(disk.path, MB).take()


def test_a_folder_that_is_gone_has_no_reserve(tmp_path: Path) -> None:
    assert not DiskReserve(tmp_path / "gone" / "reserve", MB).take()


def test_on_a_full_disk_decisions_go_on_and_measurements_are_thinned(
    history: SqliteHistory, disk: SmallDisk
) -> None:
    fill(history, disk)
    history.append(minutes(60))
    for k in range(20):
        history.record("decision", AT_S + k, str(k))
    history.append(minutes(60, first=60))
    assert history.flush()
    assert len(history.records("decision", 0.0, 1e10)) == 21
    kept = history.range("grid_kw", 0.0, 1e10)
    assert [at_s - AT_S for at_s, _ in kept] == [600.0 * k for k in range(12)]
    assert history.status().thinned_rows == 120 - 12
    assert history.status().dropped_records == 0


def test_when_there_is_room_again_everything_is_kept_again(
    history: SqliteHistory, disk: SmallDisk
) -> None:
    fill(history, disk)
    disk.spare = 10 * MB
    history.append(minutes(1))
    assert history.flush()
    wait(lambda: history.problem() == "")
    assert disk.held
    history.append(minutes(60, first=2000))
    assert history.flush()
    assert len(history.range("grid_kw", AT_S + 2000 * 60.0, 1e10)) == 60


def test_a_file_that_breaks_while_it_is_used_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    history = SqliteHistory(path, retry_s=0.02)
    history.append(minutes(5000))
    assert history.flush()
    assert history.last("grid_kw") is not None
    store = history._store
    assert store is not None
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xee" * (path.stat().st_size - 4096))
    history._close_store()
    for k in range(3):
        history.record("decision", AT_S + k, str(k))
    wait(lambda: bool(history.records("decision", 0.0, 1e10)), "a new file")
    assert len(history.records("decision", 0.0, 1e10)) == 3
    assert (tmp_path / "h.sqlite.broken").exists()
    assert history.problem() == ""
    assert history.status().refused_rows == 0
    history.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_is_told_from_other_errors(tmp_path: Path, code: int) -> None:
    assert is_full(OSError(code, "full"), tmp_path)
    assert not is_full(OSError(errno.EACCES, "no"), tmp_path)
    assert not is_full(sqlite3.OperationalError("database is locked"), tmp_path)
    assert is_broken(sqlite3.DatabaseError("malformed"))
    assert not is_broken(sqlite3.OperationalError("disk I/O error"))
    assert not is_broken(sqlite3.IntegrityError("NOT NULL"))


def test_a_clock_that_jumps_back_stops_no_thinned_series() -> None:
    thinning = Thinning()
    assert len(thinning.of(minutes(20))) == 2
    assert thinning.of([("grid_kw", AT_S - 86400.0, 1.0)])
