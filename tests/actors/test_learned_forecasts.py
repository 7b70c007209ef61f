"""Forecasters with a trained model at their side: swapped in without a pause, withdrawn at once."""

from __future__ import annotations

import pytest

from pems_actors.actors.base import HISTORY, LEARNER, LOAD, PLANNER, PRICES, PV, Record, Samples
from pems_actors.actors.gateway import GatewayActor
from pems_actors.actors.load import LoadActor
from pems_actors.actors.prices import PricesActor
from pems_actors.actors.pv import PvActor
from pems_actors.actors.weather import WeatherActor
from pems_actors.domain.events import ForecastWanted, LoadSample, PvSample, Republish
from pems_actors.domain.forecasts import Forecast, LearnedForecast, PriceCurve, WeatherForecast
from pems_actors.domain.readings import HouseReading, MeterReading, RoomReading
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.economics.tariff import Tariff
from pems_actors.forecasting.prices import SpotSeries
from supervision import WorkerSpec
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.skies import Market, Provider, weather

SUN = WorkerSpec(name="forecasting/trainer", target="tests.actors.solvers:sun_factory")
CZK_PER_MWH = 25.0 / 1000.0


def told(model: str, value: float, at_s: float = NOON, slots: int = 192) -> LearnedForecast:
    grid = TimeGrid.uniform(at_s - at_s % 900.0, slots)
    flat = (value,) * slots
    return LearnedForecast(model, Forecast(model, at_s, grid, flat, flat, flat))


def load_stage() -> Stage:
    return Stage(LOAD, lambda c, _: LoadActor(c, "Europe/Prague"))


def pv_stage() -> Stage:
    return Stage(PV, lambda c, _: PvActor(c, HOUSE, SUN))


def rows(stage: Stage, series: str) -> list[tuple[float, float]]:
    return [
        (at_s, value)
        for samples in stage.all_heard(HISTORY, Samples)
        for name, at_s, value in samples.rows
        if name == series
    ]


def issued(stage: Stage, name: str) -> list[Record]:
    return [r for r in stage.all_heard(HISTORY, Record) if r.kind == f"issued.{name}"]


def test_a_new_champion_is_swapped_in_without_a_pause():
    stage = load_stage()
    stage.tell(told("ridge.1", 2.0))
    stage.run(1800.0)
    stage.tell(told("trees.4", 3.0, stage.now_s))
    stage.run(1800.0)
    stage.tell(LearnedForecast("", None, "it drifts"))
    stage.run(900.0)
    told_at = [at_s - NOON for at_s, m in stage.heard[PLANNER] if isinstance(m, Forecast)]
    assert told_at == [0.0, 895.0, 1795.0, 2695.0, 3595.0, 4495.0]
    sources = [m.source for m in stage.all_heard(PLANNER, Forecast)]
    assert sources == ["prior", *["learned ridge.1"] * 2, *["learned trees.4"] * 2, "prior"]
    assert stage.status.reason == "prior"


def test_a_crash_of_the_forecaster_keeps_its_champion():
    stage = load_stage()
    stage.tell(told("ridge.1", 2.0))
    stage.crash()
    stage.run(1000.0)
    assert stage.last(PLANNER, Forecast).source == "learned ridge.1"
    assert stage.last(PLANNER, Forecast).p50[0] == 2.0


def test_its_own_forecast_has_nothing_learned_in_it():
    stage = Stage(LOAD, lambda c, _: LoadActor(c, "Europe/Prague"))
    stage.tell(told("ridge.1", 2.0), ForecastWanted(PLANNER))
    assert stage.last(PLANNER, Forecast).source == "prior"


def test_finished_quarter_hours_of_load_are_kept_to_learn_from():
    stage = load_stage()
    for minute in range(31):
        stage.tell(LoadSample(NOON + 60.0 * minute, 1.0 if minute < 15 else 3.0))
    assert rows(stage, "learn.load_kw") == [(NOON, 1.0), (NOON + 900.0, 3.0)]


def reading(at_s: float, *, on: bool, base_kw: float) -> HouseReading:
    """The house as its meter shows it: our own relay on top of what people take."""
    relays = {relay.name: relay for relay in HOUSE.relays}
    rooms = tuple(
        RoomReading(room.name, at_s, 21.0, on if room.name in relays else None)
        for room in HOUSE.rooms
    )
    heat_kw = sum(relay.power_kw for relay in relays.values()) if on else 0.0
    meter = MeterReading(at_s, base_kw + heat_kw, base_kw + heat_kw, None)
    return HouseReading(at_s, rooms, meter=meter)


