"""A winter in a flat that is not the twin: what it costs and how cold it gets, against its own."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from pems_actors.cosimulation import CoSimulation
from tests.cosimulation.foreign_flat import ForeignFlat, flat, identified, thermostat

STEPS_PER_DAY = 96
CPU_S_PER_DAY = 15.0


@dataclass
class Lived:
    """What came of it."""

    flat: ForeignFlat
    told: str
    cpu_s: float


def ours(days: int, **known: Any) -> Lived:
    """The flat as the appliance has it, step by step; `known` is what it is told of it besides."""
    began_s, plant, told = time.process_time(), ForeignFlat(), []
    house = CoSimulation({**flat(), **known})
    for seq in range(days * STEPS_PER_DAY):
        commands = house.step(plant.observation(seq))
        told.append(json.dumps(commands))
        plant.live(commands)
    house.close()
    return Lived(plant, "\n".join(told), time.process_time() - began_s)


def its_own(days: int, shift_k: float = 0.0) -> ForeignFlat:
    """The flat by its thermostat, which looks every five minutes."""
    plant = ForeignFlat()
    for _ in range(days * 288):
        plant.live(thermostat(plant, shift_k), 300.0)
    return plant


def is_better(lived: Lived, days: int, cold_share: float = 0.6) -> None:
    """Cheaper than the thermostat, and by that share less cold than the same with a higher wish."""
    plain, warmer = its_own(days), its_own(days, 0.4)
    assert lived.flat.settled_cost() < 0.96 * plain.settled_cost()
    assert lived.flat.cold_kh < cold_share * warmer.cold_kh < plain.cold_kh
    assert lived.flat.warmest_c < 24.0
    assert lived.flat.while_blocked == 0
    assert lived.cpu_s < CPU_S_PER_DAY * days


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_winter_day_is_cheaper_and_warmer() -> None:
    guessed = ours(1)
    is_better(guessed, 1, cold_share=0.7)  # one day on a guess scatters; a fortnight has 0.53
    assert "out of service" not in guessed.told


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_winter_day_is_warmer_still_with_an_identified_model() -> None:
    guessed, known = ours(1), ours(1, house_model=identified())
    is_better(known, 1)
    assert known.flat.cold_kh < 0.5 * guessed.flat.cold_kh
    assert "out of service" not in known.told


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fourteen_winter_days_are_cheaper_and_warmer_and_the_same_a_second_time() -> None:
    lived = ours(14)
    is_better(lived, 14)
    assert "out of service" not in lived.told
    assert ours(14).told == lived.told
