"""A story of many days keeps its newest rows, and knows how many records it let go."""

from pems_actors.domain.units import DAY_S
from pems_actors.soak.recent_history import RecentHistory

T = 1_700_000_000.0


def test_old_rows_are_let_go_and_records_counted():
    history = RecentHistory()
    for day in range(10):
        history.append([("grid_kw", T + day * DAY_S, float(day))])
        history.record("decision", T + day * DAY_S, str(day))
    rows = history.range("grid_kw", 0.0, T + 20 * DAY_S)
    kept = history.records("decision", 0.0, T + 20 * DAY_S)
    assert [value for _, value in rows][-2:] == [8.0, 9.0]
    assert len(rows) <= 3
    assert len(kept) + history.let_go == 10
    assert [body for _, body in kept][-1] == "9"
