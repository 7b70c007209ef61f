"""Scores are plain arithmetic, leave gaps out, and never flatter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.forecasting import scores

NAN = float("nan")


def test_scores_of_a_small_example_are_right() -> None:
    truth, told = [1.0, 2.0, 4.0], [2.0, 2.0, 2.0]
    assert scores.mae(truth, told) == pytest.approx(1.0)
    assert scores.rmse(truth, told) == pytest.approx(math.sqrt(5 / 3))
    assert scores.r2(truth, told) == pytest.approx(1.0 - 5.0 / (14.0 / 3.0))
    assert scores.pinball(truth, told, 0.9) == pytest.approx((0.1 * 1 + 0.9 * 2) / 3)


def test_gaps_in_truth_or_forecast_are_left_out() -> None:
    truth, told = [1.0, None, 3.0, NAN], [1.5, 9.0, None, 9.0]
    assert scores.mae(truth, told) == pytest.approx(0.5)
    assert scores.count(truth, told) == 1


def test_nothing_to_judge_gives_none_and_never_zero() -> None:
    for score in (scores.mae, scores.rmse, scores.r2):
        assert score([None, NAN], [1.0, 2.0]) is None
    assert scores.pinball([], [], 0.5) is None
    assert scores.coverage([None], [0.0], [1.0]) is None


def test_coverage_counts_the_truths_inside_the_band() -> None:
    truth = [1.0, 2.0, 3.0, None, 5.0]
    low, high = [0.0, 2.0, 4.0, 0.0, NAN], [1.0, 3.0, 5.0, 9.0, 9.0]
    assert scores.coverage(truth, low, high) == pytest.approx(2 / 3)


def test_series_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one for each"):
        scores.mae([1.0, 2.0], [1.0])


def test_the_baselines_look_back_a_day_and_a_week() -> None:
    truth = [float(k) for k in range(700)]
    assert scores.persistence(truth)[96] == 0.0
    assert scores.persistence(truth)[95] is None
    assert scores.weekly(truth)[672] == 0.0
    assert scores.weekly(truth)[671] is None


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(NAN)),
            st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(NAN)),
        )
    )
)
def test_no_gap_anywhere_makes_a_score_nan(pairs: list[tuple[float | None, float | None]]) -> None:
    truth, told = [a for a, _ in pairs], [b for _, b in pairs]
    figures = [scores.mae(truth, told), scores.rmse(truth, told), scores.r2(truth, told)]
    figures += [scores.pinball(truth, told, 0.1), scores.coverage(truth, told, told)]
    assert all(figure is None or math.isfinite(figure) for figure in figures)
