"""The queue before the disk never grows beyond its bound and never forgets what it dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.gateways.history_queue import Batch, HistoryQueue

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("samples"), st.integers(1, 30)),
        st.tuples(st.just("record"), st.just(1)),
        st.tuples(st.sampled_from(["commit", "fail"]), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_every_row_is_waiting_written_or_counted_as_dropped(steps: list[tuple[str, int]]) -> None:
    queue = HistoryQueue(most_rows=50, most_records=3)
    handed = written = records = written_records = 0
    for kind, count in steps:
        if kind == "samples":
            queue.put([("a", 0.0, 1.0)] * count, None)
            handed += count
        elif kind == "record":
            queue.put([], ("plan", 0.0, "{}"))
            records += 1
        elif queue:
            group = queue.take()
            if kind == "fail":
                queue.put_back(group)
                continue
            written += queue.committed(group)
            written_records += sum(batch.record is not None for batch in group)
        assert queue.rows <= 50
        assert queue.records <= 3
        assert handed == written + queue.rows + queue.dropped_rows
        assert records == written_records + queue.records + queue.dropped_records


def test_what_is_written_keeps_the_order_of_arrival_even_after_a_failure() -> None:
    queue = HistoryQueue()
    for k in range(3):
        queue.put([("a", float(k), 1.0)], None)
    queue.put_back(queue.take())
    queue.put([("a", 3.0, 1.0)], None)
    assert [batch.number for batch in queue.take()] == [1, 2, 3, 4]


def test_a_hand_over_is_done_only_when_it_is_written() -> None:
    queue = HistoryQueue()
    queue.put([("a", 0.0, 1.0)], None)
    group = queue.take()
    assert not queue.settle()
    assert queue.done == 0
    queue.put([("a", 1.0, 1.0)], None)
    queue.committed(group)
    assert (queue.done, queue.handed) == (1, 2)


def test_dropping_the_last_row_ends_the_wait_for_it() -> None:
    queue = HistoryQueue(most_rows=1)
    queue.put([("a", 0.0, 1.0)] * 2, None)
    assert not queue
    assert queue.settle()
    assert queue.done == queue.handed


def test_a_record_is_due_at_once_and_few_rows_are_not() -> None:
    queue = HistoryQueue()
    queue.put([("a", 0.0, 1.0)], None)
    assert not queue.is_due()
    queue.put([], ("plan", 0.0, "{}"))
    assert queue.is_due()
    assert queue.take() == [Batch(1, (("a", 0.0, 1.0),)), Batch(2, (), ("plan", 0.0, "{}"))]


def test_the_newest_stay_while_a_group_is_under_way_and_after_it_came_back() -> None:
    queue = HistoryQueue(most_rows=100)
    for k in range(12):
        queue.put(ten(k), None)
    group = queue.take()
    for k in range(12, 30):
        queue.put(ten(k), None)
    assert waiting(queue)[-1] == 299.0
    assert queue.rows == 100
    queue.put_back(group)
    for k in range(30, 35):
        queue.put(ten(k), None)
    assert waiting(queue) == [float(at_s) for at_s in range(250, 350)]


def test_the_newest_records_stay_too() -> None:
    queue = HistoryQueue(most_records=4)
    for k in range(6):
        queue.put([], ("decision", float(k), ""))
    assert len(queue.take()) == 2
    for k in range(6, 12):
        queue.put([], ("decision", float(k), ""))
    kept = [batch.record[1] for batch in queue.take() if batch.record is not None]
    assert kept == [10.0, 11.0]


def ten(k: int) -> list[tuple[str, float, float]]:
    return [("a", 10.0 * k + j, 0.0) for j in range(10)]


def waiting(queue: HistoryQueue) -> list[float]:
    return [at_s for batch in queue._batches for _, at_s, _ in batch.samples]
