"""The floor: yesterday again and the usual day; there from the first hour on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.series.floor import Persistence, SeasonalMean
from pems_actors.learning.tables.table import Table

START = pd.Timestamp("2023-03-20", tz="UTC")


def table(values, freq: str = "h", timezone: str = "Europe/Prague") -> Table:
    index = pd.date_range(START, periods=len(values), freq=freq)
    return Table(
        pd.DataFrame({"load_kw": np.asarray(values, float)}, index=index), "load_kw", timezone
    )


def ahead(known: Table, hours: int = 48) -> pd.DatetimeIndex:
    return pd.date_range(known.index[-1] + known.step, periods=hours, freq=known.step)


def told(model, known: Table, hours: int = 48) -> pd.DataFrame:
    slots = ahead(known, hours)
    return model.forecast(known, slots[0], slots)


def test_persistence_repeats_the_last_day_that_is_known():
    known = table([float(k % 24) for k in range(72)])
    assert told(Persistence(), known)["p50"].tolist() == [float(k % 24) for k in range(48)]


def test_persistence_looks_further_back_over_a_gap():
    values = [float(k % 24) for k in range(96)]
    values[48:] = [np.nan] * 48
    assert told(Persistence(), table(values), 24)["p50"].tolist() == [float(k) for k in range(24)]


@pytest.mark.parametrize("values", [[], [np.nan] * 30, [2.0]])
def test_persistence_always_has_an_answer(values):
    known = table(values)
    slots = pd.date_range(START + pd.Timedelta(days=3), periods=24, freq="h")
    answer = Persistence().forecast(known, slots[0], slots)
    assert answer["p50"].tolist() == [2.0 if values == [2.0] else 0.0] * 24


def test_the_usual_day_tells_workdays_from_weekends():
    index = pd.date_range(START, periods=24 * 42, freq="h")
    values = np.where(index.tz_convert("Europe/Prague").day_of_week >= 5, 3.0, 1.0)
    known = table(values)
    answer = told(SeasonalMean().fit(known), known, 24 * 7)["p50"]
    local = pd.DatetimeIndex(answer.index).tz_convert("Europe/Prague")
    assert set(answer[local.day_of_week >= 5]) == {3.0}
    assert set(answer[local.day_of_week < 5]) == {1.0}


def test_the_usual_day_follows_local_time_over_the_change_of_clocks():
    index = pd.date_range(START, periods=24 * 6, freq="h")  # summer time begins on the 26th
    values = np.where(index.tz_convert("Europe/Prague").hour == 7, 5.0, 1.0)
    known = table(values)
    answer = told(SeasonalMean().fit(known), known, 48)["p50"]
    breakfast = answer[answer == 5.0].index
    assert [pd.Timestamp(at).tz_convert("Europe/Prague").hour for at in breakfast] == [7, 7]


def test_bands_hold_about_eight_in_ten_and_never_cross():
    rng = np.random.default_rng(1)
    known = table(rng.normal(5.0, 1.0, 24 * 40))
    answer = told(SeasonalMean().fit(known), known, 48)
    assert (answer["p10"] <= answer["p50"]).all()
    assert (answer["p50"] <= answer["p90"]).all()
    truth = rng.normal(5.0, 1.0, 48)
    assert 0.6 <= np.mean((truth >= answer["p10"]) & (truth <= answer["p90"])) <= 0.95


def test_without_anything_learned_yesterday_serves():
    known = table([np.nan] * 48)
    model = SeasonalMean().fit(known)
    assert model.notes == ("nothing is known; the floor serves",)
    assert told(model, table([1.0] * 48))["p50"].tolist() == [1.0] * 48
