"""The load and price ensembles: honest, frozen, and never without an answer."""

import pickle
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.series.day_ahead import issues
from pems_actors.learning.series.load import LoadModel
from pems_actors.learning.series.price import PriceModel
from tests.learning.histories import habits, hours, market, midnight, table

pytestmark = pytest.mark.timeout(120)  # models are trained here

DAYS = 45


@lru_cache
def load_fitted():
    return LoadModel().fit(table(habits(DAYS)))


@lru_cache
def price_fitted():
    return PriceModel().fit(table(market(DAYS)))


def tomorrow(series, days=2):
    """The hours after a history, with its table made longer for them."""
    longer = series.index[-1] + pd.Timedelta(hours=1)
    ahead = pd.date_range(longer, periods=24 * days, freq="h")
    return table(series.reindex(series.index.append(ahead))), longer, ahead


def asked(model, series):
    known, now, ahead = tomorrow(series)
    return model.forecast(known, now, ahead)


@pytest.mark.slow  # fits the model that others share
def test_a_household_with_habits_is_told_well():
    told, truth = asked(load_fitted(), habits(DAYS)), habits(DAYS + 2).iloc[-48:]
    assert (told["p50"] - truth).abs().mean() < 0.12


def test_bands_never_cross_and_are_finite_and_no_load_is_negative():
    told = asked(load_fitted(), habits(DAYS))
    assert (told["p10"] <= told["p50"]).all()
    assert (told["p50"] <= told["p90"]).all()
    assert np.isfinite(told.to_numpy()).all()
    assert (told["p10"] >= 0.0).all()


def test_learning_leaves_the_recipe_as_it_was():
    recipe = LoadModel()
    recipe.fit(table(habits(22)))
    assert recipe.blend is None
    assert recipe.record is None


def test_a_fitted_model_survives_pickling_and_tells_the_same():
    again = pickle.loads(pickle.dumps(load_fitted()))
    pd.testing.assert_frame_equal(asked(load_fitted(), habits(DAYS)), asked(again, habits(DAYS)))


@pytest.mark.slow
def test_the_same_history_gives_the_same_model():
    one, two = (LoadModel().fit(table(habits(22))) for _ in range(2))
    pd.testing.assert_frame_equal(asked(one, habits(22)), asked(two, habits(22)))


def test_what_is_measured_after_the_issue_changes_nothing():
    load = habits(DAYS + 3)
    noon = midnight("2024-02-12") - pd.Timedelta(hours=12)
    later = load.copy()
    later[load.index >= noon] = 99.0
    todo = list(issues(table(load), pd.Timestamp("2024-02-12"), pd.Timestamp("2024-02-13")))
    told = [load_fitted().forecast_each(table(each), todo)[0] for each in (load, later)]
    pd.testing.assert_frame_equal(*told)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["load", "price"])
def test_forecasts_made_at_once_are_those_made_one_by_one(kind):
    series, model = (
        (habits(100), load_fitted()) if kind == "load" else (market(100), price_fitted())
    )
    shown = table(series)
    first, last = pd.Timestamp("2024-03-30"), pd.Timestamp("2024-03-31")  # over the change
    todo = list(issues(shown, first, last, published=model.published))
    for issue, told in zip(todo, model.forecast_each(shown, todo), strict=True):
        known = shown.as_known(issue.known_until, issue.hours[-1] + shown.step)
        single = model.forecast(known, issue.at, issue.hours)
        pd.testing.assert_frame_equal(told, single, check_freq=False)


@pytest.mark.slow
def test_a_second_fit_goes_on_from_the_record_of_the_first():
    first = LoadModel().fit(table(habits(22)))
    second = first.fit(table(habits(32)))
    assert len(second.record.days) == len(first.record.days) + 10
    assert second.record.days.is_unique


@pytest.mark.slow
def test_published_prices_pass_through_as_they_are():
    prices = market(DAYS)
    known, now, ahead = tomorrow(prices)
    known.frame.loc[ahead[:24], "eur"] = -12.0
    told = price_fitted().forecast(known, now, ahead)
    assert (told[["p10", "p50", "p90"]].iloc[:24] == -12.0).all(axis=None)
    assert (told["p90"] > told["p10"]).iloc[24:].all()


