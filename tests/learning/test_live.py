"""Bands follow the times, and plain trees are one of the family."""

import pickle

import numpy as np
import pytest

from pems_actors.learning.days.grid import DayGrid
from pems_actors.learning.series.live import NARROWEST, WIDEST, followed, inside_by_day
from pems_actors.learning.series.record import View
from pems_actors.learning.series.usual_trees import UsualTrees
from tests.learning.histories import habits, table


def lived(scale, weeks, start=1.0, seed=4):
    """Weeks of errors so many times as large as the bands were made for; gives width and cover."""
    rng, width, covers = np.random.default_rng(seed), start, []
    for _ in range(weeks):
        errors = scale * rng.standard_normal((7, 24))
        edge = np.full((7, 24), 1.2816 * width)
        inside = inside_by_day(errors, -edge, edge)
        covers.append(inside.mean())
        width = followed(width, inside)
    return width, np.mean(covers[weeks // 2 :])


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.6])
def test_bands_come_to_hold_what_they_promise_whatever_the_errors_look_like(scale):
    width, cover = lived(scale, 40)
    assert width == pytest.approx(scale, rel=0.12)
    assert cover == pytest.approx(0.8, abs=0.02)


def test_a_width_stays_within_reason():
    wide = narrow = 1.0
    for _ in range(30):
        wide, narrow = followed(wide, np.zeros(7)), followed(narrow, np.ones(7))
    assert (wide, narrow) == (WIDEST, NARROWEST)


def test_a_look_back_over_months_moves_a_width_no_more_than_one_over_ten_days():
    assert followed(1.0, np.zeros(90)) == followed(1.0, np.zeros(10)) > followed(1.0, np.zeros(7))


def test_days_without_a_truth_say_nothing():
    truth = np.full((2, 24), np.nan)
    truth[1, :12] = 0.0
    inside = inside_by_day(truth, np.full((2, 24), -1.0), np.full((2, 24), 1.0))
    assert np.isnan(inside[0])
    assert inside[1] == 1.0
    assert followed(1.3, inside[:1]) == 1.3


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
