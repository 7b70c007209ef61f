"""Roofs: the right light on the right plane, and a real plant as the judge."""

import numpy as np
import pytest

from pems_actors.data import golden_pv
from pems_actors.domain.house import InverterModel, Roof, Site
from pems_actors.domain.units import seconds
from pems_actors.physics.solar import (
    Sky,
    ac_power_kw,
    clear_sky,
    pv_potential_kw,
    roof_irradiance,
    split_ghi,
)
from pems_actors.physics.sun import sun_at
from tests.simulation.houses import ROOFS, SITE

JUNE = seconds("2026-06-21T00:00:00Z") + 900.0 * (np.arange(96) + 0.5)
CLEAR = clear_sky(SITE, JUNE)


def noon_of(power):
    """Hour of the day at which half of the energy has come."""
    return float((power * np.arange(96)).sum() / power.sum() / 4)


def test_the_sun_is_highest_at_solar_noon_and_down_at_midnight():
    sun = sun_at(SITE, JUNE)
    assert noon_of(sun.cos_zenith) == pytest.approx(12.0 - 17.43 / 15, abs=0.15)
    assert sun.zenith_deg.min() == pytest.approx(49.49 - 23.44, abs=0.2)
    assert sun.cos_zenith[[0, -1]].tolist() == [0.0, 0.0]


def test_a_clear_day_closes_beam_diffuse_and_global_light():
    sun = sun_at(SITE, JUNE)
    closed = CLEAR.dni_w_m2 * sun.cos_zenith + CLEAR.dhi_w_m2
    high = sun.cos_zenith > 0.2
    np.testing.assert_allclose(closed[high], CLEAR.ghi_w_m2[high], rtol=0.05)


def test_the_south_west_roof_peaks_after_the_south_east_roof():
    west, east = (pv_potential_kw(SITE, [r], InverterModel(), CLEAR, JUNE) for r in ROOFS)
    assert noon_of(west) > noon_of(east) + 1.5


def test_a_clear_june_day_gives_about_what_the_reference_house_has_seen():
    power = pv_potential_kw(SITE, ROOFS, InverterModel(), CLEAR, JUNE)
    assert 80.0 < power.sum() / 4 < 105.0
    assert 9.0 < power.max() < 11.0


def test_a_flat_roof_sees_the_global_light():
    sun = sun_at(SITE, JUNE)
    flat = roof_irradiance(Roof("flat", 1.0, 0.0, 180.0), sun, CLEAR, JUNE)
    noon = sun.cos_zenith > 0.3
    np.testing.assert_allclose(flat[noon], CLEAR.ghi_w_m2[noon], rtol=0.05)


def test_beam_light_counts_on_a_facing_plane_as_it_is():
    sun = sun_at(SITE, JUNE)
    k = int(sun.cos_zenith.argmax())
    facing = Roof("facing", 1.0, float(sun.zenith_deg[k]), float(sun.azimuth_deg[k]))
    beam = Sky(np.zeros(96), np.full(96, 800.0), np.zeros(96), np.zeros(96))
    assert roof_irradiance(facing, sun, beam, JUNE)[k] == pytest.approx(800.0, rel=1e-3)


def test_hot_cells_give_less_and_wind_helps():
    noon = JUNE[44:45]

    def power(temp_c, wind_m_s=1.0):
        sky = Sky(*(np.array([x]) for x in (800.0, 700.0, 150.0, temp_c)), wind_m_s)
        return float(pv_potential_kw(SITE, ROOFS, InverterModel(), sky, noon)[0])

    assert power(10.0) / power(35.0) == pytest.approx(1.11, abs=0.03)
    assert power(20.0, 8.0) > power(20.0, 0.5)


def test_the_inverter_limits_what_leaves_but_not_what_the_roofs_could_give():
    small = InverterModel(ac_limit_kw=6.0)
    potential = pv_potential_kw(SITE, ROOFS, small, CLEAR, JUNE)
    leaving = ac_power_kw(SITE, ROOFS, small, CLEAR, JUNE)
    assert potential.max() > 9.0
    assert leaving.max() == 6.0
    assert pv_potential_kw(SITE, [], small, CLEAR, JUNE).tolist() == [0.0] * 96


def test_a_dark_sky_gives_nothing():
    dark = Sky(*(np.zeros(96) for _ in range(4)))
    assert pv_potential_kw(SITE, ROOFS, InverterModel(), dark, JUNE).max() == 0.0


def test_a_measured_plant_in_golden_is_explained_without_any_fit_but_its_size():
    table = golden_pv()
    rows = np.s_[4000:16000]
    at_s = (table.start_s + table.step_s * (np.arange(len(table)) + 0.5))[rows]
    site = Site(39.7406, -105.1775, 1800.0, "America/Denver")
    ghi, temp_c, measured = (table[n][rows] for n in ("ghi_w_m2", "temp_c", "pv_kw"))
    dni, dhi = split_ghi(ghi, sun_at(site, at_s), at_s)
    sky = Sky(ghi, dni, dhi, temp_c)
    power = pv_potential_kw(site, [Roof("serf", 3.0, 45.0, 158.0)], InverterModel(), sky, at_s)
    seen = np.isfinite(measured) & np.isfinite(power) & (ghi > 0)
    measured, power = measured[seen], power[seen]
    error = measured - power * (power @ measured) / (power @ power)
    assert 1.0 - error.var() / measured.var() > 0.8
