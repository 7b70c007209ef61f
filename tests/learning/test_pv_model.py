"""The PV model: from the first day on, from any history, and never from curtailed samples."""

import pickle

import numpy as np
import pandas as pd
import pytest

from pems_actors.domain.house import Roof
from pems_actors.learning.pv.baseline import PhysicsModel
from pems_actors.learning.pv.model import PvModel
from pems_actors.learning.tables.table import Table
from tests.learning.pv_worlds import ROOFS, SITE, STEP, asked, world

DAY = "2024-05-25"


@pytest.fixture(scope="module")
def shaded() -> Table:
    return world(70, shade=0.55)


@pytest.fixture(scope="module")
def fitted(shaded) -> PvModel:
    return PvModel(SITE, ROOFS).fit(shaded.before(pd.Timestamp(DAY, tz="UTC")))


def rmse(told, truth):
    return float(np.sqrt(((told - truth.reindex(told.index)) ** 2).mean()))


def test_the_first_day_is_forecast_by_physics_without_any_history(shaded):
    known, issued, hours = asked(shaded, "2024-04-10")
    bare = known.as_known(known.index[0], hours[-1] + STEP)
    told = PvModel(SITE, ROOFS).forecast(bare, issued, hours)
    assert set(told["source"]) == {"physics", "night"}
    assert rmse(told["mean"], shaded.series) < 0.12 * sum(roof.power_kwp for roof in ROOFS)


def test_learning_beats_fitted_physics_where_a_chimney_casts_its_shade(shaded, fitted):
    known, issued, hours = asked(shaded, DAY)
    physics = PhysicsModel(SITE, ROOFS).fit(shaded.before(pd.Timestamp(DAY, tz="UTC")))
    ours = rmse(fitted.forecast(known, issued, hours)["mean"], shaded.series)
    theirs = rmse(physics.forecast(known, issued, hours)["mean"], shaded.series)
    assert ours < 0.8 * theirs


