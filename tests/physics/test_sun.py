"""The plain sun stands where astronomers see it, and knows the night."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.house import Site
from pems_actors.domain.units import DAY_S, seconds
from pems_actors.physics.sun import (
    clear_sky_ghi_w_m2,
    elevation_deg,
    elevation_sine,
    sun_at,
    year_angle,
)

BOHEMIA = Site(49.95, 14.60)


@pytest.mark.parametrize(
    ("when", "elevation"),
    [
        ("2026-06-21T11:03:00Z", 63.5),  # solar noon in midsummer: 90 - latitude + 23.4
        ("2026-12-21T11:00:00Z", 16.6),
        ("2026-03-20T11:09:00Z", 40.0),
    ],
)
def test_noon_stands_where_the_almanac_says(when: str, elevation: float) -> None:
    assert elevation_deg(BOHEMIA, seconds(when)) == pytest.approx(elevation, abs=0.1)


@pytest.mark.parametrize("site", [BOHEMIA, Site(-36.0, 147.0), Site(66.0, -180.0), Site(0.0, 0.0)])
def test_it_agrees_with_the_solar_position_algorithm_of_nrel(site: Site) -> None:
    """Reda & Andreas 2004, as in pvlib, is good to 0.0003°; we promise 0.02°."""
    at_s = np.random.default_rng(7).uniform(-6e8, 2.5e9, 500)  # 1950 to 2049
    when = import_module("pandas").to_datetime(at_s * 1e9, utc=True)
    position = import_module("pvlib.solarposition").get_solarposition
    found = position(when, site.latitude_deg, site.longitude_deg)
    ours = sun_at(site, at_s)
    np.testing.assert_allclose(ours.zenith_deg, found["zenith"], atol=0.02)
    aside = (ours.azimuth_deg - found["azimuth"].to_numpy() + 180.0) % 360.0 - 180.0
    assert np.abs(aside * np.sin(np.radians(ours.zenith_deg))).max() < 0.02


def test_the_sun_rises_in_the_east_and_sets_in_the_west() -> None:
    morning, noon, evening = (seconds(f"2026-03-20T{h}:09:00Z") for h in ("05", "11", "17"))
    sun = sun_at(BOHEMIA, np.array([morning, noon, evening]))
    np.testing.assert_allclose(sun.azimuth_deg, [90.0, 180.0, 270.0], atol=2.0)


@given(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.floats(-6e8, 2.5e9))
def test_one_instant_and_many_are_the_same_sun(lat: float, lon: float, at_s: float) -> None:
    site = Site(lat, lon)
    zenith = float(sun_at(site, np.array([at_s])).zenith_deg[0])
    assert -1.0 - 1e-12 <= elevation_sine(site, at_s) <= 1.0 + 1e-12
    assert 90.0 - zenith == pytest.approx(elevation_deg(site, at_s), abs=1e-5)


def test_a_low_sun_counts_as_down() -> None:
    dusk_s = seconds("2026-03-20T17:05:00Z")
    assert 0.0 < elevation_deg(BOHEMIA, dusk_s) < 1.0
    assert sun_at(BOHEMIA, np.array([dusk_s])).cos_zenith[0] == 0.0
    assert sun_at(BOHEMIA, np.array([])).cos_zenith.shape == (0,)


def test_midnight_is_dark_and_noon_is_bright() -> None:
    assert clear_sky_ghi_w_m2(BOHEMIA, seconds("2026-06-21T23:00:00Z")) == 0.0
    assert 850 < clear_sky_ghi_w_m2(BOHEMIA, seconds("2026-06-21T11:00:00Z")) < 950


def test_the_year_turns_at_the_winter_solstice() -> None:
    solstice_s = seconds("2026-12-21T20:50:00Z")
    assert year_angle(solstice_s - DAY_S) > 6.2
    assert year_angle(solstice_s + DAY_S) == pytest.approx(2.0 * np.pi / 365.0, abs=0.002)
    assert year_angle(seconds("2026-06-21T08:24:00Z")) == pytest.approx(np.pi, abs=0.002)
