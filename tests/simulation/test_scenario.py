"""The world around the house: same seed, same world; nobody knows more than a market tells."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pems_actors.data import spot_prices
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.simulation.calendars import local_midnight, moved_into, seconds_of_year
from pems_actors.simulation.randomness import smooth_noise
from pems_actors.simulation.scenario import Scenario, quarter_grid
from tests.simulation.houses import reference_house, small_house

HOUSE = reference_house()
START = seconds("2022-12-05T00:00:00Z")
WORLD = Scenario.reference(HOUSE, START, 14)
GRID = quarter_grid(START, 14)


def minutes(world, days=1, start_s=START):
    return np.array([world.at(start_s + 60.0 * k) for k in range(int(1440 * days))])


def test_the_same_seed_gives_the_same_minutes_in_any_order():
    again = Scenario.reference(HOUSE, START, 14)
    later = again.at(START + 3 * DAY_S)
    np.testing.assert_array_equal(minutes(again), minutes(WORLD))
    assert later == WORLD.at(START + 3 * DAY_S)
    other = Scenario.reference(HOUSE, START, 14, seed=1)
    assert (minutes(other)[:, 5] != minutes(WORLD)[:, 5]).any()


def test_the_base_load_is_that_of_a_house_without_heating():
    load = np.array(WORLD.actual("base_load_kw", quarter_grid(START, 28)))
    assert 0.3 < load.mean() < 0.5
    assert load.max() > 1.0
    assert load.min() > 0.1
    assert minutes(WORLD, 7)[:, 5].max() > 2.0


def test_the_minutes_of_a_quarter_average_to_the_quarter():
    june = seconds("2023-06-15T00:00:00Z")
    world = Scenario.reference(HOUSE, june, 2)
    seen = minutes(world, 2, june).reshape(192, 15, 6).mean(axis=1)
    grid = quarter_grid(june, 2)
    for column, name in ((1, "ghi_w_m2"), (4, "pv_kw"), (5, "base_load_kw")):
        np.testing.assert_allclose(seen[:, column], world.actual(name, grid), atol=1e-9)
    np.testing.assert_allclose(seen[:, 0], world.actual("outdoor_c", grid), atol=0.2)
    assert minutes(world, 2, june)[:, 4].max() < 14.0


def test_beam_diffuse_and_global_light_agree_over_the_house():
    ghi, dni, dhi = (np.array(WORLD.actual(n, GRID)) for n in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2"))
    assert (ghi <= dni + dhi + 1e-9).all()
    assert (ghi >= dhi - 1e-9).all()
    dark = ghi == 0.0
    assert 0.5 < dark.mean() < 0.75  # December nights
    assert np.array(WORLD.actual("pv_kw", GRID))[dark].max() == 0.0


def test_noon_in_the_house_is_its_own_noon():
    summer = Scenario.reference(HOUSE, seconds("2023-06-01T00:00:00Z"), 28)
    ghi = np.array(summer.actual("ghi_w_m2", quarter_grid(summer.start_s, 28))).reshape(28, 96)
    noon_h = (ghi.mean(axis=0) * (np.arange(96) + 0.5)).sum() / ghi.mean(axis=0).sum() / 4
    assert noon_h == pytest.approx(12.0 - 17.43 / 15.0, abs=0.35)


def test_a_colder_world_is_colder_by_what_was_asked():
    cold = Scenario.reference(HOUSE, START, 14, weather_shift_k=-6.0)
    warm = np.array(WORLD.actual("outdoor_c", GRID))
    np.testing.assert_allclose(np.array(cold.actual("outdoor_c", GRID)), warm - 6.0)


def test_prices_are_the_markets_own_hour_by_hour():
    table = spot_prices()
    first = int((START - table.start_s) // HOUR_S)
    expected = np.repeat(table["price_de_lu_eur_mwh"][first : first + 14 * 24], 4)
    np.testing.assert_allclose(WORLD.traded_eur_mwh(GRID), expected)


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2022-12-06T12:59:00+01:00", "2022-12-07T00:00:00+01:00"),
        ("2022-12-06T13:00:00+01:00", "2022-12-08T00:00:00+01:00"),
        ("2023-03-25T14:00:00+01:00", "2023-03-27T00:00:00+02:00"),
    ],
)
def test_tomorrows_prices_are_known_from_one_in_the_afternoon(local, until):
    now = seconds(local)
    grid = TimeGrid.uniform(now - now % 900.0, 48 * 4)
    spot = WORLD.spot_eur_mwh(grid, now)
    known = [end <= seconds(until) for end in grid.edges_s[1:]]
    assert [price is not None for price in spot] == known
    assert WORLD.published_until_s(now) == seconds(until)


def test_missing_prices_come_from_the_week_before_and_are_told():
    day = seconds("2022-09-03T10:00:00Z")
    grid = TimeGrid((day, day + HOUR_S))
    before = TimeGrid((day - 7 * DAY_S, day - 7 * DAY_S + HOUR_S))
    assert WORLD.traded_eur_mwh(grid) == WORLD.traded_eur_mwh(before)
    assert any("2022-09-03" in note for note in WORLD.notes)
    assert any("composite" in note for note in WORLD.notes)


def test_other_years_meet_the_record_on_the_same_weekday_and_season():
    now = seconds("2027-02-10T12:00:00Z")
    moved = float(moved_into(np.array([now]), *span())[0])
    assert span()[0] <= moved < span()[1]
    assert (now - moved) % (7 * DAY_S) == 0.0
    season = (seconds_of_year(np.array([moved])) - seconds_of_year(np.array([now])))[0] / DAY_S
    assert abs(season) <= 4.0
    with pytest.raises(ValueError, match="60 years"):
        moved_into(np.array([seconds("2190-01-01T00:00:00Z")]), *span())


def span():
    table = spot_prices()
    return table.start_s, table.end_s


def test_a_leap_day_repeats_the_day_before_and_the_year_ends_in_its_last_hour():
    leap = np.array([seconds("2024-02-29T10:00:00Z"), seconds("2024-12-31T23:00:00Z")])
    plain = np.array([seconds("2023-02-28T10:00:00Z"), seconds("2023-12-31T23:00:00Z")])
    np.testing.assert_array_equal(seconds_of_year(leap), seconds_of_year(plain))


def test_local_days_are_found_over_the_change_of_the_clock():
    sunday = seconds("2023-03-26T12:00:00+02:00")
    zone = ZoneInfo("Europe/Prague")
    assert local_midnight(sunday, "Europe/Prague") == datetime(2023, 3, 26, tzinfo=zone).timestamp()
    assert (
        local_midnight(sunday, "Europe/Prague", 1) - local_midnight(sunday, "Europe/Prague")
        == 23 * HOUR_S
    )


def test_forecast_errors_grow_with_the_lead_and_stay_realistic():
    errors = []
    for k in range(60):
        now = START + 6 * HOUR_S * k
        grid = TimeGrid.uniform(now, 49, HOUR_S)
        said = np.array(WORLD.forecast(grid, now).outdoor_c)
        errors.append(said - np.array(WORLD.actual("outdoor_c", grid)))
    spread = np.std(errors, axis=0)
    assert spread[6] == pytest.approx(0.5, abs=0.2)
    assert spread[-1] == pytest.approx(2.0, abs=0.7)
    assert spread[:6].mean() < spread[20:26].mean() < spread[-6:].mean()


def test_a_forecast_is_the_same_until_the_service_issues_a_new_one():
    grid = TimeGrid.planning(START + 3600.0)
    said = WORLD.forecast(grid, START + 3600.0)
    assert said == WORLD.forecast(grid, START + 3600.0)
    assert said.issued_at_s == START
    assert min(said.ghi_w_m2) >= 0.0
    assert len(said.dni_w_m2) == len(grid)


def test_neighbouring_hours_of_a_forecast_err_alike():
    now = START
    grid = TimeGrid.uniform(now, 48, HOUR_S)
    error = np.array(WORLD.forecast(grid, now).outdoor_c) - WORLD.actual("outdoor_c", grid)
    assert np.corrcoef(error[:-1], error[1:])[0, 1] > 0.7


def test_smooth_noise_is_standard_normal_and_continuous():
    at_s = START + 600.0 * np.arange(40_000)
    noise = smooth_noise(3, "x", at_s, 6 * HOUR_S)
    assert noise.std() == pytest.approx(1.0, abs=0.05)
    assert np.abs(np.diff(noise)).max() < 0.4
    np.testing.assert_array_equal(noise[500:600], smooth_noise(3, "x", at_s[500:600], 6 * HOUR_S))


def test_a_small_roof_gives_less_than_a_big_one():
    small = Scenario.reference(small_house(), START, 14)
    assert sum(small.actual("pv_kw", GRID)) < 0.5 * sum(WORLD.actual("pv_kw", GRID))


def test_a_world_that_goes_on_forgets_old_minutes():
    for day in range(20):
        WORLD.at(START + day * DAY_S)
    assert len(WORLD._minutes) <= 8
    assert WORLD.end_s == START + 14 * DAY_S