def test_each_row_takes_the_best_rung_that_its_weather_allows(shaded, fitted):
    known, issued, hours = asked(shaded, DAY)
    frame = known.frame.copy()
    frame.loc[frame.index >= hours[24], "ghi_w_m2"] = np.nan
    told = fitted.forecast(Table(frame, "pv_kw", SITE.timezone), issued, hours)
    assert set(told["source"].iloc[:24]) == {"night", "learned"}
    assert set(told["source"].iloc[24:]) == {"night", "clear_sky"}
    width = (told["p90"] - told["p10"]).groupby(np.arange(48) // 24).sum()
    assert width[1] > 1.3 * width[0]


def test_without_weather_and_without_history_a_cautious_share_of_clear_sky_serves(shaded):
    known, issued, hours = asked(shaded, DAY)
    blank = Table(known.frame[["pv_kw"]] * np.nan, "pv_kw", SITE.timezone)
    told = PvModel(SITE, ROOFS).forecast(blank, issued, hours)
    assert set(told["source"]) == {"prior", "night"}
    assert 0.0 < told["mean"].max() < 0.6 * sum(roof.power_kwp for roof in ROOFS)


def test_three_days_of_history_leave_the_told_roofs_nearly_as_they_were():
    short = world(3, gain=0.9)
    model = PvModel(SITE, ROOFS).fit(short)
    assert model.stacks == {}
    assert any("physics serves alone" in note for note in model.notes)
    for roof, told in zip(model.plant.roofs, ROOFS, strict=True):
        assert abs(roof.tilt_deg - told.tilt_deg) < 8.0
        assert abs(roof.azimuth_deg - told.azimuth_deg) < 12.0


def test_fitted_figures_find_a_wrongly_told_roof():
    south_east = (Roof("roof", 5.0, 30.0, 150.0),)
    history = world(60, roofs=south_east, gain=0.8)
    model = PvModel(SITE, (Roof("roof", 5.0, 40.0, 180.0),)).fit(history)
    roof = model.plant.roofs[0]
    assert roof.azimuth_deg == pytest.approx(150.0, abs=6.0)
    assert roof.tilt_deg == pytest.approx(30.0, abs=6.0)
    assert model.plant.peak == pytest.approx(0.8 * 5.0 * 0.9, rel=0.06)


def test_a_roof_that_nobody_told_is_found():
    model = PvModel(SITE).fit(world(60, roofs=(Roof("roof", 7.0, 30.0, 150.0),), gain=1.0))
    assert model.plant.roofs[0].azimuth_deg == pytest.approx(150.0, abs=8.0)
    assert model.plant.peak == pytest.approx(7.0 * 0.9, rel=0.1)


def test_watts_given_as_kilowatts_are_learned_in_their_own_unit():
    watts = world(40)
    watts = Table(watts.frame.assign(pv_kw=1000.0 * watts.series), "pv_kw", SITE.timezone)
    until = pd.Timestamp("2024-05-05", tz="UTC")
    known, issued, hours = asked(watts, "2024-05-05")
    told = PvModel(SITE, ROOFS).fit(watts.before(until)).forecast(known, issued, hours)
    assert rmse(told["mean"], watts.series) < 0.08 * watts.series.max()


def test_curtailed_days_leave_the_model_unchanged(shaded):
    until = pd.Timestamp("2024-05-01", tz="UTC")
    history = shaded.before(until)
    days = (history.index >= "2024-04-20") & (history.index < "2024-04-24")
    missing = Table(history.frame.assign(pv_kw=history.series.mask(days)), "pv_kw", SITE.timezone)
    choked = history.frame.assign(
        pv_kw=history.series.where(~days, 0.2 * history.series),
        soc_frac=np.where(days, 0.9, 0.5),
        export_allowed=np.where(days, 0.0, 1.0),
    )
    asked_for = asked(shaded, "2024-05-01")
    told = [
        PvModel(SITE, ROOFS).fit(table).forecast(*asked_for)
        for table in (missing, Table(choked, "pv_kw", SITE.timezone))
    ]
    pd.testing.assert_frame_equal(*told)


def test_curtailed_hours_of_today_do_not_correct_the_rest_of_the_day(shaded, fitted):
    issued = pd.Timestamp(f"{DAY} 13:00", tz="UTC")
    hours = pd.date_range(issued, periods=6, freq=STEP)
    known = shaded.as_known(issued, hours[-1] + STEP)
    today = known.index >= issued - pd.Timedelta(hours=6)
    choked = known.frame.assign(
        pv_kw=known.series.where(~today, 0.1 * known.series), curtailed=today.astype(float)
    )
    blind = known.frame.assign(pv_kw=known.series.mask(today))
    told = [
        fitted.forecast(Table(frame, "pv_kw", SITE.timezone), issued, hours)
        for frame in (choked, blind)
    ]
    pd.testing.assert_frame_equal(*told)


@pytest.mark.slow
def test_a_plateau_under_a_bright_sky_is_not_learned_from(shaded, fitted):
    until = pd.Timestamp(DAY, tz="UTC")
    history = shaded.before(until)
    days = np.asarray(history.index >= "2024-05-19")
    capped = Table(
        history.frame.assign(pv_kw=history.series.where(~days, history.series.clip(upper=1.5))),
        "pv_kw",
        SITE.timezone,
    )
    model = PvModel(SITE, ROOFS).fit(capped)
    assert any("steadier than any sky" in note for note in model.notes)
    assert model.plant.peak == pytest.approx(fitted.plant.peak, rel=0.05)


def test_the_inverters_limit_is_found_and_kept():
    history = world(60, gain=1.0, noise=0.0)
    capped = Table(history.frame.assign(pv_kw=history.series.clip(upper=3.5)), "pv_kw", "UTC")
    model = PvModel(SITE, ROOFS).fit(capped)
    assert model.plant.limit == pytest.approx(3.5, rel=0.01)
    assert any("limit of the inverter" in note for note in model.notes)
    known, issued, hours = asked(capped, "2024-05-25")
    assert model.forecast(known, issued, hours)["p90"].max() <= 3.51


def test_a_day_of_snow_is_left_out_and_said():
    history = world(40)
    dead = (history.index >= "2024-04-20") & (history.index < "2024-04-23")
    frame = history.frame.assign(pv_kw=history.series.where(~dead, 0.0))
    model = PvModel(SITE, ROOFS).fit(Table(frame, "pv_kw", SITE.timezone))
    assert any("snow" in note for note in model.notes)


def test_what_today_has_shown_corrects_the_coming_hours_and_fades(shaded, fitted):
    issued = pd.Timestamp(f"{DAY} 11:00", tz="UTC")
    hours = pd.date_range(issued, periods=36, freq=STEP)
    known = shaded.as_known(issued, hours[-1] + STEP)
    weak = known.frame.copy()
    weak.loc[known.index >= issued - pd.Timedelta(hours=5), "pv_kw"] *= 0.4
    usual = fitted.forecast(known, issued, hours)["mean"]
    less = fitted.forecast(Table(weak, "pv_kw", SITE.timezone), issued, hours)["mean"]
    assert less.iloc[0] < 0.85 * usual.iloc[0]
    assert less.iloc[24] > 0.85 * usual.iloc[24]


def test_nothing_younger_than_the_issue_is_used(shaded, fitted):
    known, issued, hours = asked(shaded, DAY)
    leaked = Table(known.frame.assign(pv_kw=known.series.fillna(99.0)), "pv_kw", SITE.timezone)
    pd.testing.assert_frame_equal(
        fitted.forecast(known, issued, hours), fitted.forecast(leaked, issued, hours)
    )


def test_bands_never_cross_and_the_night_is_dark(shaded, fitted):
    told = fitted.forecast(*asked(shaded, DAY))
    assert (told["p10"] <= told["p50"]).all()
    assert (told["p50"] <= told["p90"]).all()
    assert np.isfinite(told[["p10", "p50", "p90", "mean"]].to_numpy()).all()
    night = told[told["source"] == "night"]
    assert len(night) > 8
    assert (night[["p10", "p50", "p90", "mean"]] == 0.0).all(axis=None)


@pytest.mark.long
def test_eight_of_ten_daylight_hours_fall_into_the_band():
    table = world(110, shade=0.7, noise=0.15, seed=5)
    cut = pd.Timestamp("2024-05-31", tz="UTC")
    model = PvModel(SITE, ROOFS).fit(table.before(cut))
    inside = []
    for day in pd.date_range("2024-06-01", periods=40).strftime("%Y-%m-%d"):
        told = model.forecast(*asked(table, day, ahead_h=24))
        told = told[told["source"] == "learned"]
        truth = table.series.reindex(told.index)
        inside += ((truth >= told["p10"]) & (truth <= told["p90"])).tolist()
    assert 0.72 <= np.mean(inside) <= 0.88


def test_bands_follow_how_they_held_since_the_last_fit(shaded, fitted):
    frame = shaded.frame.copy()
    late = frame.index >= pd.Timestamp(DAY, tz="UTC")
    every_other = np.where(frame.index.day_of_year % 2, 0.4, 1.0)
    frame.loc[late, "pv_kw"] *= every_other[late]
    wild = Table(frame, "pv_kw", SITE.timezone)
    usual, wide = (
        fitted.forecast(*asked(table, "2024-06-06"))[["p10", "p90"]].sum().diff().iloc[-1]
        for table in (shaded, wild)
    )
    assert wide > 1.25 * usual


def test_refitting_goes_on_from_the_true_errors_already_made(shaded, fitted):
    week = pd.Timestamp(DAY, tz="UTC") + pd.Timedelta(days=7)
    again = fitted.fit(shaded.before(week))
    assert len(again.stacks["weather"].record) > len(fitted.stacks["weather"].record)
    assert again.stacks["weather"].until > fitted.stacks["weather"].until
    assert fitted.fit(shaded.before(week)).notes == again.notes


def test_a_fitted_model_survives_pickling(shaded, fitted):
    asked_for = asked(shaded, DAY)
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.forecast(*asked_for), fitted.forecast(*asked_for))


