"""The promises of a history, kept by the one in memory and by the one on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pems_actors.domain.ports import History
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.gateways.sqlite_history import SqliteHistory

AT_S = 1_768_435_200.0


@pytest.fixture(params=["memory", "sqlite"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    made = MemoryHistory() if request.param == "memory" else SqliteHistory(tmp_path / "h.sqlite")
    yield made
    made.close()


def test_a_sound_store_has_no_problem(history: History) -> None:
    history.append([("a", AT_S, 1.0)])
    assert history.last("a") == (AT_S, 1.0)
    assert history.problem() == ""


def test_what_was_appended_is_read_back_in_order_of_time(history: History) -> None:
    history.append([("a", AT_S + 60, 2.0), ("b", AT_S, 9.0)])
    history.append([("a", AT_S, 1.0)])
    assert history.range("a", AT_S, AT_S + 3600) == [(AT_S, 1.0), (AT_S + 60, 2.0)]


def test_a_range_holds_its_start_and_not_its_end(history: History) -> None:
    history.append([("a", AT_S + k, float(k)) for k in range(4)])
    assert history.range("a", AT_S + 1, AT_S + 3) == [(AT_S + 1, 1.0), (AT_S + 2, 2.0)]


def test_the_same_series_and_time_again_replaces(history: History) -> None:
    history.append([("a", AT_S, 1.0), ("a", AT_S, 2.0)])
    history.append([("a", AT_S, 3.0)])
    assert history.range("a", AT_S, AT_S + 1) == [(AT_S, 3.0)]


def test_means_are_stamped_at_step_starts_and_empty_steps_are_absent(history: History) -> None:
    history.append([("a", AT_S + k * 300, float(k)) for k in range(3)])
    history.append([("a", AT_S + 2000, 8.0)])
    assert history.range("a", AT_S, AT_S + 3600, 900) == [(AT_S, 1.0), (AT_S + 1800, 8.0)]


def test_steps_are_counted_from_the_start_asked_for(history: History) -> None:
    history.append([("a", AT_S + 100, 1.0), ("a", AT_S + 1000, 3.0)])
    assert history.range("a", AT_S + 100, AT_S + 3600, 1000) == [(AT_S + 100, 2.0)]


def test_a_step_of_nothing_is_refused_with_a_sentence(history: History) -> None:
    history.append([("a", AT_S, 1.0)])
    with pytest.raises(ValueError, match="at least"):
        history.range("a", AT_S, AT_S + 1, 0.0)


def test_times_are_kept_to_the_millisecond(history: History) -> None:
    history.append([("a", AT_S + 0.1234, 1.0)])
    assert history.last("a") == (AT_S + 0.123, 1.0)


def test_the_last_row_is_the_newest_not_the_last_written(history: History) -> None:
    history.append([("a", AT_S + 60, 2.0)])
    history.append([("a", AT_S, 1.0)])
    assert history.last("a") == (AT_S + 60, 2.0)


def test_an_unknown_series_is_empty_and_has_no_last_row(history: History) -> None:
    assert history.range("nothing", 0.0, AT_S) == []
    assert history.range("nothing", 0.0, AT_S, 60.0) == []
    assert history.last("nothing") is None
    assert history.records("nothing", 0.0, AT_S) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_not_stored(history: History, value: float) -> None:
    history.append([("a", AT_S, value), ("a", AT_S + 1, 1.0), ("a", value, 1.0)])
    assert history.range("a", 0.0, AT_S + 60) == [(AT_S + 1, 1.0)]


def test_records_are_read_by_kind_and_time_oldest_first(history: History) -> None:
    history.record("decision", AT_S + 2, '{"n": 2}')
    history.record("plan", AT_S + 1, "{}")
    history.record("decision", AT_S + 1, '{"n": 1}')
    assert history.records("decision", AT_S, AT_S + 60) == [
        (AT_S + 1, '{"n": 1}'),
        (AT_S + 2, '{"n": 2}'),
    ]
    assert history.records("decision", AT_S, AT_S + 2) == [(AT_S + 1, '{"n": 1}')]


def test_two_records_of_one_instant_are_both_kept_in_order(history: History) -> None:
    history.record("decision", AT_S, "first")
    history.record("decision", AT_S, "second")
    assert history.records("decision", AT_S, AT_S + 1) == [(AT_S, "first"), (AT_S, "second")]


def test_names_may_hold_anything_that_people_write(history: History) -> None:
    name = "teplota obývák; DROP TABLE sample--'\""
    history.append([(name, AT_S, 21.0)])
    history.record(name, AT_S, "žluťoučký kůň 🐎")
    assert history.last(name) == (AT_S, 21.0)
    assert history.records(name, AT_S, AT_S + 1) == [(AT_S, "žluťoučký kůň 🐎")]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 7200).map(lambda s: AT_S + s),
        st.floats(-1e6, 1e6),
    ),
    max_size=40,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, start=st.integers(0, 3600), step_s=st.sampled_from([60.0, 900.0, 1234.0]))
def test_both_stores_give_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, float]],
    start: int, step_s: float,
) -> None:  # fmt: skip
    memory = MemoryHistory()
    disk = SqliteHistory(tmp_path_factory.mktemp("h") / "h.sqlite")
    try:
        for store in (memory, disk):
            store.append(rows)
        begin_s, end_s = AT_S + start, AT_S + 7000
        for series in ("a", "b"):
            assert disk.range(series, begin_s, end_s) == memory.range(series, begin_s, end_s)
            ours = memory.range(series, begin_s, end_s, step_s)
            theirs = disk.range(series, begin_s, end_s, step_s)
            assert [at_s for at_s, _ in theirs] == [at_s for at_s, _ in ours]
            means = [mean for _, mean in theirs]
            assert means == pytest.approx([mean for _, mean in ours], rel=1e-9, abs=1e-6)
            assert disk.last(series) == memory.last(series)
        assert disk.series() == memory.series()
    finally:
        disk.close()
