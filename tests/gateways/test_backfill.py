"""After an absence of the database everything arrives, in order, and quickly."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pems_actors.gateways.influx import InfluxExporter, InfluxTarget, InfluxWriter, Refused
from pems_actors.gateways.sqlite_history import SqliteHistory
from pems_actors.gateways.sqlite_store import SqliteStore

AT_S = 1_768_435_200.0
ROWS = 100_000


class Database:
    """A server that takes lines as fast as they come, when it is up, and remembers their order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.up = True
        self.pause_s = 0.0
        self._wait = threading.Event()
        database = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                database._wait.wait(database.pause_s)
                if database.up:
                    database.lines += body.decode().split("\n")
                self.send_response(204 if database.up else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def target(self) -> InfluxTarget:
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return InfluxTarget(url, "loxone", "pems", "secret", timeout_s=5.0)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.close()


def rows(count: int, first: int = 0) -> list[tuple[str, float, float]]:
    """One series, a row a second."""
    return [("grid_kw", AT_S + first + k, float(first + k)) for k in range(count)]


def numbers(lines: Sequence[str]) -> list[int]:
    return [int(float(re.search(r"grid_kw=(\S+)", line)[1])) for line in lines]  # type: ignore[index]  # each has one


@pytest.mark.slow
def test_a_hundred_thousand_waiting_rows_are_back_filled_in_order_at_fifty_thousand_a_second(
    tmp_path: Path, database: Database
) -> None:
    path = tmp_path / "h.sqlite"
    now_s = [0.0]
    database.up = False
    writer = InfluxWriter(database.target)
    exporter = InfluxExporter(path, writer, clock=lambda: now_s[0])
    history = SqliteHistory(path, outbox=True)
    history.load(rows(ROWS))
    for _ in range(10):  # an hour of trying
        assert "wait in the outbox" in (exporter.run_once() or "")
        now_s[0] += 360.0
    assert exporter.sent_lines == 0

    database.up = True
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    assert exporter.run_once() is None
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    assert numbers(database.lines) == list(range(ROWS))
    assert exporter.sent_lines == ROWS
    assert ROWS / min(took_s, cpu_s) > 50_000, f"{ROWS / took_s:.0f} rows/s, {cpu_s:.2f} s of CPU"
    history.close()
    exporter.close()
    print(f"back-fill {ROWS / took_s:.0f} rows/s of wall, {ROWS / cpu_s:.0f} of CPU")


def test_new_rows_go_on_being_kept_while_a_slow_database_takes_the_old_ones(
    tmp_path: Path, database: Database
) -> None:
    path = tmp_path / "h.sqlite"
    history = SqliteHistory(path, outbox=True)
    history.load(rows(3000))
    database.pause_s = 0.05
    exporter = InfluxExporter(path, InfluxWriter(database.target), batch_lines=200)
    sending = threading.Thread(target=exporter.run_once)
    sending.start()
    took_s = []
    for first in range(3000, 4000, 10):
        began_s = time.perf_counter()
        history.append(rows(10, first))
        took_s.append(time.perf_counter() - began_s)
    assert history.flush(10.0)
    sending.join()
    exporter.run_once()
    assert sorted(took_s)[90] < 0.1  # the machine may be busy in one of ten
    assert numbers(database.lines) == list(range(4000))
    history.close()
    exporter.close()


class Strict:
    """A writer that refuses every batch with a bad line in it, as a real server does."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.calls = 0

    def write(self, lines: Sequence[str]) -> None:
        self.calls += 1
        if any(line.startswith("bad") for line in lines):
            raise Refused(400, "unable to parse")
        self.lines += lines

    def close(self) -> None:
        """Nothing to let go of."""


def test_bad_lines_among_many_are_put_aside_and_the_others_keep_their_order(
    tmp_path: Path,
) -> None:
    path = tmp_path / "h.sqlite"
    store, writer = SqliteStore(path), Strict()
    for first in range(0, 20_000, 1000):
        store.commit(rows(1000, first), [], outbox=True)
        store._db.execute("INSERT INTO outbox (line) VALUES (?)", (f"bad {first}",))
    exporter = InfluxExporter(path, writer)
    assert exporter.run_once() is None
    assert numbers(writer.lines) == list(range(20_000))
    assert [line for line, _ in store.dead_letters()] == [
        f"bad {k}" for k in range(0, 20_000, 1000)
    ]
    assert store.outbox_rows() == 0
    assert writer.calls < 20 * 30
    store.close()


def test_what_was_sent_before_a_crash_of_the_sender_is_sent_once_more_at_most(
    tmp_path: Path,
) -> None:
    path, writer = tmp_path / "h.sqlite", Strict()
    store = SqliteStore(path)
    store.commit(rows(100), [], outbox=True)

    class Cut(Strict):
        def write(self, lines: Sequence[str]) -> None:
            writer.write(lines)
            raise ConnectionError("cut before the answer")

    first = InfluxExporter(path, Cut(), batch_lines=40)
    assert first.run_once() is not None
    second = InfluxExporter(path, writer, batch_lines=40)
    assert second.run_once() is None
    assert numbers(writer.lines) == [*range(40), *range(100)]
    store.close()
