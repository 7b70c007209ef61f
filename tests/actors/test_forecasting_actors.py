"""The forecasters at their posts: there is always something to tell, whatever their sources do."""

from dataclasses import replace

import pytest

from pems_actors.actors.base import (
    ESTIMATOR,
    GATEWAY,
    GUARD,
    INVERTER,
    LOAD,
    METRICS,
    PLANNER,
    PRICES,
    PV,
    THERMAL,
    WEATHER,
)
from pems_actors.actors.load import LoadActor
from pems_actors.actors.prices import PricesActor
from pems_actors.actors.pv import PvActor
from pems_actors.actors.thermal import ThermalActor
from pems_actors.actors.weather import WeatherActor
from pems_actors.domain.events import (
    FrostOutlook,
    LoadSample,
    Outdoor,
    PvSample,
    Republish,
    StateEstimated,
)
from pems_actors.domain.forecasts import Forecast, LearnedForecast, PriceCurve, WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.plan import HouseState, RoomThermalState
from pems_actors.domain.readings import Quality
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.http_feed import FeedError
from pems_actors.gateways.prices import CachedPrices
from supervision import WorkerDone, WorkerFailed, WorkerSpec
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.skies import Market, Provider, weather

WORKER = WorkerSpec(name="forecasting/trainer", target="tests.actors.solvers:sun_factory")
HEARERS = (GATEWAY, PV, THERMAL, ESTIMATOR, PLANNER)


def weather_stage(provider: Provider) -> Stage:
    return Stage(WEATHER, lambda c, _: WeatherActor(c, HOUSE, provider))


def test_the_weather_is_asked_for_at_once_and_every_half_hour():
    provider = Provider()
    stage = weather_stage(provider)
    stage.run(3600.0)
    assert [s - NOON for s in provider.asked] == [0.0, 1800.0, 3600.0]
    for address in HEARERS:
        assert len(stage.all_heard(address, WeatherForecast)) == 3
    assert stage.last(PLANNER, WeatherForecast).outdoor_c[0] == 1.0
    assert (stage.status.state, stage.status.reason) == ("running", "as forecast")


def test_a_weather_source_that_cannot_be_reached_degrades_but_something_is_told():
    stage = weather_stage(Provider(down=True))
    told = stage.last(PLANNER, WeatherForecast)
    assert told.source == "climatology"
    assert len(told.outdoor_c) == 50
    assert stage.status.reason == "weather source: no route to host"
    assert stage.status.state == "degraded"


def test_the_last_good_issue_outlives_a_silent_source():
    provider = Provider(outdoor_c=4.0)
    stage = weather_stage(provider)
    provider.silent = True
    stage.run(1800.0)
    assert stage.last(PLANNER, WeatherForecast).outdoor_c[0] == 4.0
    assert stage.status.reason == "the provider gave no forecast"
    provider.silent = False
    stage.run(1800.0)
    assert stage.status.state == "running"


def test_nonsense_is_refused_with_its_reason():
    stage = weather_stage(Provider(outdoor_c=45.0))
    assert "not of this place" in stage.status.reason
    assert stage.last(PLANNER, WeatherForecast).outdoor_c[0] < 20.0


def test_the_live_sensor_corrects_the_coming_hours():
    stage = weather_stage(Provider(outdoor_c=0.0))
    for _ in range(120):
        stage.run(60.0)
        stage.tell(Outdoor(4.0, Quality.GOOD, "sensor"))
    stage.tell(Outdoor(40.0, Quality.ESTIMATED, "forecast"))
    stage.tell(Republish())
    assert 2.0 < stage.last(PLANNER, WeatherForecast).outdoor_c[0] < 4.5


def test_a_successor_of_the_weather_keeps_the_last_issue():
    provider = Provider(outdoor_c=4.0)
    stage = weather_stage(provider)
    provider.down = True
    stage.crash()
    assert stage.last(PLANNER, WeatherForecast).outdoor_c[0] == 4.0


def prices_stage(market: Market) -> Stage:
    return Stage(PRICES, lambda c, _: PricesActor(c, market, Tariff()))


def test_the_past_week_is_learned_first_then_only_the_future_is_asked():
    market = Market()
    stage = prices_stage(market)
    stage.run(900.0)
    first, second = market.asked
    assert first.start_s == NOON - 7 * 86400.0
    assert second.start_s == NOON + 900.0
    for address in (PLANNER, INVERTER, METRICS):
        assert stage.all_heard(address, PriceCurve)


