"""Doors that misbehave while they are told to, and only then."""

from math import isnan

import pytest

from pems_actors.domain.commands import SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import seconds
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.troubled_doors import (
    ABSURD_C,
    ABSURD_FACTOR,
    ABSURD_SHIFT_K,
    TroubledHouse,
    TroubledMarket,
    TroubledStore,
    TroubledWeather,
)
from pems_actors.simulation.troubles import Trouble, Troubles
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin
from pems_actors.simulation.twin_house import TwinHouse
from tests.simulation.houses import small_house

START = seconds("2023-01-16T11:00:00Z")
HOUSE = small_house()
GRID = TimeGrid.uniform(START, 8)


class Link:
    """A twin behind a bad link, and what comes through it."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.troubles, self.ahead_s = Troubles(), ahead_s
        scenario = Scenario.reference(HOUSE, START, 1.0)
        truth = true_model(HOUSE.model, 1)
        self.twin = Twin(HOUSE, truth, scenario, lambda _: False, START)
        self.port = TroubledHouse(TwinHouse(self.twin), self.troubles, lambda: self.ahead_s)
        self.heard, self.commands = [], []
        self.port.subscribe(self.heard.append)
        self.port.on_command = lambda command, reached: self.commands.append((command, reached))

    def reading_with(self, trouble: Trouble, target: str = "house"):
        self.troubles.begin(trouble, target)
        self.port.advance_to(self.twin.at_s + 60.0)
        self.troubles.end(trouble, target)
        return self.heard[-1]


def order(at_s: float = START) -> SetHeating:
    return SetHeating("bath", True, "rules: cold", Level.RULES, at_s, at_s + 900.0)


def test_a_sound_link_lets_everything_through():
    link = Link()
    link.port.apply(order())
    link.port.advance_to(START + 60.0)
    assert link.commands == [(order(), True)]
    assert link.heard[-1] == link.twin.reading()
    assert link.twin.relays.commands == 1


def test_a_silent_house_is_not_heard_and_lives_on():
    link = Link()
    link.troubles.begin(Trouble.HOUSE_SILENT, "house")
    link.port.advance_to(START + 60.0)
    assert not link.heard
    assert link.twin.at_s == START + 60.0


def test_a_deaf_house_obeys_nothing_and_a_silent_inverter_only_its_relays():
    link = Link()
    link.troubles.begin(Trouble.INVERTER_SILENT, "inverter")
    mode = SetBatteryMode(BatteryMode.HOLD, "plan", Level.PLAN, START, START + 900.0)
    for command in (order(), mode, SetExport(False, "price", Level.RULES, START, START + 900.0)):
        link.port.apply(command)
    link.troubles.begin(Trouble.HOUSE_DEAF, "house")
    link.port.apply(order())
    assert [reached for _, reached in link.commands] == [True, False, False, False]


def test_what_a_broken_sensor_meter_or_contact_says():
    link = Link()
    nan_room = link.reading_with(Trouble.SENSOR_NAN, "rooms/bath").rooms[0]
    assert isnan(nan_room.temp_c)
    absurd = link.reading_with(Trouble.SENSOR_ABSURD, "rooms/bath")
    assert [room.temp_c == ABSURD_C for room in absurd.rooms] == [True, False]
    assert isnan(link.reading_with(Trouble.METER_NAN).meter.grid_kw)
    assert link.reading_with(Trouble.SOC_LOST).battery.soc_frac is None
    assert link.reading_with(Trouble.INVERTER_SILENT).inverter is None
    assert link.reading_with(Trouble.HDO_LOST).heating_blocked is None


def test_a_core_whose_clock_is_wrong_stamps_what_it_hears_and_means_its_own_time():
    link = Link(ahead_s=3600.0)
    link.port.advance_to(START + 60.0)
    reading = link.heard[-1]
    assert reading.at_s == reading.rooms[0].at_s == reading.meter.at_s == START + 3660.0
    link.port.apply(order(START + 3600.0))
    assert link.commands == [(order(START), True)]


def test_a_market_can_be_down_empty_stale_or_wrong():
    troubles = Troubles()
    market = TroubledMarket(Scenario.reference(HOUSE, START, 2.0), troubles)
    sound = market.spot_eur_mwh(GRID, START)

    def asked(trouble: Trouble):
        troubles.begin(trouble, "prices")
        try:
            return market.spot_eur_mwh(GRID, START)
        finally:
            troubles.end(trouble, "prices")

    with pytest.raises(OSError, match="market"):
        asked(Trouble.PRICES_DOWN)
    assert set(asked(Trouble.PRICES_MISSING)) == {None}
    assert all(map(isnan, asked(Trouble.PRICES_NAN)))
    assert asked(Trouble.PRICES_ABSURD)[0] == sound[0] * ABSURD_FACTOR
    assert market.spot_eur_mwh(GRID, START) == sound


def test_a_stale_market_publishes_nothing_new():
    troubles = Troubles()
    market = TroubledMarket(Scenario.reference(HOUSE, START, 2.0), troubles)
    day_after = TimeGrid.uniform(START + 86400.0, 4)
    assert set(market.spot_eur_mwh(day_after, START)) == {None}
    troubles.begin(Trouble.PRICES_STALE, "prices")
    assert set(market.spot_eur_mwh(day_after, START + 7200.0)) == {None}
    troubles.end(Trouble.PRICES_STALE, "prices")
    assert None not in market.spot_eur_mwh(day_after, START + 7200.0)


def test_a_weather_service_can_be_down_empty_stale_or_wrong():
    troubles = Troubles()
    service = TroubledWeather(Scenario.reference(HOUSE, START, 1.0), troubles)
    sound = service.forecast(GRID, START)

    def asked(trouble: Trouble, now_s: float = START):
        troubles.begin(trouble, "weather")
        try:
            return service.forecast(GRID, now_s)
        finally:
            troubles.end(trouble, "weather")

    with pytest.raises(OSError, match="weather"):
        asked(Trouble.WEATHER_DOWN)
    assert asked(Trouble.WEATHER_MISSING) is None
    assert asked(Trouble.WEATHER_STALE, START + 40000.0) is sound
    assert all(map(isnan, asked(Trouble.WEATHER_NAN).outdoor_c))
    assert asked(Trouble.WEATHER_ABSURD).outdoor_c[0] == sound.outdoor_c[0] + ABSURD_SHIFT_K


def test_a_store_that_refuses_acknowledges_nothing_and_loses_nothing():
    troubles = Troubles()
    store = TroubledStore(MemoryHistory(), troubles)
    store.record("decision", START, "{}")
    troubles.begin(Trouble.STORE_REFUSES, "store")
    with pytest.raises(OSError, match="space"):
        store.record("decision", START + 1.0, "{}")
    with pytest.raises(OSError, match="space"):
        store.append([("a", START, 1.0)])
    assert len(store.acknowledged) == len(store.records("decision", 0.0, START + 9.0)) == 1


def test_the_same_trouble_begun_twice_ends_with_the_last():
    troubles = Troubles()
    for _ in range(2):
        troubles.begin(Trouble.BROKER_DOWN, "broker")
    troubles.end(Trouble.BROKER_DOWN, "broker")
    assert troubles.on(Trouble.BROKER_DOWN)
    troubles.end(Trouble.BROKER_DOWN, "broker")
    assert not troubles.on(Trouble.BROKER_DOWN)
    assert not troubles
