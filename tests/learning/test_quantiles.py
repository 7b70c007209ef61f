"""Bands never cross, cover what they claim, and scenarios keep how errors hang together."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.learning.series.quantiles import (
    Bands,
    along,
    pinball,
    ranks_of,
    scenarios,
    uncrossed,
    weighted_quantile,
)

BAND = {0.1: np.array([1.0, 2.0]), 0.5: np.array([2.0, 4.0]), 0.9: np.array([4.0, 5.0])}


def noisy(rows, seed=0):
    """Errors whose width depends on a feature."""
    rng = np.random.default_rng(seed)
    width = rng.uniform(0.2, 2.0, rows)
    return width[:, None], np.zeros(rows), width * rng.standard_normal(rows)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_bands_never_cross(values):
    low, middle, high = (np.array([value]) for value in values)
    low, middle, high = uncrossed(low, middle, high)
    assert low <= middle <= high


def test_bands_cover_four_fifths_where_they_are_wide_and_where_they_are_narrow():
    features, middle, truth = noisy(6000)
    bands = Bands.fit(features, middle, truth, age_days=np.arange(6000)[::-1] / 24.0)
    features, middle, truth = noisy(6000, seed=1)
    low, _, high = bands.around(features, middle)
    inside = (truth >= low) & (truth <= high)
    for part in (features[:, 0] < 0.7, features[:, 0] > 1.5):
        assert 0.76 <= inside[part].mean() <= 0.84


def test_bands_follow_errors_that_lately_became_wider():
    features, middle, truth = noisy(6000)
    age = np.arange(6000)[::-1] / 24.0
    truth = np.where(age < 60.0, 3.0 * truth, truth)
    low, _, high = Bands.fit(features, middle, truth, age_days=age, half_life_days=20.0).around(
        features[-1000:], middle[-1000:]
    )
    inside = (truth[-1000:] >= low) & (truth[-1000:] <= high)
    assert inside.mean() >= 0.74


def test_few_errors_give_a_flat_band_and_none_gives_one_all_the_same():
    features, middle, truth = noisy(100)
    few = Bands.fit(features, middle, truth)
    assert few.trees is None
    low, _, high = few.around(features, middle)
    assert np.ptp(high - low) == pytest.approx(0.0)
    none = Bands.fit(features[:0], middle[:0], truth[:0])
    assert np.isfinite(none.around(features, middle)[0]).all()


def test_a_band_that_was_pickled_tells_the_same():
    features, middle, truth = noisy(2000)
    bands = Bands.fit(features, middle, truth)
    again = pickle.loads(pickle.dumps(bands))
    np.testing.assert_array_equal(bands.around(features, middle), again.around(features, middle))


def test_unknown_truths_teach_nothing():
    features, middle, truth = noisy(3000)
    holed = np.concatenate([truth, np.full(500, np.nan)])
    longer = Bands.fit(np.vstack([features, features[:500]]), np.zeros(3500), holed)
    low, _, high = Bands.fit(features, middle, truth).around(features, middle)
    low_too, _, high_too = longer.around(features, middle)
    np.testing.assert_allclose([low, high], [low_too, high_too])


def test_a_quantile_by_weight_ignores_what_weighs_nothing():
    values, weights = np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 0.0])
    assert weighted_quantile(values, weights, 0.9) == 2.0
    assert np.isnan(weighted_quantile(values[:0], weights[:0], 0.5))


def test_pinball_punishes_the_side_that_matters():
    truth = np.array([1.0, np.nan])
    assert pinball(truth, np.array([0.0, 5.0]), 0.9) == pytest.approx(0.9)
    assert pinball(truth, np.array([2.0, 5.0]), 0.9) == pytest.approx(0.1)


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 30))
def test_scenarios_are_as_many_as_wanted_and_finite(dates, count):
    errors = {"a": np.random.default_rng(dates).standard_normal((dates, 2))}
    paths = scenarios({"a": BAND, "b": BAND}, errors, count)
    assert paths["a"].shape == paths["b"].shape == (count, 2)
    assert np.isfinite(paths["a"]).all()


def test_scenarios_fill_the_band_as_its_quantiles_say():
    errors = {"a": np.random.default_rng(4).standard_normal((2000, 2))}
    paths = scenarios({"a": BAND}, errors, 2000)["a"]
    np.testing.assert_allclose(np.quantile(paths, 0.1, axis=0), BAND[0.1], atol=0.1)
    np.testing.assert_allclose(np.quantile(paths, 0.9, axis=0), BAND[0.9], atol=0.1)


def test_what_went_wrong_together_goes_wrong_together_in_scenarios():
    shared = np.random.default_rng(6).standard_normal((400, 1))
    errors = {"pv": shared + np.zeros((400, 2)), "load": -shared + np.zeros((400, 2))}
    paths = scenarios({"pv": BAND, "load": BAND}, errors, 300)
    over_time = np.corrcoef(paths["pv"][:, 0], paths["pv"][:, 1])[0, 1]
    between = np.corrcoef(paths["pv"][:, 0], paths["load"][:, 0])[0, 1]
    assert over_time > 0.9
    assert between < -0.9


def test_the_middle_rank_is_the_median_and_the_outer_ones_the_band():
    told = along(BAND, np.array([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]))
    np.testing.assert_allclose(told, [BAND[0.1], BAND[0.5], BAND[0.9]])


def test_unknown_errors_rank_in_the_middle():
    ranks = ranks_of(np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 6.0]]))
    assert ranks[0, 1] == 0.5
    assert list(ranks[:, 0]) == sorted(ranks[:, 0])
