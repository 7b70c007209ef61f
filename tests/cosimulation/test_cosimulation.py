"""The whole appliance in step with a plant: what it is told, and always the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config import ConfigError, load
from pems_actors.cosimulation import CoSimulation, ObservationError
from pems_actors.domain.units import iso
from tests.cosimulation.foreign_flat import START_S, ForeignFlat, flat

ROOMS = {"living", "bedroom", "bath"}
QUARTER_S = 900.0


def least(seq: int, after_s: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"seq": seq, "time": iso(START_S + after_s), **more}


@pytest.fixture
def house() -> CoSimulation:
    return CoSimulation(flat())


@pytest.fixture
def ruled() -> CoSimulation:
    """A house by its rules alone: it needs no solver, so it is quick."""
    return CoSimulation(flat(), planning=False)


def told_of(house: CoSimulation, steps: int, step_s: float = QUARTER_S) -> list[dict[str, Any]]:
    plant, told = ForeignFlat(), []
    for seq in range(steps):
        told.append(house.step(plant.observation(seq)))
        plant.live(told[-1], step_s)
    return told


def test_the_first_step_is_answered_with_a_plan_for_every_device(house) -> None:
    told = house.step(ForeignFlat().observation(0))
    assert list(told) == [
        "seq", "relays", "battery_mode", "battery_kw", "export_allowed", "levels", "reasons",
    ]  # fmt: skip
    assert told["seq"] == 0
    assert set(told["relays"]) == ROOMS
    assert all(isinstance(on, bool) for on in told["relays"].values())
    assert set(told["levels"]) == {*ROOMS, "battery", "export"}
    assert set(told["levels"].values()) == {0}
    assert all(told["reasons"][name].startswith("plan:") for name in ROOMS)
    assert "plan in force" in told["reasons"]["battery"]
    json.dumps(told, allow_nan=False)


def test_each_quarter_hour_has_its_own_plan_made_within_the_step(house) -> None:
    plant = ForeignFlat()
    for seq in range(4):
        plant.live(house.step(plant.observation(seq)))
        assert house.plan is not None
        assert house.plan.slots[0].start_s == START_S + seq * QUARTER_S


def test_two_houses_that_see_the_same_are_told_the_same_to_the_byte() -> None:
    one, other = (json.dumps(told_of(CoSimulation(flat()), 3)) for _ in range(2))
    assert one == other


def test_a_house_that_says_nothing_but_the_time_is_still_answered(house) -> None:
    told = house.step(least(0))
    assert set(told["relays"]) == ROOMS
    assert told["battery_kw"] is None
    assert told["battery_mode"] == "self_use"
    assert told["reasons"]["weather"] == "the provider gave no forecast"


def test_the_same_seq_again_gives_the_same_answer_whatever_it_says(ruled) -> None:
    first = ruled.step(least(3, outdoor_c=-5.0))
    again = ruled.step(least(3, after_s=60.0, outdoor_c=25.0))
    assert again == first
    again["relays"].clear()  # whoever plays with an answer does not change ours
    assert ruled.step(least(3))["relays"] == first["relays"]


@pytest.mark.parametrize(
    ("seq", "after_s", "words"),
    [
        (4, 900.0, "seq is 4 after 5; it must rise"),
        (6, 0.0, "it must rise with seq"),
        (6, -900.0, "it must rise with seq"),
        (6, 59.0, "make steps of 1 to 15 min"),
        (6, 901.0, "make steps of 1 to 15 min, or begin a new co-simulation"),
    ],
)
def test_what_does_not_follow_is_refused_and_the_next_good_step_goes_on(
    ruled, seq, after_s, words
) -> None:
    ruled.step(least(5))
    with pytest.raises(ObservationError, match=words):
        ruled.step(least(seq, after_s))
    assert ruled.step(least(6, 900.0))["seq"] == 6


def test_steps_may_be_of_any_length_from_one_to_fifteen_minutes(ruled) -> None:
    at_s = 0.0
    for seq, step_s in enumerate((60.0, 900.0, 61.0, 420.0, 600.0, 60.0)):
        assert ruled.step(least(seq, at_s))["seq"] == seq
        at_s += step_s


def test_a_blocked_hour_switches_all_relays_off_and_says_so(ruled) -> None:
    cold = {name: {"temp_c": 15.0, "relay_on": False} for name in ROOMS}
    told = ruled.step(least(0, rooms=cold, outdoor_c=-10.0, hdo_blocked=True))
    assert not any(told["relays"].values())
    assert "blocked" in told["reasons"]["living"]
    told = ruled.step(least(1, 900.0, rooms=cold, outdoor_c=-10.0, hdo_blocked=False))
    assert any(told["relays"].values())


def test_a_room_near_frost_is_heated_at_once(ruled) -> None:
    rooms = {"bath": {"temp_c": 6.0, "relay_on": False}}
    told = ruled.step(least(0, rooms=rooms, outdoor_c=-10.0))
    assert told["relays"]["bath"]
    assert told["reasons"]["bath"].startswith(("frost:", "guard:"))


def test_a_relay_keeps_its_dwell_over_short_steps() -> None:
    """A room that is cold and then hot: the relay stays on for its ten minutes.

    No real room does that, so nobody may look for bad thermometers here.
    """
    ruled = CoSimulation(flat(), planning=False, inspected=False)
    told = []
    for minute in range(16):
        temp_c = 16.0 if minute < 2 else 24.0
        rooms = {n: {"temp_c": temp_c, "relay_on": told[-1] if told else False} for n in ROOMS}
        told.append(
            ruled.step(least(minute, 60.0 * minute, rooms=rooms, outdoor_c=-5.0))["relays"]["bath"]
        )
    assert told[0]
    assert all(told[:10])
    assert not told[-1]


def test_only_floors_rest_after_four_hours_of_heating() -> None:
    """A panel has no surface to be spared: in a cold spell it heats for as long as it must."""
    house = CoSimulation(flat(), planning=False, inspected=False)
    cold, told = _rooms(15.0), []
    for seq in range(24):
        told.append(house.step(least(seq, 900.0 * seq, rooms=cold, outdoor_c=-15.0))["relays"])
        cold = _rooms(15.0, **told[-1])
    assert all(relays["bedroom"] for relays in told)
    assert not all(relays["bath"] for relays in told)


def test_battery_power_is_positive_where_it_feeds_the_house(ruled) -> None:
    told = ruled.step(least(0, pv_kw=0.0, base_load_kw=1.2, soc_frac=0.6, grid_kw=1.2))
    heating_kw = sum({"living": 1.5, "bedroom": 0.8, "bath": 0.5}[n] * on
                     for n, on in told["relays"].items())  # fmt: skip
    assert told["battery_mode"] == "self_use"
    assert told["battery_kw"] == pytest.approx(min(2.5, 1.2 + heating_kw))
    sunny = ruled.step(least(1, 900.0, pv_kw=2.5, base_load_kw=0.2, soc_frac=0.5, grid_kw=-2.0))
    assert sunny["battery_kw"] < 0.0


def test_prices_and_weather_of_the_plant_move_the_plan(house) -> None:
    """With a dear hour ahead the battery is charged; the same house at flat prices leaves it."""

    def mode(dear: float) -> str:
        told = {
            "start": iso(START_S), "step_s": 3600,
            "import_per_kwh": [2.0] * 4 + [dear] * 6 + [2.0] * 14, "export_per_kwh": [0.1] * 24,
        }  # fmt: skip
        seen = {**ForeignFlat(soc_kwh=0.6).observation(0), "prices": told}
        return str(CoSimulation(flat()).step(seen)["battery_mode"])

    assert mode(12.0) == "charge_grid"
    assert mode(2.0) != "charge_grid"


def test_the_house_may_be_a_preset_a_file_data_or_what_was_loaded(tmp_path) -> None:
    file = tmp_path / "flat.json"
    file.write_text(json.dumps(flat()))
    loaded = load("flat3")
    for given in ("flat3", file, str(file), flat(), loaded, loaded.system):
        assert CoSimulation(given, planning=False).rooms == ROOMS


def test_a_house_that_cannot_be_is_refused_with_all_its_problems() -> None:
    broken = flat()
    broken["relays"]["bath"]["power"]["effective_kw"] = -1.0
    broken["battery"]["capacity_kwh"] = "much"
    with pytest.raises(ConfigError) as refused:
        CoSimulation(broken)
    for words in ("the given configuration", "effective_kw is -1.0", 'capacity_kwh is "much"'):
        assert words in str(refused.value)


def test_plain_data_stand_for_themselves_whatever_the_environment_says(monkeypatch) -> None:
    monkeypatch.setenv("PEMS_BATTERY__CAPACITY_KWH", "77")
    assert CoSimulation(flat(), planning=False).house.battery.capacity_kwh == 5.0


@pytest.mark.parametrize("preset", ["house17", "house6-climate", "flat3"])
def test_every_preset_can_be_controlled(preset) -> None:
    house = CoSimulation(preset, planning=False)
    told = house.step(least(0, outdoor_c=-5.0))
    assert set(told["relays"]) == {relay.name for relay in house.house.relays}
    house.close()


def test_flexible_loads_that_no_plant_can_tell_of_are_left_out_and_that_is_said() -> None:
    with_car = flat()
    with_car["loads"] = {"car": {"kind": "car", "power_kw": 3.6, "phase": "L1"}}
    house = CoSimulation(with_car)
    told = house.step(least(0, outdoor_c=-5.0))
    assert told["reasons"]["loads"].startswith("car: not planned")
    assert house.plan.totals.get("loads_kwh", 0.0) == 0.0
    house.close()


def test_a_closed_house_begins_anew(ruled) -> None:
    ruled.step(least(5))
    ruled.close()
    ruled.close()
    assert ruled.step(least(0))["seq"] == 0


def test_a_house_without_a_battery_does_not_miss_its_charge() -> None:
    house = CoSimulation("flat3")
    seen = ForeignFlat().observation(0)
    del seen["soc_frac"]
    told = house.step(seen)
    assert told["levels"]["battery"] == 0
    assert told["battery_mode"] == "self_use"


def test_a_plant_that_does_not_do_as_told_is_told_again_and_not_taken_for_a_person(ruled) -> None:
    cold = {name: {"temp_c": 16.0, "relay_on": False} for name in ROOMS}
    told = [ruled.step(least(k, 300.0 * k, rooms=cold, outdoor_c=-5.0)) for k in range(9)]
    assert all(each["relays"]["bath"] for each in told[:3])
    assert not any("person" in each["reasons"]["bath"] for each in told)


@pytest.mark.parametrize("step_s", [60.0, 300.0, 900.0])
def test_a_plant_that_tells_its_relays_one_step_late_is_heated_all_the_same(ruled, step_s) -> None:
    before = now = dict.fromkeys(ROOMS, False)
    for seq in range(8):
        rooms = {name: {"temp_c": 18.0, "relay_on": before[name]} for name in ROOMS}
        told = ruled.step(least(seq, step_s * seq, rooms=rooms, outdoor_c=-5.0))
        before, now = now, told["relays"]
        assert told["relays"]["bath"]
        assert "person" not in told["reasons"]["bath"]


def test_a_silent_room_among_speaking_ones_is_not_taken_for_cold(ruled) -> None:
    rooms = {"living": {"temp_c": 22.5, "relay_on": False}, "bath": {"temp_c": None}}
    for seq in range(4):
        told = ruled.step(least(seq, 900.0 * seq, rooms=rooms, outdoor_c=15.0))
    assert not told["relays"]["living"]
    assert not told["reasons"]["bath"].startswith("frost:")


def test_what_is_switched_off_makes_room_at_once_for_what_is_switched_on(ruled) -> None:
    """The living room is warm by now: its power goes to a cold one within the same step."""
    seen = _rooms(18.0, living=True)
    seen["living"]["temp_c"] = 20.0
    assert ruled.step(least(0, rooms=seen, outdoor_c=-5.0, grid_kw=1.5))["relays"]["living"]
    seen = _rooms(16.5, living=True)
    seen["living"]["temp_c"] = 22.8
    full_kw = 5.75 - 0.4  # what is left under the breaker is too little for any other relay
    told = ruled.step(least(1, 900.0, rooms=seen, outdoor_c=-5.0, grid_kw=full_kw))
    assert not told["relays"]["living"]
    assert told["relays"]["bedroom"]


def test_without_room_under_the_breaker_a_relay_waits_and_says_so(ruled) -> None:
    told = ruled.step(least(0, rooms=_rooms(16.0), outdoor_c=-5.0, grid_kw=5.6))
    assert not any(told["relays"].values())
    assert {told["reasons"][name] for name in ROOMS} == {"budget: waits for power"}


def _rooms(temp_c: float, **on: bool) -> dict[str, dict[str, Any]]:
    return {name: {"temp_c": temp_c, "relay_on": on.get(name, False)} for name in ROOMS}
