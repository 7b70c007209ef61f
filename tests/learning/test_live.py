"""Bands follow the times, and plain trees are one of the family."""

import pickle

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.days.grid import DayGrid
from pems_actors.learning.series.day_ahead import issues
from pems_actors.learning.series.live import NARROWEST, WIDEST, reach, widths
from pems_actors.learning.series.load import LoadModel
from pems_actors.learning.series.record import View
from pems_actors.learning.series.usual_trees import UsualTrees
from tests.learning.histories import habits, table


def lived(scale, days, behind=2, seed=4):
    """Days of errors so many times as large as the bands were made for; gives widths and cover."""
    errors = scale * np.random.default_rng(seed).standard_normal((days, 24))
    edge = np.full(errors.shape, 1.2816)
    held = reach(errors, -edge, 0.0 * edge, edge)
    after = widths(1.0, list(held), behind)
    told = after[np.maximum(np.arange(days) + 1 - behind, 0)]
    return after, (held <= told[:, None]).mean(axis=1)


@pytest.mark.parametrize("behind", [1, 2])
@pytest.mark.parametrize("scale", [0.6, 1.0, 2.0])
def test_bands_come_to_hold_what_they_promise_whatever_the_errors_look_like(scale, behind):
    after, held = lived(scale, 300, behind)
    assert after[150:].mean() == pytest.approx(scale, rel=0.12)
    assert held[150:].mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("scale", [0.6, 1.6])
def test_two_months_from_a_wrong_start_hold_nearly_what_was_promised(scale):
    covers = [lived(scale, 60, seed=seed)[1].mean() for seed in range(8)]
    assert np.abs(np.array(covers) - 0.8).max() < 0.05


def test_a_width_stays_within_reason():
    far, near = [np.full(24, 9.0)] * 90, [np.zeros(24)] * 90
    assert widths(1.0, far, 2)[-1] == WIDEST
    assert widths(1.0, near, 2)[-1] == NARROWEST


def test_a_day_is_held_against_the_width_that_it_was_told_with():
    days = [np.array([1.2])] * 2
    one_behind, two_behind = (widths(1.0, days, behind) for behind in (1, 2))
    assert one_behind[1] == two_behind[1] > 1.2  # the first day was missed ...
    assert one_behind[2] < one_behind[1]  # ... known in time, the second is held
    assert two_behind[2] > two_behind[1]  # ... known too late, it is missed as well


def test_days_without_a_truth_say_nothing_and_half_known_ones_say_half():
    unknown, half = np.full(24, np.nan), np.r_[np.full(12, 9.0), np.full(12, np.nan)]
    assert widths(1.3, [unknown], 2).tolist() == [1.3, 1.3]
    whole = widths(1.0, [np.full(24, 9.0), half], 1)
    assert np.log(whole[2] / whole[1]) == pytest.approx(0.5 * np.log(whole[1]))


def test_a_reach_is_counted_in_distances_to_the_edge_on_its_side():
    truth = np.array([1.0, -1.0, 0.0, np.nan])
    told = reach(truth, np.full(4, -0.5), np.zeros(4), np.full(4, 2.0))
    np.testing.assert_array_equal(told, [0.5, 2.0, 0.0, np.nan])


@pytest.mark.slow
def test_bands_follow_before_the_next_fit():
    load, noise = habits(140, noise=0.1), np.random.default_rng(6)
    load.iloc[24 * 100 :] += 0.6 * noise.standard_normal(24 * 40)
    model = LoadModel().fit(table(load.iloc[: 24 * 100]))
    days = pd.Timestamp("2024-04-11"), pd.Timestamp("2024-05-18")
    told = model.forecast_each(table(load), list(issues(table(load), *days)))
    spread = [float((each["p90"] - each["p10"]).iloc[:24].mean()) for each in told]
    assert np.mean(spread[-7:]) > 1.5 * np.mean(spread[:2])


def scene_of(days=60, **columns):
    view = View(DayGrid.of(table(habits(days, noise=0.0), **columns)), "kw", published=False)
    return view.scene(np.arange(20, days - 1)), view.truth[20 : days - 1]


def test_a_clockwork_is_told_to_the_letter_by_trees_as_usual():
    scene, truth = scene_of()
    told = UsualTrees().fit(scene, truth).predict(scene)
    assert np.nanmean(np.abs(told - truth)) < 0.01


def test_trees_as_usual_survive_pickling_and_say_nothing_of_too_little():
    scene, truth = scene_of()
    fitted = UsualTrees().fit(scene, truth)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(fitted.predict(scene), again.predict(scene))
    assert np.isnan(UsualTrees().fit(scene, truth * np.nan).predict(scene)).all()


def test_trees_as_usual_see_every_column_of_weather():
    load = habits(60, noise=0.0)
    noise = np.random.default_rng(3).standard_normal(len(load))
    view = View(DayGrid.of(table(load + noise, cold=noise)), "kw", published=False)
    scene = view.scene(np.arange(20, 59))
    told = UsualTrees().fit(scene, view.truth[20:59]).predict(scene)
    assert np.nanstd(told - view.truth[20:59]) < 0.2
