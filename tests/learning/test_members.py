"""The parts of the ensembles: ridge, smoothing, trees and the weights they get."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.learning.days.averages import faded_mean, mean_of, median_of, share_below
from pems_actors.learning.days.grid import DayGrid
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.series.blend import Blend
from pems_actors.learning.series.boosted import Boosted
from pems_actors.learning.series.day_ridge import DayRidge
from pems_actors.learning.series.members import Seasonal, Smoothing
from pems_actors.learning.series.ridge import Ridge
from tests.learning.histories import habits, table


def scene_and_truth(days=120, seen=12):
    grid = DayGrid.of(table(habits(days)))
    rows = np.arange(30, days)
    return Scene(grid, "kw", rows, seen), grid.sheets["kw"][rows]


def test_a_ridge_finds_a_line_and_ignores_a_constant_input():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400, 3))
    y = x @ np.array([[1.0], [-2.0], [0.0]]) + 5.0
    told = Ridge.fit(np.column_stack([x, np.ones(400)]), y)
    np.testing.assert_allclose(told.predict(np.column_stack([x, np.ones(400)])), y, atol=0.1)


def test_a_ridge_of_pure_noise_is_held_back():
    rng = np.random.default_rng(2)
    told = Ridge.fit(rng.standard_normal((60, 50)), rng.standard_normal((60, 1)))
    assert np.abs(told.slopes).max() < 0.2


@pytest.mark.parametrize(
    "member",
    [Seasonal(), Smoothing(), DayRidge("a"), DayRidge("b", squash=True), Boosted("c")],
    ids=lambda member: type(member).__name__,
)
def test_every_member_tells_habits_of_days_it_has_not_seen(member):
    scene, truth = scene_and_truth()
    fitted = member.fit(Scene(scene.grid, "kw", scene.rows[:60], 12), truth[:60])
    told = fitted.predict(Scene(scene.grid, "kw", scene.rows[60:], 12))
    assert np.nanmean(np.abs(told - truth[60:])) < 0.2


@pytest.mark.parametrize("member", [DayRidge("a"), Boosted("b")], ids=["ridge", "trees"])
def test_who_has_too_little_to_learn_from_says_nothing(member):
    scene, truth = scene_and_truth()
    few = Scene(scene.grid, "kw", scene.rows[:10], 12)
    assert np.isnan(member.fit(few, truth[:10]).predict(few)).all()


def test_smoothing_follows_a_level_that_rose():
    load = habits(120)
    load.iloc[24 * 80 :] += 2.0
    grid = DayGrid.of(table(load))
    rows = np.arange(30, 119)
    fitted = Smoothing().fit(Scene(grid, "kw", rows, 12), grid.sheets["kw"][rows])
    scene = Scene(grid, "kw", np.array([100]), 12)
    assert fitted.predict(scene).mean() > Seasonal().predict(scene).mean() + 0.3


def test_the_member_that_is_right_gets_the_weight():
    rng = np.random.default_rng(3)
    truth = rng.standard_normal(20_000)
    told = np.stack([truth + 0.1 * rng.standard_normal(20_000), np.zeros(20_000)], axis=1)
    blend = Blend.fit(told, truth, np.ones(20_000))
    assert blend.mean[0] > 0.9
    assert blend.median[0] > 0.9


def test_a_thin_record_keeps_weights_near_equal():
    rng = np.random.default_rng(3)
    truth = rng.standard_normal(60)
    told = truth[:, None] + rng.standard_normal((60, 2)) * [0.6, 1.0]
    assert abs(Blend.fit(told, truth, np.ones(60)).mean[0] - 0.5) < 0.15
    np.testing.assert_array_equal(Blend.fit(told[:5], truth[:5], np.ones(5)).mean, [0.5, 0.5])


@settings(max_examples=30)
@given(st.integers(2, 6), st.integers(0, 1000))
def test_weights_are_never_negative_and_sum_to_one(members, seed):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(300)
    told = truth[:, None] * rng.uniform(-1, 1, members) + rng.standard_normal((300, members))
    blend = Blend.fit(told, truth, np.ones(300))
    for weights in (blend.mean, blend.median):
        assert (weights >= 0.0).all()
        assert weights.sum() == pytest.approx(1.0)


def test_who_says_nothing_is_left_out_and_nobody_gives_nan():
    mean, _ = Blend.equal(2).of(np.array([[1.0, np.nan], [np.nan, np.nan]]))
    assert mean[0] == 1.0
    assert np.isnan(mean[1])


def test_averages_take_only_what_is_known():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    assert mean_of(values)[0] == 2.0
    assert np.isnan(mean_of(values)[1])
    assert median_of(np.array([[1.0], [9.0], [2.0], [np.nan]]))[0] == 2.0
    assert median_of(np.array([[1.0], [2.0], [3.0], [4.0]]))[0] == 2.5
    assert faded_mean(np.array([[2.0], [4.0]]), 1.0)[0] == pytest.approx(8.0 / 3.0)
    assert share_below(np.arange(100.0)[None, :], 0.05)[0, 0] == 5.0
