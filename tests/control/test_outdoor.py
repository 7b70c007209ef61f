import pytest

from pems_actors.control.outdoor import MONTH_C, OutdoorBelief
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.readings import OutdoorReading, Quality
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import seconds

NOW = seconds("2026-01-15T12:00:00Z")
ZONE = "Europe/Prague"
GRID = TimeGrid.uniform(NOW, 3, 3600.0)
FORECAST = WeatherForecast(NOW, GRID, (-1.0, -2.0, -3.0), (0.0,) * 3, (0.0,) * 3, (0.0,) * 3)


def test_a_fresh_sensor_is_believed():
    belief = OutdoorBelief().heard(OutdoorReading(NOW, -5.0))
    assert belief.at(NOW + 600.0, ZONE).temp_c == -5.0
    assert belief.at(NOW + 600.0, ZONE).quality is Quality.GOOD


def test_then_its_last_value_then_the_forecast_then_the_month():
    belief = OutdoorBelief(forecast=FORECAST).heard(OutdoorReading(NOW - 3600.0, -5.0))
    assert belief.at(NOW, ZONE).quality is Quality.STALE
    assert belief.at(NOW + 7000.0, ZONE).temp_c == -2.0
    assert belief.at(NOW + 7000.0, ZONE).quality is Quality.ESTIMATED
    month = belief.at(NOW + 4 * 3600.0, ZONE)
    assert (month.temp_c, month.quality) == (MONTH_C[0], Quality.MISSING)


@pytest.mark.parametrize("absurd", [None, 99.0, float("nan"), -80.0])
def test_an_absurd_reading_teaches_nothing(absurd):
    assert OutdoorBelief().heard(OutdoorReading(NOW, absurd)) == OutdoorBelief()
    assert OutdoorBelief().heard(None) == OutdoorBelief()