def test_what_is_not_published_is_filled_and_told_as_such():
    stage = prices_stage(Market())
    curve = stage.last(PLANNER, PriceCurve)
    assert curve.published_until_s == NOON + 12 * 3600.0
    assert len(curve.import_per_kwh) == 200
    assert curve.export_per_kwh[-1] == pytest.approx(80.0 / 1000.0 * 25.0 - 0.35)
    assert curve.source != "published"


def test_a_price_source_that_cannot_be_reached_degrades_but_a_curve_is_told():
    stage = prices_stage(Market(down=True))
    assert stage.status.reason == "price source: no route to host"
    assert stage.last(PLANNER, PriceCurve).source == "flat"


def test_a_market_that_nobody_reached_yet_is_told_with_the_cause():
    class Unreachable:
        def day(self, day):
            raise FeedError(f"https://market/{day} cannot be read: no network")

    stage = prices_stage(CachedPrices(Unreachable()))
    assert stage.status.state == "degraded"
    assert stage.status.reason.startswith(
        "no price is published for now; a flat 100 EUR/MWh serves (https://market/"
    )


def test_a_market_that_has_told_today_is_well():
    stage = prices_stage(Market())
    assert (stage.status.state, stage.status.reason) == ("running", "as published")


def test_prices_are_told_again_each_hour_and_when_they_are_news():
    market = Market()
    stage = prices_stage(market)
    stage.run(3500.0)
    assert len(stage.all_heard(PLANNER, PriceCurve)) == 1
    stage.run(100.0)
    assert len(stage.all_heard(PLANNER, PriceCurve)) == 2
    market.until_s += 24 * 3600.0
    stage.run(900.0)
    assert len(stage.all_heard(PLANNER, PriceCurve)) == 3


def test_prices_are_told_to_whoever_comes_back():
    stage = prices_stage(Market())
    stage.tell(Republish())
    assert len(stage.all_heard(INVERTER, PriceCurve)) == 2


def test_a_wrong_unit_is_refused():
    market = Market()
    stage = prices_stage(market)
    market.eur_mwh, market.until_s = 80_000.0, NOON + 48 * 3600.0
    stage.run(900.0)
    assert stage.status.state == "degraded"
    assert "refused" in stage.status.reason


def pv_stage(worker: WorkerSpec = WORKER, house: House = HOUSE) -> Stage:
    return Stage(PV, lambda c, _: PvActor(c, house, worker))


def test_pv_asks_its_worker_for_the_physics_of_the_weather():
    stage = pv_stage()
    assert stage.all_heard(WEATHER, Republish)
    stage.tell(Republish())
    assert stage.last(PLANNER, Forecast).source == "prior"
    assert stage.status.state == "degraded"
    stage.tell(weather())
    stage.run(1.0)
    told = stage.last(PLANNER, Forecast)
    assert (told.name, told.source) == ("pv_kw", "physics")
    assert max(told.p50) == pytest.approx(2.0)
    assert stage.status.state == "running"


def test_the_last_good_weather_widens_what_pv_tells_and_what_a_model_says():
    def band(issue, *, learned):
        stage = pv_stage()
        stage.tell(issue)
        stage.run(1.0)
        if learned:
            grid = TimeGrid.uniform(NOON, 96)
            rows = ((1.0,) * 96, (0.8,) * 96, (1.2,) * 96)
            stage.tell(LearnedForecast("ridge.1", Forecast("pv_kw", NOON, grid, *rows)))
        stage.tell(Republish())
        told = stage.last(PLANNER, Forecast)
        return told.p90[8] - told.p10[8]

    for learned in (False, True):
        fresh = band(weather(), learned=learned)
        old = band(replace(weather(), source="last_good"), learned=learned)
        assert old > 1.3 * fresh > 0.0


def test_the_same_issue_is_not_computed_twice():
    stage = pv_stage()
    stage.tell(weather())
    stage.run(1.0)
    stage.tell(weather())
    stage.run(1.0)
    assert stage.system.workers()["forecasting/trainer"].jobs == 1


def test_a_house_without_roofs_gives_nothing_and_asks_no_worker():
    stage = pv_stage(house=replace(HOUSE, roofs=()))
    stage.tell(weather())
    told = stage.last(PLANNER, Forecast)
    assert set(told.p10) == set(told.p50) == set(told.p90) == {0.0}
    assert not stage.system.workers()


