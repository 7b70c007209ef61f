"""What a wish for a room costs beside the plan: extra heat, at the plan's own prices. Pure.

The room is led from its planned path to the wish and held there, by no less heat than none and no
more than its relay has left. What the house then still holds more than planned is heat that need
not be bought later. Money only: what warmth is worth to the people is not in it. Right for wishes
that are small beside the house; the next plan arranges all else around them, so it can only come
cheaper.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil

import numpy as np

from pems_actors.domain.house import Emitter
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.physics.house_model import HouseDynamics

AIM_S = {Emitter.FLOOR: 2 * HOUR_S, Emitter.PANEL: QUARTER_S}  # how far ahead heat is led
REACHED_K = 0.2
SETTLED_S = 4 * HOUR_S  # what is left of the heat so long after the end is worth its price


@dataclass(frozen=True, slots=True)
class PricedPath:
    """A room's planned air and what heat in it and power are worth, per slot start.

    heat_kw: what its relay is planned to give it.    blocked: where that may not be more.
    """

    start_s: tuple[float, ...]
    temp_c: tuple[float, ...]
    heat_per_kwh: tuple[float, ...]
    power_per_kwh: tuple[float, ...]
    heat_kw: tuple[float, ...]
    blocked: tuple[bool, ...]

    def at(self, at_s: float) -> int:
        """Find the slot of an instant; beyond the end the last day comes again."""
        beyond_s = at_s - self.start_s[-1] - QUARTER_S
        if beyond_s >= 0.0:
            at_s -= DAY_S * (beyond_s // DAY_S + 1.0)
        return max(bisect_right(self.start_s, at_s) - 1, 0)

    def more_kw(self, at_s: float, power_kw: float) -> tuple[float, float]:
        """How much heat can be added to the plan at an instant: the least, which is less, and most.

        power_kw: what the relay gives the room.
        """
        k = self.at(at_s)
        planned_kw = min(max(self.heat_kw[k], 0.0), power_kw)
        return -planned_kw, 0.0 if self.blocked[k] else power_kw - planned_kw

    def spared_per_kwh(self, at_s: float) -> float:
        """What a kWh that is in the house at an instant spares, over the day from then on.

        No more than the power with which the room is heated then: a room that is short of heat
        prices it above all power, and that is no money.
        """
        days = [at_s + QUARTER_S * k for k in range(round(DAY_S / QUARTER_S))]
        heated = [(self.heat_kw[k], self.power_per_kwh[k]) for k in map(self.at, days)]
        total_kw = sum(kw for kw, _ in heated)
        if total_kw <= 0.0:
            return 0.0
        bought = sum(kw * price for kw, price in heated) / total_kw
        return min(self.heat_per_kwh[self.at(at_s)], bought)


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
        least_kw, most_kw = path.more_kw(at_s, power_kw)
        kwh = min(max(heat_kw, least_kw), most_kw) * QUARTER_S / HOUR_S
        extra_kwh, cost = extra_kwh + kwh, cost + kwh * path.power_per_kwh[path.at(at_s)]
        more = steps.a @ more + steps.heat[:, k] * (kwh * HOUR_S / QUARTER_S)
        if reached_s is None and abs(more[air] - wanted_k) <= REACHED_K:
            reached_s = at_s + QUARTER_S
    short_k = abs(wish_c - path.temp_c[path.at(until_s)] - float(more[air]))
    left_kwh = float(dynamics.capacity_kwh_k @ (dynamics.matrices(SETTLED_S).a @ more))
    cost -= left_kwh * path.spared_per_kwh(until_s + SETTLED_S)
    return WishPrice(cost, extra_kwh, left_kwh, reached_s, short_k if reached_s is None else None)
