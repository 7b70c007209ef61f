"""The weather ladder always gives a whole forecast, and says from which rung."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, MINUTE_S, seconds
from pems_actors.forecasting.weather import WeatherLadder

SITE = Site(49.95, 14.60)
START_S = seconds("2026-01-14T00:00:00Z")
NOW_S = START_S + 9 * HOUR_S
NEXT = TimeGrid.uniform(NOW_S, 48, 0.5 * HOUR_S)


def issue(
    outdoor_c: float = -5.0, ghi: float = 0.0, start_s: float = START_S, hours: int = 72
) -> WeatherForecast:
    grid = TimeGrid.uniform(start_s, hours, HOUR_S)
    light = tuple(ghi if 9 <= k % 24 <= 13 else 0.0 for k in range(hours))
    return WeatherForecast(start_s, grid, (outdoor_c,) * hours, light, light, light, "open-meteo")


def ladder() -> WeatherLadder:
    return WeatherLadder.of(SITE)


def test_a_good_issue_is_told_with_the_providers_name() -> None:
    told = ladder().accept(issue(ghi=300.0), START_S).forecast(NEXT, NOW_S - 2 * HOUR_S)
    assert told.source == "open-meteo"
    assert set(told.outdoor_c) == {-5.0}
    assert told.ghi_w_m2[0] == 300.0


def test_an_old_issue_still_counts_by_absolute_time() -> None:
    late_s = START_S + 30 * HOUR_S
    told = ladder().accept(issue(), START_S).forecast(TimeGrid.uniform(late_s, 24, HOUR_S), late_s)
    assert told.source == "last_good"
    assert set(told.outdoor_c) == {-5.0}


def test_beyond_the_last_issue_the_climate_takes_over_slot_by_slot() -> None:
    late_s = START_S + 60 * HOUR_S
    told = ladder().accept(issue(), START_S).forecast(TimeGrid.uniform(late_s, 24, HOUR_S), late_s)
    assert told.source == "last_good+climatology"
    assert told.outdoor_c[0] == -5.0
    assert told.outdoor_c[-1] != -5.0


def test_without_any_issue_january_is_cold_and_its_nights_are_dark() -> None:
    told = ladder().forecast(NEXT, NOW_S)
    assert told.source == "climatology"
    assert all(-8.0 < c < 5.0 for c in told.outdoor_c)
    midnight = next(k for k, s in enumerate(NEXT.starts_s) if s == START_S + DAY_S)
    assert told.ghi_w_m2[midnight] == 0.0
    assert max(told.ghi_w_m2) > 50.0


def test_a_cold_spell_is_carried_on_when_the_provider_is_silent() -> None:
    usual = ladder().forecast(NEXT, NOW_S).outdoor_c
    cold = ladder().observe(NOW_S, usual[0] - 10.0).forecast(NEXT, NOW_S).outdoor_c
    assert cold[0] - usual[0] == pytest.approx(-10.0, abs=0.5)
    assert -6.5 < cold[-1] - usual[-1] < -4.0


def test_the_live_sensor_corrects_the_next_hours_and_fades_over_six() -> None:
    after = ladder().accept(issue(), START_S).observe(NOW_S, -2.0)
    told = after.forecast(TimeGrid.uniform(NOW_S, 48, HOUR_S), NOW_S)
    assert told.outdoor_c[0] == pytest.approx(-2.0)
    assert told.outdoor_c[6] == pytest.approx(-5.0 + 3.0 / math.e)
    assert told.outdoor_c[40] == pytest.approx(-5.0, abs=0.01)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -80.0, 70.0])
def test_a_missing_or_absurd_sensor_corrects_nothing(value: float | None) -> None:
    before = ladder().accept(issue(), START_S)
    assert before.observe(NOW_S, value) is before


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(issue(), outdoor_c=(float("nan"), *issue().outdoor_c[1:])), "temperature"),
        (replace(issue(), outdoor_c=issue().outdoor_c[1:]), "do not fit"),
        (replace(issue(), ghi_w_m2=(-9.0, *issue().ghi_w_m2[1:])), "irradiance"),
        (replace(issue(), dni_w_m2=(9999.0, *issue().ghi_w_m2[1:])), "irradiance"),
        (issue(outdoor_c=41.0), "not of this place"),
        (issue(start_s=START_S - 9 * DAY_S), "ends before now"),
        (issue(ghi=400.0, start_s=START_S + 12 * HOUR_S), "sunshine at night"),
    ],
)
def test_a_nonsensical_issue_is_refused_with_its_reason(bad: WeatherForecast, why: str) -> None:
    before = ladder().accept(issue(), START_S)
    after = before.accept(bad, NOW_S)
    assert after.refused is not None
    assert why in after.refused
    assert after.issue is before.issue


def test_a_silent_provider_is_told_and_a_good_issue_clears_it() -> None:
    silent = ladder().accept(None, NOW_S)
    assert silent.refused == "the provider gave no forecast"
    assert silent.accept(issue(), NOW_S).refused is None


def test_an_issue_that_nothing_follows_is_told_by_its_age() -> None:
    told = ladder().accept(issue(), START_S)
    assert told.lacking(START_S + 8 * HOUR_S) == ""
    assert told.lacking(START_S + 20 * HOUR_S) == "the last forecast is 20 h old"


def test_what_the_sensor_has_told_is_kept_until_there_is_a_new_issue() -> None:
    warmer = ladder().accept(issue(), START_S).observe(NOW_S, -1.0)
    assert warmer.accept(issue(), NOW_S).bias == warmer.bias
    newer = issue(start_s=START_S + 6 * HOUR_S)
    assert warmer.accept(newer, NOW_S).bias.bias_k == 0.0


def test_bands_widen_with_lead_time_and_on_a_worse_rung() -> None:
    fresh = ladder().accept(issue(), START_S).outdoor(NEXT, NOW_S - HOUR_S)
    usual = ladder().outdoor(NEXT, NOW_S)

    def widths(
        told_p10: tuple[float, ...] | None, told_p90: tuple[float, ...] | None
    ) -> list[float]:
        assert told_p10 is not None
        assert told_p90 is not None
        return [b - a for a, b in zip(told_p10, told_p90, strict=True)]

    near_to_far = widths(fresh.p10, fresh.p90)
    assert near_to_far == sorted(near_to_far)
    assert near_to_far[0] < near_to_far[-1]
    assert widths(usual.p10, usual.p90)[0] > near_to_far[0]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("sensor"), st.floats(allow_nan=True, allow_infinity=True)),
        st.tuples(st.just("issue"), st.floats(-60.0, 60.0)),
        st.tuples(st.just("broken"), st.floats(allow_nan=True, allow_infinity=True)),
        st.tuples(st.just("silence"), st.just(0.0)),
        st.tuples(st.just("jump"), st.floats(-10 * DAY_S, 10 * DAY_S)),
    ),
    max_size=25,
)


@given(steps)
def test_no_story_of_sensor_and_provider_spoils_a_forecast(story: list[tuple[str, float]]) -> None:
    model, now_s = ladder(), NOW_S
    for kind, value in story:
        now_s += value if kind == "jump" else MINUTE_S
        if kind == "sensor":
            model = model.observe(now_s, value)
        elif kind == "issue":
            model = model.accept(issue(value, 100.0, now_s // DAY_S * DAY_S), now_s)
        elif kind == "broken":
            model = model.accept(replace(issue(), ghi_w_m2=(value,) * 72), now_s)
        elif kind == "silence":
            model = model.accept(None, now_s)
    told = model.forecast(TimeGrid.planning(now_s), now_s)
    assert all(-80.0 < c < 80.0 for c in told.outdoor_c)
    for light in (told.ghi_w_m2, told.dni_w_m2, told.dhi_w_m2):
        assert all(0.0 <= w <= 1500.0 for w in light)
