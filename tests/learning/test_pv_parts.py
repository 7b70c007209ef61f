"""The parts of the PV model: sun and light, the place, what was known when, who has a say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.house import Roof, Site
from pems_actors.learning.pv import curtailed
from pems_actors.learning.pv.members import USUAL, blend_weights
from pems_actors.learning.pv.physics import Plant, power
from pems_actors.learning.pv.recent import Recent, cuts, starts_of
from pems_actors.learning.pv.scene import plane_w_m2, scene, suns_at
from pems_actors.learning.pv.site import find_site
from pems_actors.learning.tables.table import Table
from pems_actors.physics.sun import sun_at
from tests.learning.pv_worlds import ROOFS, SITE, STEP, skies, world

NOON = pd.date_range("2024-06-21 11:00", periods=1, freq="h", tz="UTC")


@given(st.floats(-65.0, 65.0), st.floats(-180.0, 180.0), st.floats(0.0, 2.0e9))
def test_many_suns_at_once_stand_where_each_single_one_does(latitude, longitude, at_s):
    site, at = Site(latitude, longitude), np.array([at_s, at_s + 40_000.0])
    one, many = sun_at(site, at), suns_at(site, at)
    assert np.allclose(one.zenith_deg, many.zenith_deg, atol=1e-9)
    apart = np.abs(one.azimuth_deg - many.azimuth_deg)
    assert (np.minimum(apart, 360.0 - apart) < 1e-6).all()


def seen_with(**light):
    return scene(SITE, pd.DataFrame(light, index=NOON), STEP)


def test_of_the_three_irradiances_any_two_give_the_third():
    height = np.cos(np.radians(seen_with(ghi_w_m2=[700.0]).zenith_deg))
    ghi = float((600.0 * height + 150.0).mean())
    by_beam = seen_with(dni_w_m2=[600.0], dhi_w_m2=[150.0])
    by_global = seen_with(ghi_w_m2=[ghi], dhi_w_m2=[150.0])
    assert by_beam.light.ghi.mean() == pytest.approx(ghi, rel=0.01)
    assert by_global.light.dni.mean() == pytest.approx(600.0, rel=0.02)
    assert by_beam.light.dhi.mean() == pytest.approx(150.0, rel=0.01)


def test_a_dull_global_irradiance_is_split_into_diffuse_and_a_bright_one_into_beam():
    dull, bright = (seen_with(ghi_w_m2=[ghi]).light for ghi in (120.0, 850.0))
    assert dull.dhi.mean() > 0.9 * 120.0
    assert bright.dni.mean() > 600.0
    assert bright.dhi.mean() < 250.0


def test_zeros_beside_a_bright_global_irradiance_mean_that_only_it_was_told():
    told = seen_with(ghi_w_m2=[800.0], dni_w_m2=[0.0], dhi_w_m2=[0.0]).light
    alone = seen_with(ghi_w_m2=[800.0]).light
    assert np.allclose(told.dhi, alone.dhi)
    assert np.allclose(told.dni, alone.dni)


def test_a_flat_plane_gets_the_global_irradiance_but_for_the_glass():
    seen = seen_with(ghi_w_m2=[700.0])
    assert plane_w_m2(seen, seen.light, 0.0, 180.0).mean() == pytest.approx(700.0, rel=0.03)


def test_an_hour_keeps_its_mean_when_it_is_spread_over_its_instants():
    sky = skies(3)
    seen = scene(SITE, sky, STEP)
    high = seen.elevation_deg > 5.0
    told = seen.light.ghi.mean(axis=1)[high]
    assert np.allclose(told, sky["ghi_w_m2"].to_numpy()[high], rtol=1e-6)


def test_hot_cells_give_less_and_the_inverter_clips():
    cool, hot = (
        scene(SITE, pd.DataFrame({"ghi_w_m2": [800.0], "temp_c": [warm]}, index=NOON), STEP)
        for warm in (0.0, 35.0)
    )
    free, tight = Plant(ROOFS), Plant(ROOFS, limit=3.0)
    assert power(hot, free)[0] < 0.9 * power(cool, free)[0]
    assert power(cool, tight)[0] == 3.0


def test_two_roofs_give_the_sum_of_each():
    seen = scene(SITE, skies(2), STEP)
    both = power(seen, Plant(ROOFS))
    single = sum(power(seen, Plant((roof,))) for roof in ROOFS)
    assert np.allclose(both, single)


def test_a_hole_in_the_weather_is_unknown_and_shows_clear_sky():
    sky = skies(1)
    sky.iloc[11:13, 0] = np.nan
    seen = scene(SITE, sky, STEP)
    assert (~seen.known).sum() == 2
    assert np.allclose(seen.light.ghi[11:13], seen.clear.ghi[11:13])


def test_a_single_missing_hour_of_weather_is_bridged_by_its_neighbours_cloudiness():
    sky = skies(1)
    sky.iloc[12, 0] = np.nan
    seen = scene(SITE, sky, STEP)
    assert seen.known.all()
    before, bridged, after = seen.clearness[11:14]
    assert bridged == pytest.approx((before + after) / 2.0, rel=0.01)


@given(st.integers(0, 40 * 24 - 1), st.integers(0, 10_000))
def test_recent_ratios_never_look_behind_their_cut(cut_row, seed):
    rng = np.random.default_rng(seed)
    starts = 1.7e9 // 3600 * 3600 + np.arange(41 * 24) * 3600.0
    expected = np.maximum(np.sin(2 * np.pi * np.arange(len(starts)) / 24), 0.0)
    measured = expected * rng.random(len(starts))
    cut = np.full(48, starts[cut_row])
    changed = np.where(starts + 3600.0 > cut[0], 77.0, measured)
    told = [Recent.of(starts, 3600.0, series, expected, 1.0) for series in (measured, changed)]
    rows = starts[cut_row] + np.arange(48) * 3600.0
    one, other = (each.features(rows, cut, cut - 12 * 3600.0) for each in told)
    for name, values in one.items():
        assert np.array_equal(values, other[name]), name


def test_what_was_known_is_cut_at_local_noon_also_over_daylight_saving():
    index = pd.date_range("2024-03-29", "2024-04-02", freq="h", tz="UTC")
    cut_s, midnight_s = cuts(index, "Europe/Prague", 1)
    local = pd.to_datetime(cut_s, unit="s", utc=True).tz_convert("Europe/Prague")
    assert set(local.hour) == {12}
    assert (cut_s < starts_of(index)).all()
    midnight = pd.to_datetime(midnight_s, unit="s", utc=True).tz_convert("Europe/Prague")
    assert set(midnight.hour) == {0}


def test_the_place_of_a_plant_is_read_off_its_light():
    found = find_site(world(90, weather=False))
    assert found.longitude_deg == pytest.approx(SITE.longitude_deg, abs=4.0)
    assert found.latitude_deg == pytest.approx(SITE.latitude_deg, abs=8.0)


def test_two_days_tell_no_place():
    assert find_site(world(2, weather=False)) is None


def test_full_battery_without_export_is_curtailed_and_with_export_is_not():
    frame = pd.DataFrame({"soc_frac": [0.9, 0.9, 0.5], "export_allowed": [0.0, 1.0, 0.0]})
    assert curtailed.told_curtailed(frame).tolist() == [True, False, False]


def test_a_member_that_fails_loses_its_say():
    rng = np.random.default_rng(1)
    truth = rng.random(20_000)
    told = np.stack([truth + 0.3, truth + 0.02 * rng.normal(size=20_000), rng.random(20_000)], 1)
    weights = blend_weights(told, truth, np.ones(20_000), 24.0)
    assert weights[1] > 0.7
    assert weights[[0, 2]].sum() < 0.3
    assert (weights >= 0.0).all()


def test_few_errors_leave_the_usual_weights():
    rng = np.random.default_rng(2)
    truth = rng.random(24)
    told = truth[:, None] + 0.1 * rng.normal(size=(24, 3))
    assert np.allclose(blend_weights(told, truth, np.ones(24), 24.0), USUAL, atol=0.1)


def test_stamps_an_hour_late_are_found_and_said():
    from pems_actors.learning.pv.model import PvModel

    late = world(40, weather=False, roofs=(Roof("roof", 5.0, 30.0, 180.0),))
    frame = late.frame.copy()
    frame.index = frame.index + pd.Timedelta(hours=1)
    model = PvModel(SITE, (Roof("roof", 5.0, 30.0, 180.0),)).fit(Table(frame, "pv_kw", "UTC"))
    assert model.shift_s == -3600.0
    assert any("off the sun" in note for note in model.notes)
