"""Forecasts as they would have been made: nothing measured after noon, a fit a week old at most."""

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.series.baselines import Persistence, PlainBoosted, point
from pems_actors.learning.series.day_ahead import issues, roll, weeks
from tests.learning.histories import ZONE, habits, market, midnight, table


class Witness:
    """A model that writes down what it was shown."""

    name = "witness"
    notes = ()

    def __init__(self):
        self.fits, self.shown = [], []

    def fit(self, history):
        self.fits.append(history.series.last_valid_index())
        return self

    def forecast(self, known, issued_at, hours):
        self.shown.append((issued_at, known.series.last_valid_index(), known.index[-1]))
        return point(hours, np.zeros(len(hours)))


def rolled(model, series, first, last, *, published=False, train_until=None, **columns):
    shown = table(series, **columns)
    todo = list(issues(shown, pd.Timestamp(first), pd.Timestamp(last), published=published))
    return roll(model, shown, todo, train_until or midnight(first))


def test_an_issue_is_at_local_noon_for_the_next_local_day():
    shown = table(habits(40))
    (issue,) = issues(shown, pd.Timestamp("2024-01-10"), pd.Timestamp("2024-01-11"))
    assert issue.at == pd.Timestamp("2024-01-09 12:00", tz=ZONE)
    assert issue.hours[0] == midnight("2024-01-10")
    assert (issue.day_1, len(issue.hours)) == (24, 48)


def test_days_of_23_and_25_hours_are_whole():
    spring = table(habits(10, "2024-03-25"))
    autumn = table(habits(10, "2024-10-21"))
    (short,) = issues(spring, pd.Timestamp("2024-03-31"), pd.Timestamp("2024-04-01"))
    (long,) = issues(autumn, pd.Timestamp("2024-10-27"), pd.Timestamp("2024-10-28"))
    assert (short.day_1, long.day_1) == (23, 25)


def test_nothing_measured_after_noon_is_shown_but_the_weather_is():
    load, witness = habits(40), Witness()
    rolled(witness, load, "2024-01-20", "2024-01-23", temp_c=load * 0.0 + 5.0)
    for issued_at, newest, horizon in witness.shown:
        assert newest == issued_at - pd.Timedelta(hours=1)
        assert horizon == issued_at + pd.Timedelta(hours=59)


def test_published_prices_are_known_to_the_end_of_the_day_of_the_issue():
    witness = Witness()
    rolled(witness, market(40), "2024-01-20", "2024-01-21", published=True)
    ((issued_at, newest, _),) = witness.shown
    assert newest == issued_at + pd.Timedelta(hours=11)


def test_a_model_is_fitted_anew_every_week_on_what_was_known_by_then():
    witness = Witness()
    rolled(witness, habits(60), "2024-01-20", "2024-02-05", train_until=midnight("2024-01-15"))
    assert witness.fits[0] == midnight("2024-01-15") - pd.Timedelta(hours=1)
    assert [fit.tz_convert(ZONE).day for fit in witness.fits[1:]] == [26, 2]
    assert all(fit.tz_convert(ZONE).hour == 11 for fit in witness.fits[1:])


def test_weeks_hold_all_issues_once_and_in_order():
    todo = list(issues(table(habits(40)), pd.Timestamp("2024-01-02"), pd.Timestamp("2024-02-01")))
    parts = list(weeks(todo))
    assert [issue for week in parts for issue in week] == todo
    assert [len(week) for week in parts] == [7, 7, 7, 7, 2]


def test_both_days_are_told_apart():
    told = rolled(Persistence(), habits(40), "2024-01-20", "2024-01-22")
    assert list(told["day"].value_counts().sort_index()) == [48, 48]
    assert {"p10", "p50", "p90", "mean", "issued_at"} <= set(told.columns)


def test_persistence_takes_the_youngest_day_that_was_known():
    load = habits(40)
    told = rolled(Persistence(), load, "2024-01-20", "2024-01-21")
    morning, evening = midnight("2024-01-20"), midnight("2024-01-20") + pd.Timedelta(hours=20)
    first = told[told["day"] == 1]["p50"]
    assert first[morning] == load[morning - pd.Timedelta(days=1)]
    assert first[evening] == load[evening - pd.Timedelta(days=2)]


def test_the_weekly_one_takes_the_same_day_of_the_week_before():
    load = habits(40)
    told = rolled(Persistence("weekly", 7), load, "2024-01-20", "2024-01-21")
    first = told[told["day"] == 1]["p50"]
    np.testing.assert_array_equal(first, load.reindex(first.index - pd.Timedelta(days=7)))


def test_where_nothing_was_known_persistence_goes_back_further_and_ends_with_the_usual():
    load = habits(40)
    load.iloc[24 * 12 :] = np.nan
    told = rolled(Persistence(), load, "2024-01-20", "2024-01-21")
    assert np.isfinite(told["p50"]).all()
    empty = rolled(Persistence(), load * np.nan, "2024-01-20", "2024-01-21")
    assert (empty["p50"] == 0.0).all()


def test_plain_trees_find_habits_and_say_the_mean_without_any():
    load = habits(90, noise=0.02)
    told = rolled(PlainBoosted(), load, "2024-03-01", "2024-03-08")
    first = told[told["day"] == 1]
    assert (first["p50"] - load.reindex(first.index)).abs().mean() < 0.1
    nothing = rolled(PlainBoosted(), load * np.nan, "2024-03-01", "2024-03-02")
    assert (nothing["p50"] == 0.0).all()


@pytest.mark.parametrize("lag", [48, 72])
def test_plain_trees_see_no_lag_that_is_younger_than_the_issue(lag):
    load = habits(90)
    later = load.copy()
    later[load.index >= midnight("2024-03-01") - pd.Timedelta(hours=12)] += 50.0
    one, two = (
        rolled(PlainBoosted(lags_h=(lag,)), series, "2024-03-01", "2024-03-02")
        for series in (load, later)
    )
    np.testing.assert_array_equal(one["p50"], two["p50"])
