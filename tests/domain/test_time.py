from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.forecasts import resample
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import iso, kwh, seconds, utc

PRAGUE = ZoneInfo("Europe/Prague")


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 6, 1), 96), (date(2026, 10, 25), 100)],
)
def test_a_local_day_has_as_many_quarters_as_the_clock_makes(day: date, quarters: int):
    assert len(TimeGrid.local_day(day, PRAGUE)) == quarters


def test_a_planning_grid_of_48_hours_has_68_slots():
    grid = TimeGrid.planning(seconds("2026-01-15T12:00:00Z"))
    assert len(grid) == 68
    assert grid.end_s - grid.start_s == 48 * 3600


@given(st.floats(1.7e9, 1.8e9))
def test_a_planning_grid_has_its_edges_on_quarters_and_its_coarse_slots_on_full_steps(now_s: float):
    grid = TimeGrid.planning(now_s)
    for start, width in zip(grid.starts_s[1:], grid.durations_s[1:], strict=True):
        assert start % 900.0 == 0.0
        assert start % width == 0.0
    assert 48 * 3600 <= grid.end_s - grid.start_s < 49 * 3600 + 900
    assert len(grid) <= 72


def test_a_grid_needs_rising_edges():
    with pytest.raises(ValueError, match="rising"):
        TimeGrid((0.0, 0.0))
    with pytest.raises(ValueError, match="rising"):
        TimeGrid((0.0,))


def test_a_local_time_is_no_instant():
    with pytest.raises(ValueError, match="no offset"):
        seconds("2026-01-15T12:00:00")
    assert iso(seconds("2026-01-15T13:00:00+01:00")) == "2026-01-15T12:00:00Z"
    assert utc(0.0).year == 1970


def test_energy_is_power_over_time():
    assert kwh(2.0, 1800.0) == 1.0


@given(
    values=st.lists(st.floats(-10, 10), min_size=1, max_size=12),
    cuts=st.lists(st.floats(0.01, 0.99), max_size=5, unique=True),
)
def test_resampling_keeps_the_integral(values: list[float], cuts: list[float]):
    grid = TimeGrid.uniform(0.0, len(values))
    edges = (0.0, *sorted(c * grid.end_s for c in cuts), grid.end_s)
    onto = TimeGrid(edges)
    means = resample(grid, tuple(values), onto)
    total = sum(m * w for m, w in zip(means, onto.durations_s, strict=True))
    assert total == pytest.approx(sum(values) * 900.0, abs=1e-6)


def test_beyond_its_ends_a_series_holds():
    grid = TimeGrid.uniform(0.0, 2)
    assert resample(grid, (1.0, 3.0), TimeGrid((-900.0, 0.0, 1800.0, 2700.0))) == (1.0, 2.0, 3.0)


def test_a_series_must_fit_its_grid():
    with pytest.raises(ValueError, match="do not fit"):
        resample(TimeGrid.uniform(0.0, 2), (1.0,), TimeGrid.uniform(0.0, 1))