@pytest.mark.slow
def test_negative_prices_are_forecast():
    prices = market(40) - 130.0
    told = asked(PriceModel().fit(table(prices)), prices)
    assert (told["p50"] < 0.0).any()


def test_todays_surprise_goes_on_for_some_hours():
    load = habits(DAYS + 0.5)
    higher = load.copy()
    higher.iloc[-6:] += 1.0
    usual, raised = (asked(load_fitted(), each)["p50"] for each in (load, higher))
    assert (raised - usual).iloc[0] > 0.2
    assert (raised - usual).iloc[0] > (raised - usual).iloc[8] > 0.0


def test_three_days_of_history_get_the_usual_day_and_a_sentence():
    load = habits(3)
    model = LoadModel().fit(table(load))
    assert "the usual day serves" in model.notes[0]
    told = asked(model, load)
    assert np.isfinite(told.to_numpy()).all()
    assert told["p50"].iloc[19] > told["p50"].iloc[3]


def test_no_history_at_all_gets_a_guess_and_a_sentence():
    nothing = habits(3) * np.nan
    model = LoadModel().fit(table(nothing))
    assert "a guess" in model.notes[0]
    told = asked(model, nothing)
    assert (told["p50"] == 0.47).all()
    assert (told["p90"] > told["p50"]).all()


def test_a_recipe_answers_before_it_has_learned_anything():
    assert np.isfinite(asked(LoadModel(), habits(10)).to_numpy()).all()


@pytest.mark.slow
def test_a_history_with_a_hole_of_two_months_is_learned_around_it():
    load = habits(130)
    load.iloc[24 * 40 : 24 * 100] = np.nan
    model = LoadModel().fit(table(load))
    truth = habits(132).iloc[-48:]
    assert (asked(model, load)["p50"] - truth).abs().mean() < 0.15


def test_a_constant_history_is_told_as_it_is():
    load = habits(60) * 0.0 + 0.5
    told = asked(LoadModel().fit(table(load)), load)
    np.testing.assert_allclose(told["p50"], 0.5, atol=1e-6)


@pytest.mark.slow
def test_quarter_hours_are_told_as_quarter_hours():
    load = habits(25).resample("15min").ffill()
    known = table(load)
    ahead = pd.date_range(load.index[-1] + pd.Timedelta("15min"), periods=96, freq="15min")
    longer = table(load.reindex(load.index.append(ahead)))
    told = LoadModel().fit(known).forecast(longer, ahead[0], ahead)
    assert len(told) == 96
    assert told["p50"].iloc[76] > told["p50"].iloc[12]


@pytest.mark.slow
def test_a_house_that_heats_by_weather_is_told_by_weather():
    index = hours(DAYS + 2)
    rng = np.random.default_rng(8)
    cold = np.repeat(rng.normal(0.0, 5.0, DAYS + 2), 24)[: len(index)]
    temp = pd.Series(cold, index)
    load = habits(DAYS + 2) + np.maximum(0.0, 10.0 - temp) * 0.1
    history = table(load.rename("kw").iloc[: 24 * DAYS], temp_c=temp.iloc[: 24 * DAYS])
    model = LoadModel().fit(history)
    known = table(load.rename("kw"), temp_c=temp).as_known(index[24 * DAYS], index[-1])
    told = model.forecast(known, index[24 * DAYS], index[24 * DAYS :])
    assert (told["p50"] - load.iloc[24 * DAYS :]).abs().mean() < 0.2


@pytest.mark.slow
def test_bands_cover_four_fifths_on_days_not_seen():
    load = habits(120, noise=0.3)
    model = LoadModel().fit(table(load.iloc[: 24 * 60]))
    todo = list(issues(table(load), pd.Timestamp("2024-03-02"), pd.Timestamp("2024-04-26")))
    told = pd.concat([each.iloc[:24] for each in model.forecast_each(table(load), todo)])
    truth = load.reindex(told.index)
    assert 0.74 <= ((truth >= told["p10"]) & (truth <= told["p90"])).mean() <= 0.86
