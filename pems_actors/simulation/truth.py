"""The house as it really is: what is believed of it, wrong by a seeded tenth to a quarter.

A planner that only ever meets its own model proves nothing. Errors come as they do in houses: a
room's size was guessed (all its masses and inner conductances together), its insulation, its heavy
walls, its windows and its inhabitants. So a floor stays a floor: it answers after hours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pems_actors.domain.house import HouseModel, RoomModel
from pems_actors.physics.house_model import SURFACE_FRAC
from pems_actors.simulation.randomness import generator

SPREAD = (0.10, 0.25)
_SIZE = (
    "c_screed_kwh_k",
    "c_air_kwh_k",
    "g_screed_air_kw_k",
    "g_air_structure_kw_k",
)
_ENVELOPE = ("g_air_outdoor_kw_k", "g_structure_outdoor_kw_k")
_ALONE = ("c_structure_kwh_k", "solar_m2", "internal_kw")


def true_model(believed: HouseModel, seed: int, spread: tuple[float, float] = SPREAD) -> HouseModel:
    """Make a house that differs from the believed one in every parameter.

    Args:
        believed: the planner's model.    seed: which truth.
        spread: smallest and largest share by which each parameter is too small or too large.
    """
    random = generator(seed, "truth", 0)
    rooms = tuple(_true_room(room, random, spread) for room in believed.rooms)
    factors = _factors(random, spread, len(believed.links))
    links = tuple(
        (one, other, conductance * factor)
        for (one, other, conductance), factor in zip(believed.links, factors, strict=True)
    )
    return HouseModel(rooms, links)


def surface_frac(room: RoomModel, believed: RoomModel) -> float:
    """Tell what share of the drop from a room's screed to its air lies above the floor's surface.

    Heat leaves a surface through its film, which the heated area alone decides, and that is known
    from the mat's data sheet. What was guessed wrongly lies underneath.
    """
    return SURFACE_FRAC * room.g_screed_air_kw_k / believed.g_screed_air_kw_k


def _true_room(
    room: RoomModel, random: np.random.Generator, spread: tuple[float, float]
) -> RoomModel:
    size, envelope, *alone = _factors(random, spread, 2 + len(_ALONE))
    factors = (
        dict.fromkeys(_SIZE, size)
        | dict.fromkeys(_ENVELOPE, envelope)
        | dict(zip(_ALONE, alone, strict=True))
    )
    return replace(room, **{name: getattr(room, name) * f for name, f in factors.items()})


def _factors(random: np.random.Generator, spread: tuple[float, float], count: int) -> list[float]:
    share = random.uniform(*spread, count) * random.choice((-1.0, 1.0), count)
    return [float(factor) for factor in 1.0 + share]
