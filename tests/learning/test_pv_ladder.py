"""The ladder of the weather, seen from the PV model: each rung serves, and says which it is."""

import numpy as np
import pandas as pd
import pytest

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.learning.life.columns import table_of
from pems_actors.learning.life.past import gathered
from pems_actors.learning.pv.model import PvModel
from pems_actors.learning.tables.table import Table
from tests.learning.pv_worlds import ROOFS, SITE, world

NOW = pd.Timestamp("2024-05-20 10:00", tz="UTC")
NOW_S = NOW.timestamp()


@pytest.fixture(scope="module")
def history() -> Table:
    return world(50, shade=0.6)


@pytest.fixture(scope="module")
def fitted(history) -> PvModel:
    return PvModel(SITE, ROOFS).fit(history.before(NOW))


def weather(source: str) -> WeatherForecast:
    grid = TimeGrid.uniform(NOW_S, 48, HOUR_S)
    zeros, light = (0.0,) * 48, (400.0,) * 48
    return WeatherForecast(NOW_S, grid, (15.0,) * 48, light, zeros, zeros, source)


def sources(model: PvModel, told: WeatherForecast | None) -> pd.DataFrame:
    columns = gathered("pv", lambda *_: (), NOW_S - DAY_S, NOW_S, 2.0 * DAY_S, told)
    table = table_of(columns, "pv_kw", SITE.timezone)
    hours = pd.date_range(NOW, periods=int(2 * DAY_S / QUARTER_S), freq="15min")
    return model.forecast(table, NOW, hours)


def test_a_providers_weather_is_learned_upon(fitted):
    assert set(sources(fitted, weather("open-meteo"))["source"]) == {"learned", "night"}


def test_the_last_good_issue_still_is_weather(fitted):
    assert set(sources(fitted, weather("last_good"))["source"]) == {"learned", "night"}


def test_climatology_is_no_news_so_that_the_last_days_tell_more_and_the_band_is_wide(fitted):
    told = sources(fitted, weather("climatology"))
    assert set(told["source"]) == {"clear_sky", "night"}
    sure = sources(fitted, weather("open-meteo"))
    assert (told["p90"] - told["p10"]).mean() > 1.2 * (sure["p90"] - sure["p10"]).mean()


def test_without_any_weather_the_share_of_clear_sky_is_that_of_the_last_days(fitted, history):
    told = sources(fitted, None)
    assert set(told["source"]) == {"clear_sky", "night"}
    usual = history.series[history.index >= NOW - pd.Timedelta(days=14)].mean()
    assert told["mean"].mean() == pytest.approx(usual, rel=0.5)


def test_untrained_weather_gives_physics_and_nothing_gives_the_prior(history):
    blank = PvModel(SITE, ROOFS)
    assert set(sources(blank, weather("open-meteo"))["source"]) == {"physics", "night"}
    prior = sources(blank, None)
    assert set(prior["source"]) == {"prior", "night"}
    assert np.isfinite(prior[["p10", "p50", "p90", "mean"]].to_numpy()).all()
