"""What every predictor promises, whatever it predicts."""

from __future__ import annotations

from datetime import date
from math import isfinite
from zoneinfo import ZoneInfo

import pytest

from pems_actors.domain.house import Roof, Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.forecasting.base_load import BaseLoad
from pems_actors.forecasting.predictor import Predictor
from pems_actors.forecasting.pv import PvScaler

ZONE = ZoneInfo("Europe/Prague")
ROOFS = (Roof("terrace", 7.0, 35.0, 226.0),)
PREDICTORS: dict[str, Predictor] = {
    "base_load_kw": BaseLoad.prior("Europe/Prague"),
    "pv_kw": PvScaler.of(Site(49.95, 14.60), ROOFS),
}


@pytest.mark.parametrize("name", PREDICTORS)
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 6, 21), date(2026, 10, 25)])
def test_a_whole_local_day_is_forecast_before_anything_was_learned(name: str, day: date) -> None:
    grid = TimeGrid.local_day(day, ZONE)
    told = PREDICTORS[name].forecast(grid, grid.start_s)
    assert (told.name, told.grid, told.issued_at_s) == (name, grid, grid.start_s)
    assert told.source == "prior"
    for values in (told.p10, told.p50, told.p90):
        assert values is not None
        assert len(values) == len(grid)
        assert all(isfinite(value) and value >= 0.0 for value in values)


@pytest.mark.parametrize("name", PREDICTORS)
def test_the_planners_uneven_grid_gets_a_value_per_slot(name: str) -> None:
    grid = TimeGrid.planning(1_768_478_000.0)
    assert len(PREDICTORS[name].forecast(grid, grid.start_s).p50) == len(grid)
