"""The registry: a hundred and more features, each told, and none that knows the future."""

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.days.grid import DayGrid
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.registry import CATALOGUE, REGISTRY, feature, matrix
from tests.learning.histories import ZONE, habits, hours, table

WEATHER = ("temp_c", "ghi_w_m2", "dni_w_m2", "dhi_w_m2", "wind_m_s")
DAYS = 420


def a_grid(seed=1):
    index = hours(DAYS)
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(5.0, 2.0, (len(index), 6)), index, ["kw", *WEATHER])
    return DayGrid.of(table(frame.pop("kw"), **frame))


def scrambled(grid, target, row, seen):
    """The same days, with everything measured after the issue made up anew."""
    sheets = {name: sheet.copy() for name, sheet in grid.sheets.items()}
    rng = np.random.default_rng(99)
    sheets[target][row - 1, seen:] = rng.normal(50.0, 9.0, sheets[target].shape[1] - seen)
    sheets[target][row:] = rng.normal(50.0, 9.0, sheets[target][row:].shape)
    return DayGrid(grid.days, sheets, grid.step, grid.timezone)


def test_there_are_a_hundred_features_each_with_a_sentence():
    assert len(REGISTRY) >= 100
    assert len(CATALOGUE) > len(REGISTRY) + 20
    assert all(each.about.endswith(".") and len(each.about) > 12 for each in CATALOGUE.values())
    assert {each.family for each in CATALOGUE.values()} == {
        "calendar", "lag", "window", "level", "weather", "pv sun", "pv light", "pv lately"
    }  # fmt: skip


@pytest.mark.parametrize("seen", [12, 24], ids=["measured", "published"])
def test_no_feature_changes_with_what_was_not_known_at_the_issue(seen):
    grid, row = a_grid(), DAYS - 10
    later = scrambled(grid, "kw", row, seen)
    rows = np.array([row])
    before, after = (Scene(each, "kw", rows, seen) for each in (grid, later))
    for name in REGISTRY:
        np.testing.assert_array_equal(feature(before, name), feature(after, name), err_msg=name)


def test_every_measured_feature_does_change_with_what_was_known():
    grid, other = a_grid(1), a_grid(2)
    rows = np.array([DAYS - 10])
    one, two = (Scene(each, "kw", rows, 12) for each in (grid, other))
    measured = [name for name, each in REGISTRY.items() if each.known == "at issue"]
    same = [name for name in measured if np.array_equal(feature(one, name), feature(two, name))]
    assert same == []


def test_calendar_features_need_no_measurement_at_all():
    grid = a_grid()
    nothing = {name: np.full(sheet.shape, np.nan) for name, sheet in grid.sheets.items()}
    rows = np.arange(370, 400)
    known = Scene(grid, "kw", rows, 12)
    blind = Scene(DayGrid(grid.days, nothing, grid.step, ZONE), "kw", rows, 12)
    for each in REGISTRY.values():
        if each.known == "always":
            np.testing.assert_array_equal(each.of(known), each.of(blind))
            assert np.isfinite(each.of(known)).all(), each.name


def test_weather_features_look_at_the_forecast_and_not_at_the_target():
    grid = a_grid()
    rows = np.array([DAYS - 10])
    without = DayGrid(
        grid.days, grid.sheets | {"kw": np.full(grid.sheets["kw"].shape, np.nan)}, grid.step, ZONE
    )
    for each in REGISTRY.values():
        if each.known == "as forecast":
            told = each.of(Scene(grid, "kw", rows, 12))
            np.testing.assert_array_equal(told, each.of(Scene(without, "kw", rows, 12)))


def test_a_lag_that_lies_after_the_issue_is_refused():
    scene = Scene(a_grid(), "kw", np.array([100]), 12)
    with pytest.raises(ValueError, match="not known at the issue"):
        scene.lag(0)


def test_the_afternoon_of_the_day_of_the_issue_is_not_known():
    scene = Scene(a_grid(), "kw", np.array([100]), 12)
    assert np.isfinite(scene.lag(1)[:, :12]).all()
    assert np.isnan(scene.lag(1)[:, 12:]).all()


def test_a_guess_stands_in_for_a_day_that_is_not_measured_yet():
    guess = np.full((1, 24), 7.0)
    scene = Scene(a_grid(), "kw", np.array([100]), 12, guessed={1: guess})
    np.testing.assert_array_equal(scene.lag(1), guess)


def test_breakfast_stays_breakfast_over_daylight_saving():
    load = habits(20, "2024-03-20", noise=0.0)
    sheet = DayGrid.of(table(load)).sheets["kw"]
    assert np.isnan(sheet[11, 2])  # 31 March skips 02:00
    assert (sheet[:20, 7] >= 0.79).all()


def test_the_hour_that_comes_twice_is_averaged():
    load = habits(20, "2024-10-20", noise=0.0)
    sheet = DayGrid.of(table(load)).sheets["kw"]
    assert sheet.shape == (20, 24)  # the last day lacks its last hour
    assert np.isnan(sheet).sum() == 1


def test_czech_holidays_are_free_days():
    grid = DayGrid.of(table(habits(12, "2024-07-01")))
    scene = Scene(grid, "kw", np.arange(12), 12)
    free = feature(scene, "free")[:, 0]
    assert list(free[:8]) == [0, 0, 0, 0, 1, 1, 1, 0]  # 5 July, then a weekend


def test_a_matrix_has_a_row_per_slot_and_a_column_per_feature():
    scene = Scene(a_grid(), "kw", np.array([100, 101]), 12)
    assert matrix(scene, ("slot", "lag_2d", "temp_c")).shape == (48, 3)