def test_quarter_hours_can_be_asked_of_hourly_history(shaded, fitted):
    known, issued, hours = asked(shaded, DAY)
    quarters = pd.date_range(hours[0], periods=192, freq="15min")
    fine = fitted.forecast(known, issued, quarters)
    coarse = fitted.forecast(known, issued, hours)
    assert len(fine) == 192
    assert fine["mean"].mean() == pytest.approx(coarse["mean"].mean(), rel=1e-6)


@pytest.mark.slow
def test_gaps_are_masked_and_never_zero(shaded, fitted):
    until = pd.Timestamp(DAY, tz="UTC")
    history = shaded.before(until)
    rng = np.random.default_rng(3)
    holes = rng.random(len(history.frame)) < 0.3
    gappy = Table(history.frame.assign(pv_kw=history.series.mask(holes)), "pv_kw", SITE.timezone)
    model = PvModel(SITE, ROOFS).fit(gappy)
    assert model.plant.peak == pytest.approx(fitted.plant.peak, rel=0.03)
    asked_for = asked(shaded, DAY)
    gap = (model.forecast(*asked_for)["mean"] - fitted.forecast(*asked_for)["mean"]).abs().max()
    assert gap < 0.1 * fitted.plant.peak


def test_an_all_missing_history_serves_physics_and_says_so(shaded):
    empty = Table(shaded.frame.assign(pv_kw=np.nan), "pv_kw", SITE.timezone)
    model = PvModel(SITE, ROOFS).fit(empty)
    assert any("no history" in note for note in model.notes)
    assert np.isfinite(model.forecast(*asked(empty, DAY))["mean"]).all()


def test_a_fitted_model_that_is_shown_nothing_at_all_still_tells_the_clear_sky_share(fitted):
    issued = pd.Timestamp(f"{DAY} 10:00", tz="UTC")
    nothing = Table(
        pd.DataFrame({"pv_kw": []}, index=pd.DatetimeIndex([], tz="UTC"), dtype=float),
        "pv_kw",
        SITE.timezone,
    )
    told = fitted.forecast(nothing, issued, pd.date_range(issued, periods=96, freq="15min"))
    assert set(told["source"]) == {"clear_sky", "night"}
    assert told["mean"].max() > 0.0


def test_a_model_learned_from_hours_reads_quarter_hours_too(shaded, fitted):
    known, issued, hours = asked(shaded, DAY)
    index = pd.date_range(known.index[0], known.index[-1] + STEP, freq="15min", inclusive="left")
    fine = Table(known.frame.reindex(index, method="ffill"), "pv_kw", SITE.timezone)
    told, same = (fitted.forecast(table, issued, hours)["mean"] for table in (fine, known))
    assert np.allclose(told, same, rtol=0.02, atol=0.02)
