"""Rows of the history onto even slots; what is not known stays unknown."""

from __future__ import annotations

from math import isnan

import pytest

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.learning.life.past import gathered, held, on_slots, step_of

HOUR, QUARTER = 3600.0, 900.0
NAN = float("nan")


class Rows(dict[str, list[tuple[float, float]]]):
    """A history in a dictionary."""

    def __call__(self, name: str, start_s: float, end_s: float):
        return [row for row in self.get(name, []) if start_s <= row[0] < end_s]


def test_slots_take_the_mean_of_what_lies_in_them_and_gaps_stay_gaps():
    slots = on_slots([(0.0, 1.0), (450.0, 3.0), (1800.0, 5.0), (-1.0, 9.0)], 0.0, QUARTER, 4)
    assert slots[0] == 2.0
    assert isnan(slots[1])
    assert slots[2] == 5.0
    assert isnan(slots[3])


def test_an_hour_is_carried_over_its_quarters_and_no_further():
    carried = held([1.0, NAN, NAN, NAN, NAN, 2.0], 3)
    assert carried[:4] == [1.0] * 4
    assert isnan(carried[4])
    assert carried[5] == 2.0


def test_prices_are_hourly_unless_their_quarters_differ():
    assert step_of([(k * QUARTER, 5.0 + k // 4) for k in range(12)]) == HOUR
    assert step_of([(k * QUARTER, float(k)) for k in range(12)]) == QUARTER
    assert step_of([]) == HOUR


def test_the_past_is_gathered_with_the_weather_as_it_was_and_will_be():
    rows = Rows({
        "learn.load_kw": [(k * QUARTER, 1.0) for k in range(8)],
        "learn.temp_c": [(0.0, -5.0), (HOUR, -4.0)],
    })  # fmt: skip
    grid = TimeGrid.uniform(2 * HOUR, 2, HOUR)
    ahead = WeatherForecast(0.0, grid, (1.0, 2.0), (3.0,) * 2, (0.0,) * 2, (0.0,) * 2)
    columns = gathered("load", rows, 0.0, 2 * HOUR, 2 * HOUR, ahead)
    assert len(columns) == 16
    assert columns.series["load_kw"][:8] == (1.0,) * 8
    assert all(isnan(value) for value in columns.series["load_kw"][8:])
    assert columns.series["temp_c"] == (-5.0,) * 4 + (-4.0,) * 4 + (1.0,) * 4 + (2.0,) * 4
    assert columns.series["ghi_w_m2"][8:] == (3.0,) * 8


def test_prices_have_no_weather():
    rows = Rows({"learn.price_eur_mwh": [(k * QUARTER, 50.0) for k in range(8)]})
    columns = gathered("price", rows, 0.0, 2 * HOUR)
    assert dict(columns.series) == {"price_eur_mwh": (50.0, 50.0)}


@pytest.mark.parametrize("series", ["load", "pv", "price"])
def test_an_empty_history_is_all_unknown(series):
    columns = gathered(series, Rows(), 0.0, HOUR)
    assert all(isnan(value) for column in columns.series.values() for value in column)
