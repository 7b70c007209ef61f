"""Yesterday's prices for today's question: a relaxed plan and its duals moved on in time.

What power, heat and charge are worth changes slowly; what has happened meanwhile is in the house's
state. So between two solves, and where no solver finds a point, relays and modes are decided anew
by the last prices, which takes some milliseconds. Knows no solver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.switching import Bools

SHIFTED = "shifted"
_HOLDS_S = 2 * HOUR_S
_OVER_STAGES = (
    "duty",
    "charge_kw",
    "discharge_kw",
    "grid_kw",
    "pv_kw",
    "excess_kw",
    "power_price",
    "heat_price",
)
_AT_ENDS = ("stored_kwh", "charge_price", "later_price", "air_c", "surface_c")


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last relaxed plan, and the case that it answered."""

    case: Case
    relaxed: Relaxed

    def moved_on(self, case: Case) -> Relaxed | None:
        """Read the plan at a later case's stages; None if it is too old or of another house."""
        before, now_s = self.case, float(case.stages.start_s[0])
        age_s = now_s - float(before.stages.start_s[0])
        same = before.rooms.names == case.rooms.names and np.array_equal(
            before.rooms.kept, case.rooms.kept
        )
        relays = [relay.name for relay in before.problem.relays]
        same = same and relays == [relay.name for relay in case.problem.relays]
        if not same or not 0.0 <= age_s <= _HOLDS_S:
            return None
        return self._at(case)

    def _at(self, case: Case) -> Relaxed:
        old, edges = self.relaxed, self.case.stages.edges_s[1:]
        ends = case.stages.edges_s[1:]
        over = _last_within(edges, (case.stages.start_s + ends) / 2.0)
        at = _last_within(edges, ends)
        read = {name: getattr(old, name)[over] for name in _OVER_STAGES}
        read |= {name: getattr(old, name)[at] for name in _AT_ENDS}
        price = case.stages.buy + case.problem.weights.import_extra_per_kwh
        dearer = old.import_price - self.case.stages.buy
        dearer -= self.case.problem.weights.import_extra_per_kwh
        read["import_price"] = price + dearer[over]
        read["pv_kw"] = np.minimum(read["pv_kw"], case.stages.pv_kw)
        read["duty"] = np.where(case.stages.blocked[:, None], 0.0, read["duty"])
        return replace(old, **read, solver=SHIFTED, status="prices of the last solve", iterations=0)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the last plan told its relays to be in its near slots, (slots, relays)."""

    case: Case
    on: Bools

    def within(self, case: Case) -> Bools | None:
        """Read it at the near slots of a later case, as many as it knows; None if it knows none."""
        relays = [relay.name for relay in case.problem.relays]
        if [relay.name for relay in self.case.problem.relays] != relays or not len(self.on):
            return None
        edges, near = self.case.stages.edges_s[: len(self.on) + 1], case.stages.binary
        middle = case.stages.start_s[:near] + 0.5 * HOUR_S * case.stages.hours[:near]
        known = int((middle < edges[-1]).sum())
        if known == 0 or case.stages.start_s[0] <= edges[0]:
            return None
        return np.asarray(self.on[np.searchsorted(edges, middle[:known]) - 1])


def _last_within(edges: Array, at_s: Array) -> Array:
    """Find the old stage that each instant lies in, or at whose end it is."""
    found = np.searchsorted(edges, at_s - 1e-3)
    return np.minimum(found, len(edges) - 1)
