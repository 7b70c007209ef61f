"""The twin says and hears what any plant would, and a controller can be any function."""

from __future__ import annotations

import json

from pems_actors.cosimulation import CoSimulation, TwinPlant
from pems_actors.cosimulation.observation import KEYS, read_observation

START = "2023-01-16T00:00:00Z"
ROOMS = {"living", "bedroom", "bath"}


def off(seen):
    return {"relays": dict.fromkeys(seen["rooms"], False), "battery_mode": "hold"}


def test_what_the_twin_says_is_a_whole_observation() -> None:
    seen = TwinPlant("house17", START).observation()
    assert set(seen) == set(KEYS)
    read = read_observation(json.loads(json.dumps(seen)), seen["rooms"])
    assert read.prices is not None
    assert read.weather is not None
    assert read.soc_frac == 0.5
    balance_kw = seen["base_load_kw"] - seen["pv_kw"] - seen["grid_kw"]
    assert abs(balance_kw) <= 10.0


def test_rooms_that_nobody_heats_grow_cold_and_warm_again_when_heated() -> None:
    plant = TwinPlant("flat3", START)
    temps = []
    for hour in range(24):
        seen = plant.observation()
        temps.append(seen["rooms"]["living"]["temp_c"])
        commands = off(seen)
        if hour >= 12:
            commands["relays"] = dict.fromkeys(ROOMS, True)
        plant.live(commands, minutes=60.0)
    assert temps[12] < temps[0] - 1.0
    assert temps[-1] > temps[12] + 1.0
    assert plant.seq == 24


def test_equal_twins_live_equal_lives() -> None:
    one, other = TwinPlant("flat3", START, seed=3), TwinPlant("flat3", START, seed=3)
    for plant in (one, other):
        for _ in range(8):
            plant.live(off(plant.observation()))
    assert one.observation() == other.observation()
    assert one.observation() != TwinPlant("flat3", START, seed=4).observation()


def test_by_the_houses_rules_the_twin_stays_warm() -> None:
    plant, house = TwinPlant("flat3", START), CoSimulation("flat3", planning=False)
    for _ in range(96):
        plant.live(house.step(plant.observation()))
    assert plant.figures()["cold_kh"] < 6.0
    assert min(room["temp_c"] for room in plant.observation()["rooms"].values()) > 17.0
