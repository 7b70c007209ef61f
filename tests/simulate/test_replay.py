"""A recorded day through the same actors: the same decisions, and what a fault changes in them."""

from functools import cache

import pytest

from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.simulate import Simulation
from pems_actors.simulate.replay import Agreement, Modes, Replay
from pems_actors.simulate.story import Story
from pems_actors.simulation.device_faults import DeviceFault, FaultKind
from pems_actors.simulation.recorded_house import RecordedHouse
from pems_actors.simulation.scenario import Scenario
from tests.scenarios.stories import NOON, replace, rules_only

HOURS = 8.0


@cache
def recorded() -> tuple[Story, MemoryHistory]:
    """Some hours of a flat on its rules, with all that its history kept of them."""
    tale = rules_only(HOURS / 24.0, preset="flat3", seed=6, weather_shift_k=-6.0)
    simulation = Simulation(tale)
    simulation.run()
    return tale, simulation.store.store


def replayed(faults: str = "none", **changes) -> Replay:
    tale, history = recorded()
    tale = replace(tale, faults=faults, **changes)
    scenario = Scenario.reference(tale.house, tale.start_s, tale.days)
    return Replay(tale, history, scenario, scenario)


def test_most_decisions_of_a_replay_are_those_of_the_record():
    figures = replayed().run()
    assert figures["relays_equal_frac"] > 0.8
    assert figures["battery_equal_frac"] == 1.0
    assert figures["compared"] > 3 * 60 * (HOURS - 1.0)
    assert figures["least_alike_frac"] <= figures["relays_equal_frac"]


def test_a_replay_is_the_same_every_time():
    one, two = (replayed().run() for _ in range(2))
    assert {**one, "wall_s": 0} == {**two, "wall_s": 0}


def test_a_fault_in_a_replay_is_counted_and_survived():
    figures = replayed("crash@rooms/bath:7200/0,house-silent@house:10800/1800").run()
    assert figures["faults"] == 2
    assert figures["restarts"] == 1


def test_a_recorded_device_cannot_be_broken():
    with pytest.raises(ValueError, match="break actors, links and feeds"):
        replayed("sensor-stale@rooms/bath:3600/600").run()


def test_a_span_without_records_is_refused_with_the_days_that_there_are():
    with pytest.raises(ValueError, match="has something from 2023-01-16 to 2023-01-17"):
        replayed(start_s=NOON + 30.0 * DAY_S)


def test_a_history_of_another_house_is_refused():
    tale, _ = recorded()
    with pytest.raises(ValueError, match="knows no room of this house"):
        RecordedHouse(tale.house, MemoryHistory(), NOON, NOON + HOUR_S)


def test_a_record_with_a_gap_is_decided_through_and_the_gap_is_told():
    figures = replayed(days=2.0 * HOURS / 24.0).run()
    assert figures["recorded_frac"] == pytest.approx(0.5, abs=0.02)
    assert replayed().run()["recorded_frac"] > 0.99


def test_the_pictures_are_those_that_were_stored():
    tale, history = recorded()
    house = RecordedHouse(tale.house, history, NOON, NOON + HOURS * HOUR_S)
    house.step_to(NOON + 2.0 * HOUR_S)
    reading = house.reading()
    stored = dict(history.range("temp_c.bath", house.at_s, house.at_s + 1.0))
    bath = next(room for room in reading.rooms if room.room == "bath")
    offset_k = next(room.sensor_offset_k for room in tale.house.rooms if room.name == "bath")
    assert bath.temp_c == pytest.approx(stored[house.at_s] - offset_k)
    assert reading.heating_blocked is None
    with pytest.raises(ValueError, match="cannot be broken"):
        house.fault("rooms/bath", DeviceFault(FaultKind.SENSOR_STUCK))


def test_old_rows_are_unknown_and_orders_move_the_meter():
    tale, _ = recorded()
    history = MemoryHistory()
    history.append([("temp_c.bath", NOON, 21.0), ("grid_kw", NOON, 1.0), ("relay.bath", NOON, 0.0)])
    house = RecordedHouse(tale.house, history, NOON, NOON + HOUR_S)
    house.ordered["bath"] = True
    power_kw = next(relay.power_kw for relay in tale.house.relays if relay.name == "bath")
    assert house.reading().meter.grid_kw == 1.0 + power_kw
    house.step_to(NOON + 600.0)
    assert house.reading().meter is None
    assert {room.temp_c for room in house.reading().rooms} == {None}


def test_battery_modes_are_read_from_the_stored_decisions():
    _, history = recorded()
    modes = Modes.read(history, NOON, NOON + HOURS * HOUR_S)
    assert modes.at(NOON - 1.0) is None
    assert modes.at(NOON + HOUR_S) == "self_use"


def test_nothing_compared_is_no_share():
    assert Agreement().share is None
    assert Agreement(4, 3).share == 0.75
