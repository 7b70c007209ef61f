"""Rows reach InfluxDB at least once, in order, and what it refuses is kept with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.gateways.influx import InfluxExporter, InfluxTarget, InfluxWriter
from pems_actors.gateways.line_protocol import line
from pems_actors.gateways.sqlite_store import SqliteStore
from tests.gateways.influx_stub import InfluxStub, parse_line

AT_MS = 1_768_435_200_000


@dataclass
class Bench:
    """An outbox, an exporter with a clock in hand, and the server."""

    stub: InfluxStub
    store: SqliteStore
    exporter: InfluxExporter
    now_s: list[float] = field(default_factory=lambda: [0.0])

    def put(self, count: int, name: str = "grid_kw") -> None:
        rows = [(name, AT_MS / 1000 + k, float(k)) for k in range(count)]
        self.store.commit(rows, [], outbox=True)

    def put_line(self, text: str) -> None:
        self.store._db.execute("INSERT INTO outbox (line) VALUES (?)", (text,))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    stub = InfluxStub()
    url, now_s = stub.start(), [0.0]
    writer = InfluxWriter(InfluxTarget(url, "loxone", "solar", "secret", timeout_s=0.5))
    path = tmp_path / "h.sqlite"
    store = SqliteStore(path)
    exporter = InfluxExporter(
        path, writer, batch_lines=50, clock=lambda: now_s[0], jitter=Random(1)
    )
    yield Bench(stub, store, exporter, now_s)
    exporter.close()
    store.close()
    stub.stop()


def test_rows_arrive_with_their_times_and_leave_the_outbox(bench: Bench) -> None:
    bench.put(120)
    bench.put(1, "temp_c.obyvak")
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 121
    assert bench.stub.points["pems", (), "grid_kw", (AT_MS + 5000) * 1_000_000] == 5.0
    key = ("pems", (("room", "obyvak"),), "temp_c", AT_MS * 1_000_000)
    assert bench.stub.points[key] == 0.0
    assert bench.store.outbox_rows() == 0
    assert bench.exporter.sent_lines == 121


def test_a_bad_line_is_found_and_all_others_arrive(bench: Bench) -> None:
    bench.put(30)
    bench.put_line("this is no line")
    bench.put(30, "load_kw")
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 60
    (dead,) = bench.store.dead_letters()
    assert dead[0] == "this is no line"
    assert "unable to parse" in dead[1]
    assert bench.exporter.dead_lines == 1


def test_a_field_that_changes_its_type_is_a_dead_letter(bench: Bench) -> None:
    bench.put(2)
    bench.put_line(f'pems grid_kw="text" {AT_MS + 90_000}')
    assert bench.exporter.run_once() is None
    assert "float" in bench.store.dead_letters()[0][1]


def test_a_batch_that_is_too_large_is_halved(bench: Bench) -> None:
    bench.stub.largest = 300
    bench.put(40)
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 40
    assert bench.store.dead_letters() == []


@pytest.mark.parametrize("mood", [429, 503, 500, "cut"])
def test_a_busy_or_lost_server_keeps_the_rows_waiting(bench: Bench, mood: object) -> None:
    bench.put(10)
    bench.stub.moods.append(mood)
    problem = bench.exporter.run_once()
    assert problem is not None
    assert "wait in the outbox" in problem
    assert bench.store.outbox_rows() == 10
    assert bench.exporter.run_once() == problem  # not yet
    assert bench.stub.requests == 1
    bench.now_s[0] += 10.0
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 10


def test_a_server_that_names_a_time_is_left_alone_until_then(bench: Bench) -> None:
    bench.put(10)
    bench.stub.moods.append(429)
    bench.stub.retry_after = "120"
    assert bench.exporter.run_once() is not None
    bench.now_s[0] = 119.0
    assert bench.exporter.run_once() is not None
    assert bench.stub.requests == 1
    bench.now_s[0] = 121.0
    assert bench.exporter.run_once() is None


@pytest.mark.parametrize("absurd", ["inf", "nan", "-5", "31536000", "soon"])
def test_an_absurd_wish_of_a_server_is_no_farewell(bench: Bench, absurd: str) -> None:
    bench.put(3)
    bench.stub.moods.append(503)
    bench.stub.retry_after = absurd
    assert bench.exporter.run_once() is not None
    bench.now_s[0] = 3601.0
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 3


def test_a_history_that_began_a_new_file_is_followed_there(bench: Bench) -> None:
    bench.put(2)
    assert bench.exporter.run_once() is None
    path = bench.exporter._path
    bench.store.close()
    path.rename(f"{path}.broken")
    bench.store = SqliteStore(path)
    bench.put(5, "load_kw")
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 7


def test_an_outbox_that_was_too_full_says_how_much_was_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pems_actors.gateways.influx.OUTBOX_LINES", 30)
    bench.put(40)
    problem = bench.exporter.run_once()
    assert problem == "the outbox was full: its 10 oldest rows are lost"
    assert min(at_ns for *_, at_ns in bench.stub.points) == (AT_MS + 10_000) * 1_000_000
    assert bench.exporter.run_once() is None


def test_a_server_that_does_not_answer_in_time_costs_no_row(bench: Bench) -> None:
    bench.put(3)
    bench.stub.moods.append("slow")
    assert bench.exporter.run_once() is not None
    bench.stub.awake.set()
    bench.now_s[0] += 10.0
    assert bench.exporter.run_once() is None
    assert len(bench.stub.points) == 3


@pytest.mark.parametrize(
    ("change", "word"), [({"token": "other"}, "INFLUXDB_TOKEN"), ({"buckets": ()}, "BUCKET")]
)
def test_a_wrong_token_or_bucket_says_what_to_check(
    bench: Bench, change: dict[str, object], word: str
) -> None:
    bench.put(3)
    for name, value in change.items():
        setattr(bench.stub, name, value)
    problem = bench.exporter.run_once()
    assert problem is not None
    assert word in problem
    assert bench.store.outbox_rows() == 3


def test_pauses_grow_while_nobody_answers(bench: Bench, tmp_path: Path) -> None:
    gone = InfluxWriter(InfluxTarget("http://127.0.0.1:9", "o", "b", "t", timeout_s=0.2))
    exporter = InfluxExporter(
        tmp_path / "h.sqlite", gone, clock=lambda: bench.now_s[0], jitter=Random(1)
    )
    bench.put(1)
    pauses = []
    for _ in range(5):
        assert exporter.run_once() is not None
        pauses.append(exporter._not_before_s - bench.now_s[0])
        bench.now_s[0] = exporter._not_before_s
    assert pauses[-1] > 8 * pauses[0]
    exporter.close()


@given(
    room=st.text(
        st.characters(codec="utf-8", exclude_characters="\\\r\0"), min_size=1, max_size=12
    ),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_room_name_makes_a_line_that_a_server_can_read(room: str, value: float) -> None:
    point = parse_line(line(f"temp_c.{room}", AT_MS, value), "ms")
    assert point.fields == (("temp_c", value),)
    assert point.tags == (("room", room.replace("\n", " ")),)
