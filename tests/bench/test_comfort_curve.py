"""Equal comfort is read off the curve of a thermostat's set-points, and nobody is flattered."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.bench.closed_loop.comfort_curve import ComfortCurve, Point, captured_frac

COLDS = st.integers(0, 2000).map(lambda thousandths: thousandths / 1000.0)  # as they are measured
BASELINE = ComfortCurve.of([Point(0.0, 120.0), Point(0.1, 110.0), Point(0.3, 100.0)])
BOUND = ComfortCurve.of([Point(0.0, 80.0), Point(0.2, 70.0)])


def test_between_two_set_points_the_cost_is_their_mixture() -> None:
    assert BASELINE.at(0.2) == pytest.approx(105.0)


def test_a_colder_and_dearer_set_point_counts_for_nothing() -> None:
    curve = ComfortCurve.of([Point(0.0, 100.0), Point(0.1, 130.0), Point(0.2, 90.0)])
    assert curve.at(0.1) == pytest.approx(95.0)


def test_beyond_its_ends_the_curve_promises_nothing() -> None:
    assert BASELINE.at(0.0) == 120.0
    assert BASELINE.at(9.0) == 100.0
    assert BASELINE.holds(0.15)
    assert not BASELINE.holds(0.31)


def test_a_curve_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="run its controller first"):
        ComfortCurve.of([])


def test_who_meets_the_bound_has_captured_all_and_the_baseline_nothing() -> None:
    assert captured_frac(BASELINE, BOUND, Point(0.1, 75.0)) == pytest.approx(1.0)
    assert captured_frac(BASELINE, BOUND, Point(0.1, 110.0)) == pytest.approx(0.0)


def test_a_colder_house_is_compared_with_a_colder_baseline() -> None:
    warm = captured_frac(BASELINE, BOUND, Point(0.0, 95.0))
    cold = captured_frac(BASELINE, BOUND, Point(0.3, 95.0))
    assert warm is not None
    assert cold is not None
    assert cold < warm


def test_where_there_is_nothing_to_win_there_is_no_share() -> None:
    assert captured_frac(BASELINE, BASELINE, Point(0.1, 100.0)) is None
    assert captured_frac(BASELINE, BOUND, Point(0.1, 100.0), least=inf) is None


@given(
    st.lists(st.builds(Point, COLDS, st.floats(0.0, 1000.0)), min_size=1, max_size=8),
    COLDS,
)
def test_no_set_point_lies_below_the_curve(points: list[Point], cold: float) -> None:
    curve = ComfortCurve.of(points)
    assert all(curve.at(point.cold) <= point.cost + 1e-6 for point in points)
    assert min(p.cost for p in points) - 1e-6 <= curve.at(cold) <= max(p.cost for p in points)
