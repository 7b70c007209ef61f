"""Stories full of faults with a car and a boiler in the house: no law is broken for them.

Each of these seeds once found something: relays started on the room of a car that was only told to
stop, an excess was left to a load that nobody could reach, a lost order was not said again, a
battery that the house has not was to rest beside the car and was said not to obey, a load that was
held back before it drew gave back nothing, and a relay went off in vain.
"""

import random
from dataclasses import replace

import pytest

from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind
from pems_actors.domain.house import House
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.witness import Witness


def with_loads(house: House, seed: int) -> House:
    dice, single = random.Random(seed), house.limits.phases == 1
    car = FlexibleLoad(
        "car",
        LoadKind.CAR,
        3.6 if single else dice.choice([3.7, 7.4, 11.0]),
        (1.0, 0.0, 0.0) if single else (1 / 3, 1 / 3, 1 / 3),
        by_h=dice.choice([7.0, 12.0, 20.0]),
        every_day_kwh=dice.choice([0.0, 10.0, 20.0]),
    )
    blocked = dice.random() < 0.5
    boiler = FlexibleLoad(
        "boiler",
        LoadKind.BOILER,
        2.0,
        (1.0, 0.0, 0.0),
        tariff_blocked=blocked,
        every_day_kwh=4.0,
        volume_l=150.0,
    )
    return replace(house, loads=(car, boiler))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [77008, 77009, 77022, 77028, 77037, 77051, 77261, 78042, 78083])
def test_a_story_full_of_faults_with_loads_that_can_wait_breaks_no_law(seed):
    plot = plot_of(Tale(seed, "heavy"))
    story = replace(plot.story, house=with_loads(plot.story.house, seed))
    witness = Witness(replace(plot, story=story))
    witness.tell()
    assert witness.violations == ()
