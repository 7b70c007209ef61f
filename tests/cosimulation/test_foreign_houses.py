"""Houses of which only sizes and powers are known: nobody is accused, and what is broken is found.

Without a plan, by the rules alone: what a room says of its relay does not hang on who decides.
"""

from __future__ import annotations

import pytest

from pems_actors.cosimulation import CoSimulation
from pems_actors.domain.units import HOUR_S
from tests.cosimulation.foreign_flat import START_S, STEP_S, ForeignFlat, flat
from tests.cosimulation.foreign_houses import KINDS, ForeignHouse, configuration

STEPS_PER_DAY = 96
SOME = [  # the others live for a fortnight among the long tests
    pytest.param(name, marks=() if name in {"heavy house", "panel flat"} else pytest.mark.long)
    for name in KINDS
]


def lived(house: CoSimulation, plant: ForeignFlat | ForeignHouse, days: float) -> dict[str, float]:
    """Live for a while; give the hours for which each finding stood."""
    hours: dict[str, float] = {}
    first = round((plant.at_s - START_S) / STEP_S)
    for seq in range(first, first + round(days * STEPS_PER_DAY)):
        plant.live(house.step(plant.observation(seq)))
        for found in house.findings:
            hours[found.path] = hours.get(found.path, 0.0) + STEP_S / HOUR_S
    return hours


def by_rules(name: str) -> tuple[CoSimulation, ForeignFlat | ForeignHouse]:
    if name == "flat":
        return CoSimulation(flat(), planning=False), ForeignFlat()
    kind = KINDS[name]
    return CoSimulation(configuration(kind), planning=False), ForeignHouse(kind)


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", SOME)
def test_no_relay_of_a_house_that_nobody_measured_is_accused(name) -> None:
    hours = lived(*by_rules(name), 2)
    assert not [path for path in hours if path.startswith("relay/")]
    assert sum(hours.values()) <= 2.0  # nor is a thermometer, but for a rare hour


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["flat", *KINDS])
def test_nor_in_a_fortnight_of_winter(name) -> None:
    hours = lived(*by_rules(name), 14)
    assert not [path for path in hours if path.startswith("relay/")]
    assert sum(hours.values()) <= 6.0


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("relay", "stays", "path"),
    [
        ("hall", True, "relay/hall/stuck-on"),
        pytest.param("study", False, "relay/study/stuck-off", marks=pytest.mark.long),
    ],
)
def test_a_floor_that_does_not_obey_is_felt_although_its_contact_says_it_does(
    relay, stays, path
) -> None:
    house, plant = by_rules("floor house")
    assert not lived(house, plant, 3)
    plant.broken[relay] = stays
    assert path in lived(house, plant, 0.5)
