"""What the house's power costs in the near slots, cheapest source first.

Sun that would be thrown away, sold or stored, the battery, the grid: each gives so much in a slot
at its price, the battery at what its charge is worth later. So a relay that goes on pays what it
really takes, where one price per slot would promise it the sun twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed

_ENDLESS_KW = 1e3


@dataclass(frozen=True, slots=True)
class Supply:
    """Sources of every near slot by rising price: where each begins [kW of heating], how much.

    Arrays are (sources, slots); `price` is per kW held for the slot.
    """

    first_kw: Array
    width_kw: Array
    price: Array

    def cost(self, heat_kw: Array) -> Array:
        """Price heating powers (..., slots), slot by slot, up to a constant per slot."""
        used = np.clip(heat_kw[..., None, :] - self.first_kw, 0.0, self.width_kw)
        return np.asarray((used * self.price).sum(axis=-2))

    def rise(self, heat_kw: Array, more_kw: Array | float) -> Array:
        """Price some more power on top of heating powers (slots,), slot by slot."""
        taken = heat_kw - self.first_kw
        lower = np.minimum(np.maximum(taken, 0.0), self.width_kw)
        upper = np.minimum(np.maximum(taken + more_kw, 0.0), self.width_kw)
        return np.asarray(((upper - lower) * self.price).sum(axis=0))

    def at(self, k: int) -> Supply:
        """Look at one slot as if each of several powers were a slot of its own."""
        one = slice(k, k + 1)
        return Supply(self.first_kw[:, one], self.width_kw[:, one], self.price[:, one])


def supply_of(case: Case, relaxed: Relaxed, slots: int) -> Supply:
    """Order the sources of the near slots by their prices.

    Export is never dearer than import here, and storing never dearer than taking out: costs rise.
    """
    problem, stages, near = case.problem, case.stages, slice(0, slots)
    battery, weights, hours = problem.battery, problem.weights, stages.hours[near]
    buy = relaxed.import_price[near]
    stored = relaxed.charge_price[near]
    wear = battery.wear_per_kwh * weights.wear_factor
    every = np.ones(slots)
    sun, export = stages.pv_kw[near], problem.limits.export_kw * stages.export_allowed[near]
    sources = (
        (sun, 0.0 * every),
        (np.minimum(export, sun + battery.max_discharge_kw), np.minimum(stages.sell[near], buy)),
        (battery.max_charge_kw * every, stored * battery.leg_frac),
        (battery.max_discharge_kw * every, stored / battery.leg_frac + wear),
        (_ENDLESS_KW * every, buy),
    )
    width = np.array([w for w, _ in sources])
    price = np.array([p for _, p in sources])
    order = np.argsort(price, axis=0, kind="stable")
    width, price = (np.take_along_axis(a, order, axis=0) for a in (width, price))
    begin = np.cumsum(width, axis=0) - width
    least = sun + np.minimum(export, sun + battery.max_discharge_kw) + battery.max_charge_kw
    return Supply(begin - least + (sun - stages.base_kw[near]), width, price * hours)
