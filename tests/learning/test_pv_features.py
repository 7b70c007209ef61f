"""What the PV trees see: every column listed and described, none that knows the future."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.features.roofs import FEATURES
from pems_actors.learning.pv.physics import plant_of
from pems_actors.learning.pv.recent import cuts
from pems_actors.learning.pv.scene import scene
from pems_actors.learning.pv.view import features_of, recent_of, rows_of, view
from tests.learning.pv_worlds import ROOFS, SITE, world

LISTED = {each.name: each for each in FEATURES}
LOOKS = pytest.mark.parametrize("look", ["weather", "sky"])
DAYS, ISSUE = 60, "2024-05-20"
QUARTER = pd.Timedelta(minutes=15)


@pytest.fixture(scope="module")
def table():
    return world(DAYS, step=QUARTER)


def looked_at(table, *, long=True):
    seen = scene(SITE, table.frame, table.step)
    plant = plant_of(SITE, ROOFS)
    return view(table.frame, {}, table.step, table.timezone, seen, plant, long)


def features(look, table, measured=None):
    """All features of the day after an issue, as they were known at noon."""
    seen = looked_at(table)
    day = pd.date_range(f"{ISSUE} 02:00", periods=80, freq=QUARTER, tz="UTC")
    at = np.asarray(seen.index.get_indexer(day), np.int64)
    cut_s, midnight_s = cuts(day, table.timezone, 1)
    told = table.series.to_numpy(float) if measured is None else measured
    past = recent_of(look, seen, told).features(seen.starts_s[at], cut_s, midnight_s)
    return features_of(look, seen, past, at, np.ones(len(at))), cut_s[0]


@LOOKS
def test_every_column_of_the_trees_is_listed(look, table):
    named, _ = features(look, table)
    assert set(named) <= set(LISTED)
    seen = looked_at(table)
    at = np.arange(4000, 4010)
    cut_s, midnight_s = cuts(seen.index[at], table.timezone, 1)
    recent = recent_of(look, seen, table.series.to_numpy(float))
    rows = rows_of(look, seen, recent, at, cut_s, midnight_s, np.ones(10))
    assert rows.features.shape == (10, len(named))


def test_every_listed_feature_is_seen_by_one_look_or_the_other(table):
    seen = {name for look in ("weather", "sky") for name in features(look, table)[0]}
    assert seen == set(LISTED)


@LOOKS
def test_no_feature_changes_with_what_was_measured_after_the_issue(look, table):
    named, cut_s = features(look, table)
    late = table.index.as_unit("s").asi8 >= cut_s
    noise = np.random.default_rng(5).uniform(0.0, 9.0, len(table.frame))
    later, _ = features(look, table, np.where(late, noise, table.series.to_numpy(float)))
    for name, values in named.items():
        np.testing.assert_array_equal(values, later[name], err_msg=name)


@LOOKS
def test_every_measured_feature_does_change_with_what_was_measured_before(look, table):
    named, cut_s = features(look, table)
    late = table.index.as_unit("s").asi8 >= cut_s
    noise = np.random.default_rng(5).uniform(0.0, 9.0, len(table.frame))
    other, _ = features(look, table, np.where(late, table.series.to_numpy(float), noise))
    changed = {n for n in named if not np.array_equal(named[n], other[n], equal_nan=True)}
    assert changed == {name for name in named if LISTED[name].known == "at issue"}


def test_only_the_light_changes_with_the_weather(table):
    named, _ = features("weather", table)
    frame = table.frame.assign(
        ghi_w_m2=0.5 * table.frame["ghi_w_m2"], temp_c=table.frame["temp_c"] + 5.0, wind_m_s=4.0
    )
    dull, _ = features("weather", replace(table, frame=frame))
    changed = {name for name in named if not np.allclose(named[name], dull[name], equal_nan=True)}
    told = {name for name in named if LISTED[name].known == "as forecast"}
    assert told <= changed
    assert not [name for name in changed if LISTED[name].known == "always"]
