"""The usual weather of a place: warm summers, and never brighter than a clear sky."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.house import Site
from pems_actors.domain.units import seconds
from pems_actors.forecasting.climatology import Climate
from pems_actors.physics.sun import clear_sky_ghi_w_m2

BOHEMIA = Site(49.95, 14.60)


def test_winter_is_colder_than_summer_on_both_halves_of_the_earth() -> None:
    january, july = seconds("2026-01-15T12:00:00Z"), seconds("2026-07-15T12:00:00Z")
    north, south = Climate.of(BOHEMIA), Climate.of(Site(-36.0, 147.0))
    assert north.outdoor_c(january) < 5.0
    assert north.outdoor_c(july) > 15.0
    assert south.outdoor_c(january) > south.outdoor_c(july)


@given(st.floats(-66.0, 66.0), st.floats(-180.0, 180.0), st.floats(0.0, 4e9))
def test_the_usual_sun_never_outshines_the_clear_sky(lat: float, lon: float, at_s: float) -> None:
    site = Site(lat, lon)
    ghi, dni, dhi = Climate.of(site).irradiance_w_m2(at_s)
    assert 0.0 <= dhi <= ghi <= clear_sky_ghi_w_m2(site, at_s) <= 1098.0
    assert 0.0 <= dni < 1000.0