def load_as_seen(*, toggled: bool) -> Stage:
    """A day of the house through gateway and load actor, heating or not."""
    gateway = Stage("devices/gateway", lambda c, _: GatewayActor(c, HOUSE, Tariff(), 60.0))
    load = load_stage()
    for minute in range(0, 1440, 5):
        at_s, base_kw = NOON + 60.0 * minute, 0.3 + 0.2 * (minute // 240)
        gateway.tell(reading(at_s, on=toggled and minute // 30 % 2 == 1, base_kw=base_kw))
    load.tell(*gateway.all_heard(LOAD, LoadSample))
    return load


def test_toggling_the_heating_leaves_the_base_load_forecast_unchanged():
    calm, toggled = (load_as_seen(toggled=each) for each in (False, True))
    for stage in (calm, toggled):
        stage.tell(Republish())
    p50, p10 = (calm.last(PLANNER, Forecast).p50, calm.last(PLANNER, Forecast).p10)
    assert toggled.last(PLANNER, Forecast).p50 == pytest.approx(p50, abs=1e-9)
    assert toggled.last(PLANNER, Forecast).p10 == pytest.approx(p10, abs=1e-9)
    learned = [value for _, value in rows(calm, "learn.load_kw")]
    assert len(learned) == 95
    assert [value for _, value in rows(toggled, "learn.load_kw")] == pytest.approx(learned)


def test_a_trusted_model_serves_the_sun():
    stage = pv_stage()
    stage.tell(weather())
    stage.run(1.0)
    stage.tell(told("ensemble.2", 1.5), Republish())
    forecast = stage.last(PLANNER, Forecast)
    assert (forecast.source, forecast.p50[0]) == ("learned ensemble.2", 1.5)
    assert stage.status.state == "running"


def test_quarter_hours_with_curtailed_sun_are_not_learned_from():
    stage = pv_stage()
    for minute in range(46):
        curtailed = minute == 20
        stage.tell(PvSample(NOON + 60.0 * minute, 2.0, curtailed=curtailed))
    assert [at_s - NOON for at_s, _ in rows(stage, "learn.pv_kw")] == [0.0, 1800.0]


def prices_stage(market: Market) -> Stage:
    return Stage(PRICES, lambda c, _: PricesActor(c, market, Tariff()))


def test_published_prices_are_never_touched_and_the_tail_is_the_models():
    stage = prices_stage(Market())
    before = stage.last(PLANNER, PriceCurve)
    stage.tell(told("ensemble.1", 200.0, slots=384), Republish())
    after = stage.last(PLANNER, PriceCurve)
    assert after.published_until_s == before.published_until_s
    published = round((before.published_until_s - NOON) / 900.0)
    assert after.export_per_kwh[:published] == before.export_per_kwh[:published]
    assert after.export_per_kwh[-1] - before.export_per_kwh[-1] == pytest.approx(120 * CZK_PER_MWH)
    assert after.source == "learned ensemble.1"


def test_accepted_prices_are_kept_once():
    stage = prices_stage(Market())
    first = rows(stage, "learn.price_eur_mwh")
    assert len(first) == (7 * 24 + 12) * 4
    stage.run(3600.0)
    assert rows(stage, "learn.price_eur_mwh") == first


def test_the_prices_tell_their_own_guess_far_enough_to_be_judged():
    stage = prices_stage(Market())
    stage.tell(ForecastWanted(PLANNER))
    spot = stage.last(PLANNER, SpotSeries)
    assert spot.grid.end_s - spot.published_until_s >= 3 * 86400.0


def weather_stage() -> Stage:
    return Stage("forecasting/weather", lambda c, _: WeatherActor(c, HOUSE, Provider()))


def test_the_weather_is_kept_as_it_was_forecast_for_the_hour():
    stage = weather_stage()
    stage.run(7200.0)
    kept = rows(stage, "learn.temp_c")
    assert {at_s - NOON for at_s, _ in kept} == {0.0, 3600.0, 7200.0}
    stage.tell(ForecastWanted(PLANNER))
    assert stage.last(PLANNER, WeatherForecast).source == "provider"


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("load", load_stage),
        ("pv", pv_stage),
        ("price", lambda: prices_stage(Market())),
        ("weather", weather_stage),
    ],
)  # fmt: skip
def test_every_forecast_is_kept_as_issued_four_times_a_day(name, stage):
    made = stage()
    made.run(86400.0 - 60.0)
    kept = issued(made, name)
    assert 4 <= len(kept) <= 5
    body = kept[-1].body
    assert {"issued_at_s", "source", "start_s", "step_s"} <= set(body)
    assert len(body["temp_c" if name == "weather" else "p50"]) >= 50


def test_learner_is_not_needed_by_anybody():
    stage = load_stage()
    stage.run(3600.0)
    assert LEARNER not in stage.heard
    assert stage.system.counters().get("dead_letters", 0) == 0
