"""A car and a boiler for the houses of stories, drawn from the seed by dice of their own.

So what else a seed tells stays the same: a story with loads is the one without them, and more.
"""

from __future__ import annotations

import random
from dataclasses import replace

from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind
from pems_actors.domain.house import House

FLEXIBLE = "flexible"  # in the place of a house: the shipped ones by turns, with these loads
ONE_PHASE, THREE_PHASES = (1.0, 0.0, 0.0), (1 / 3, 1 / 3, 1 / 3)
CAR_KW, CAR_ONE_PHASE_KW, BOILER_KW = (3.7, 7.4, 11.0), 3.6, 2.0
BY_H, CAR_KWH = (7.0, 12.0, 20.0), (0.0, 10.0, 20.0)


def with_loads(house: House, seed: int) -> House:
    """Put a car and a boiler into a house."""
    dice, single = random.Random(seed), house.limits.phases == 1
    car = FlexibleLoad(
        "car",
        LoadKind.CAR,
        CAR_ONE_PHASE_KW if single else dice.choice(CAR_KW),
        ONE_PHASE if single else THREE_PHASES,
        by_h=dice.choice(BY_H),
        every_day_kwh=dice.choice(CAR_KWH),
    )
    boiler = FlexibleLoad(
        "boiler",
        LoadKind.BOILER,
        BOILER_KW,
        ONE_PHASE,
        tariff_blocked=dice.random() < 0.5,
        every_day_kwh=4.0,
        volume_l=150.0,
    )
    return replace(house, loads=(car, boiler))
