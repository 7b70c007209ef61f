"""Whatever a plant says, it is told a sane command or one sentence, and the next step goes on."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from pems_actors.cosimulation import CoSimulation, ObservationError
from pems_actors.domain.units import iso
from tests.cosimulation.foreign_flat import START_S, ForeignFlat, flat
from tests.cosimulation.foreign_houses import KINDS, ForeignHouse, Guess, Kind, Truth, configuration

QUARTER_S = 900.0
WILD = (None, math.nan, -1e6, -273.0, -1.0, 0.0, 1e-9, 21.5, 300.0, 1e9)
JUNK = (math.inf, "warm", True, [], {}, 10**30)


def is_sane(told: dict[str, Any], house: CoSimulation, seen: dict[str, Any]) -> None:
    """Every relay is told, nothing is NaN, and nothing heats while heating is blocked."""
    json.dumps(told, allow_nan=False)
    assert set(told["relays"]) == {relay.name for relay in house.house.relays}
    assert not (seen.get("hdo_blocked") is True and any(told["relays"].values()))
    battery_kw = told["battery_kw"]
    assert battery_kw is None or abs(battery_kw) <= house.house.battery.max_discharge_kw + 1e-6


def wild(rng: random.Random, seq: int) -> dict[str, Any]:
    """Give an observation in which any value may be missing or beyond all bounds."""
    seen = ForeignFlat(at_s=START_S + seq * QUARTER_S).observation(seq)
    for name in ("outdoor_c", "ghi_w_m2", "pv_kw", "base_load_kw", "grid_kw"):
        if rng.random() < 0.4:
            seen[name] = rng.choice(WILD)
    for room in seen["rooms"].values():
        if rng.random() < 0.4:
            room["temp_c"] = rng.choice(WILD)
        if rng.random() < 0.3:
            room["relay_on"] = rng.choice((None, True, False))
    for name in ("rooms", "soc_frac", "hdo_blocked", "grid_kw", "weather_forecast", "prices"):
        if name in seen and rng.random() < 0.2:
            del seen[name]
    for told in (seen.get("weather_forecast"), seen.get("prices")):
        if told is not None:
            _spoil(rng, told)
    return seen


def _spoil(rng: random.Random, told: dict[str, Any]) -> None:
    for name, values in told.items():
        if isinstance(values, list) and rng.random() < 0.4:
            told[name] = [rng.choice(WILD) if rng.random() < 0.1 else v for v in values]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("planning", "steps"), [(False, 96), (True, 16)])
def test_values_beyond_all_bounds_are_answered_with_sane_commands(planning, steps) -> None:
    rng, house = random.Random(5), CoSimulation(flat(), planning=planning)
    for seq in range(steps):
        seen = wild(rng, seq)
        is_sane(house.step(seen), house, seen)


def test_junk_in_any_place_is_refused_in_a_sentence_and_the_next_step_goes_on() -> None:
    house, plant, seq = CoSimulation(flat(), planning=False), ForeignFlat(), 1
    house.step(plant.observation(0))
    plant.live(house.step(plant.observation(0)))
    for name in ("outdoor_c", "soc_frac", "hdo_blocked", "rooms", "prices", "weather_forecast"):
        for junk in JUNK:
            good = plant.observation(seq)
            refusal = refused(house, {**good, name: junk})
            assert "\n" not in refusal
            told = house.step(good)
            assert told["seq"] == seq
            plant.live(told)
            seq += 1


def refused(house: CoSimulation, seen: dict[str, Any]) -> str:
    """Give the sentence with which an observation is refused; empty if it is not."""
    try:
        house.step(seen)
    except ObservationError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize("price", [-4.0, 0.0, 800.0])
def test_prices_of_any_sign_and_size_make_a_plan(price) -> None:
    """Hourly, and for today only."""
    told = {
        "start": iso(START_S), "step_s": 3600,
        "import_per_kwh": [price] * 23, "export_per_kwh": [price / 2.0] * 23,
    }  # fmt: skip
    house = CoSimulation(flat())
    said = house.step({**ForeignFlat().observation(0), "prices": told})
    is_sane(said, house, {})
    assert set(said["levels"].values()) == {0}
    assert said["export_allowed"] is (price >= 0.0)


@pytest.mark.parametrize("phase_kw", [[3.2], [1.0, 1.0, 1.2], [None, 1.0, 1.0]])
def test_the_meter_may_have_one_phase_or_three(phase_kw) -> None:
    house = CoSimulation(flat(), planning=False)
    seen = {**ForeignFlat().observation(0), "phase_kw": phase_kw}
    is_sane(house.step(seen), house, seen)


def many(rooms: int) -> Kind:
    """So many rooms, alike but for their size."""
    truth = KINDS["floor house"].rooms["study"][1]
    return Kind({
        f"room{k}": (Guess("floor" if k % 2 else "panel", 0.25, 20.0 + k), Truth(*truth))
        for k in range(rooms)
    })  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("rooms", [1, 32])
def test_a_house_has_as_many_rooms_as_it_has(rooms) -> None:
    kind = many(rooms)
    house, plant = CoSimulation(configuration(kind)), ForeignHouse(kind)
    for seq in range(3):
        seen = plant.observation(seq)
        told = house.step(seen)
        is_sane(told, house, seen)
        assert set(told["levels"].values()) == {0}
        plant.live(told)
