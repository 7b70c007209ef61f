"""What a wish for a room costs beside the plan: extra heat, at the plan's own prices. Pure.

The room is led from its planned path to the wish and held there; what the house then still holds
more than planned is worth its price of heat. Right for wishes that are small beside the house; the
next plan arranges all else around them, so it can only come cheaper.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil

import numpy as np

from pems_actors.domain.house import Emitter
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.physics.house_model import HouseDynamics

AIM_S = {Emitter.FLOOR: 2 * HOUR_S, Emitter.PANEL: QUARTER_S}  # how far ahead heat is led
REACHED_K = 0.2
SETTLED_S = 4 * HOUR_S  # what is left of the heat so long after the end is worth its price


@dataclass(frozen=True, slots=True)
class PricedPath:
    """A room's planned air and what heat in it and power are worth, per slot start."""

    start_s: tuple[float, ...]
    temp_c: tuple[float, ...]
    heat_per_kwh: tuple[float, ...]
    power_per_kwh: tuple[float, ...]

    def at(self, at_s: float) -> int:
        """Find the slot of an instant; beyond its ends the ends hold."""
        return min(max(bisect_right(self.start_s, at_s) - 1, 0), len(self.start_s) - 1)


@dataclass(frozen=True, slots=True)
class WishPrice:
    """What a wish costs. `short_k`: how far the room stays from it at its end; None: not at all.

    `cost` counts what is left of the heat as worth something; negative: the wish saves money.
    """

    cost: float
    extra_kwh: float
    left_kwh: float
    reached_s: float | None
    short_k: float | None


def price_of_wish(
    dynamics: HouseDynamics,
    room: str,
    power_kw: float,
    path: PricedPath,
    wish_c: float,
    now_s: float,
    until_s: float,
) -> WishPrice:
    """Price a wish from now until a time, in whole quarter hours.

    Args:
        dynamics: the house.    room, power_kw: whose wish, and what its relay gives it.
        path: where the plan leads the room.    wish_c: wanted air.
    Raises: ValueError if nothing heats the room.
    """
    if power_kw <= 0.0:
        raise ValueError(f"nothing heats {room} by itself, so the wish has no price")
    steps, k = dynamics.matrices(QUARTER_S), dynamics.index[room]
    air = dynamics.rooms + k
    aim = dynamics.matrices(AIM_S[dynamics.model.rooms[k].emitter])
    more = np.zeros(3 * dynamics.rooms)  # than the plan has, in every mass [K]
    cost = extra_kwh = 0.0
    reached_s = None
    for quarter in range(max(1, ceil((until_s - now_s) / QUARTER_S))):
        at_s = now_s + quarter * QUARTER_S
        wanted_k = wish_c - path.temp_c[path.at(at_s)]
        heat_kw = (wanted_k - float(aim.a[air] @ more)) / float(aim.heat[air, k])
        kwh = min(max(heat_kw, -power_kw), power_kw) * QUARTER_S / HOUR_S
        extra_kwh, cost = extra_kwh + kwh, cost + kwh * path.power_per_kwh[path.at(at_s)]
        more = steps.a @ more + steps.heat[:, k] * (kwh * HOUR_S / QUARTER_S)
        if reached_s is None and abs(more[air] - wanted_k) <= REACHED_K:
            reached_s = at_s + QUARTER_S
    short_k = abs(wish_c - path.temp_c[path.at(until_s)] - float(more[air]))
    left_kwh = float(dynamics.capacity_kwh_k @ (dynamics.matrices(SETTLED_S).a @ more))
    cost -= left_kwh * path.heat_per_kwh[path.at(until_s + SETTLED_S)]
    return WishPrice(cost, extra_kwh, left_kwh, reached_s, short_k if reached_s is None else None)