def test_an_answer_to_an_old_question_is_not_looked_at():
    stage = pv_stage()
    stage.tell(weather())
    stage.tell(WorkerDone("forecasting/trainer", 3, (9.0,) * 50, 0.1))
    assert stage.state.scaler.physics is None
    stage.tell(WorkerFailed("forecasting/trainer", 3, "crashed", "crash", 0.1))
    assert stage.state.out is not None


def test_physics_that_fail_leave_a_careful_guess_and_are_tried_again():
    stage = pv_stage(WorkerSpec(name="forecasting/trainer", target="tests.actors.solvers:broken"))
    stage.tell(weather())
    stage.run(1.0)
    assert stage.status.reason.startswith("physics: ")
    stage.tell(Republish())
    assert stage.last(PLANNER, Forecast).source == "prior"
    assert stage.state.weather is None  # the next forecast is asked about


def test_a_successor_of_pv_asks_its_open_question_again():
    stage = pv_stage()
    stage.tell(weather())
    stage.crash()
    stage.tell(weather())
    stage.run(1.0)
    assert stage.last(PLANNER, Forecast).source == "physics"


def test_pv_learns_from_the_roof_but_not_from_curtailed_sun():
    stage = pv_stage()
    stage.tell(weather())
    stage.run(1.0)
    for minute in range(31):
        stage.tell(PvSample(NOON + 60.0 * minute, 1.0, curtailed=False))
    stage.tell(PvSample(NOON + 3600.0, 0.1, curtailed=True))  # ends the last free quarter hour
    learned = stage.state.scaler.scale
    for minute in range(61, 91):
        stage.tell(PvSample(NOON + 60.0 * minute, 0.1, curtailed=True))
    assert stage.state.scaler.scale == learned
    stage.run(3600.0)
    assert max(stage.last(PLANNER, Forecast).p50[:4]) < 2.0


def test_pv_is_told_every_quarter_of_an_hour_just_before_the_plan():
    stage = pv_stage()
    stage.tell(weather())
    stage.run(1.0)
    stage.forget()
    stage.run(3600.0)
    times = [at_s % 900.0 for at_s, _ in stage.heard[PLANNER]]
    assert times == [895.0] * 4


def load_stage() -> Stage:
    return Stage(LOAD, lambda c, _: LoadActor(c, "Europe/Prague"))


def test_the_base_load_is_told_at_once_and_before_each_plan():
    stage = load_stage()
    stage.run(1800.0)
    times = [at_s - NOON for at_s, _ in stage.heard[PLANNER]]
    assert times == [0.0, 895.0, 1795.0]
    told = stage.last(PLANNER, Forecast)
    assert (told.name, told.source, len(told.p50)) == ("base_load_kw", "prior", 200)


def test_the_base_load_learns_and_a_successor_remembers():
    stage = load_stage()
    before = stage.last(PLANNER, Forecast).p50[0]
    for minute in range(120):
        stage.tell(LoadSample(NOON + 60.0 * minute, 5.0), LoadSample(NOON + 60.0 * minute, None))
    stage.crash()
    stage.run(7200.0)
    stage.tell(Republish())
    assert stage.last(PLANNER, Forecast).p50[0] > before + 0.5


def test_the_thermal_actor_tells_the_guard_how_cold_it_could_get():
    stage = Stage(THERMAL, lambda c, _: ThermalActor(c, HOUSE))
    rooms = {room.name: RoomThermalState(12.0, 12.0, 12.0) for room in HOUSE.rooms}
    state = HouseState(NOON, rooms, {}, 0.5)
    stage.tell(StateEstimated(state, trusted=True))
    mild = stage.last(GUARD, FrostOutlook).coldest_c
    stage.tell(weather(outdoor_c=-20.0, ghi_w_m2=0.0), StateEstimated(state, trusted=True))
    cold = stage.last(GUARD, FrostOutlook).coldest_c
    assert set(cold) == {"living", "kitchen", "bath"}
    assert all(cold[name] < mild[name] for name in cold)


@pytest.mark.parametrize(
    "stage",
    [
        lambda: weather_stage(Provider()),
        lambda: prices_stage(Market()),
        pv_stage,
        load_stage,
        lambda: Stage(THERMAL, lambda c, _: ThermalActor(c, HOUSE)),
    ],
)
def test_unknown_messages_are_counted(stage):
    made = stage()
    made.tell("what is this?")
    assert made.system.counters()["unexpected"] == 1
