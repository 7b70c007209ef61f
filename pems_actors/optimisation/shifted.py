"""Yesterday's prices for today's question: a relaxed plan and its duals moved on in time.

What power, heat and charge are worth changes slowly; what has happened meanwhile is in the house's
state. So between two solves, and where no solver finds a point, relays are decided anew by the last
prices, while the battery goes on with its orders; that takes some milliseconds. Knows no solver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pems_actors.domain.plan import Purpose
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import ModeSlot
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.sequences import Bools
from pems_actors.optimisation.thermal import AIR, SCREED
from pems_actors.physics.house_model import SURFACE_FRAC

SHIFTED = "shifted"
_HOLDS_S = 2 * HOUR_S
_NOTHING_KW = 1e-3
_OVER_STAGES = (
    "duty",
    "charge_kw",
    "discharge_kw",
    "grid_kw",
    "pv_kw",
    "excess_kw",
    "power_price",
    "heat_price",
    "loads_kw",
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
        same = same and before.wants.names == case.wants.names
        same = same and relays == [relay.name for relay in case.problem.relays]
        if not same or not 0.0 <= age_s <= _HOLDS_S:
            return None
        return self._at(case)

    def _at(self, case: Case) -> Relaxed:
        old, edges = self.relaxed, self.case.stages.edges_s[1:]
        share = _shares(self.case.stages.edges_s, case.stages.edges_s)
        at = _last_within(edges, case.stages.edges_s[1:])
        read = {name: share @ getattr(old, name) for name in _OVER_STAGES}
        read |= {name: getattr(old, name)[at] for name in _AT_ENDS}
        price = case.stages.buy + case.problem.weights.import_extra_per_kwh
        dearer = old.import_price - self.case.stages.buy
        dearer -= self.case.problem.weights.import_extra_per_kwh
        read["import_price"] = price + share @ dearer
        read["pv_kw"] = np.minimum(read["pv_kw"], case.stages.pv_kw)
        read["duty"] = np.where(case.stages.blocked[:, None], 0.0, read["duty"])
        if case.problem.purpose is not Purpose.BETWEEN:
            read["duty"] = self._made_up(case, read["duty"])
        return replace(
            old, **read, solver=SHIFTED, status="moved on from the last solve", iterations=0
        )

    def _made_up(self, case: Case, duty: Array) -> Array:
        """Give or spare the heat by which the house is behind its plan or ahead of it, at once.

        Where a solver will soon look at it, that is dearer than to wait (0.5 %, 2026-11, measured).
        """
        duty = duty.copy()
        heats = (case.share > 0.0).astype(float)
        owed_h = heats @ self._short_kwh(case) / np.maximum(case.power_kw, _NOTHING_KW)
        for k, hours in enumerate(case.stages.hours.tolist()):
            most = 0.0 if case.stages.blocked[k] else 1.0
            given = np.clip(duty[k] + owed_h / hours, 0.0, most)
            owed_h -= (given - duty[k]) * hours
            duty[k] = given
        return duty

    def _short_kwh(self, case: Case) -> Array:
        """Tell how much less heat rooms hold in screed and air than they were to hold, (rooms,)."""
        old, now_s = self.relaxed, float(case.stages.start_s[0])
        screed_c = old.air_c + (old.surface_c - old.air_c) / SURFACE_FRAC
        believed = np.stack([screed_c, old.air_c], axis=2)
        begun = _screed_and_air_c(self.case)
        planned = _between(np.vstack([begun[None], believed]), self.case.stages.edges_s, now_s)
        missing = planned - _screed_and_air_c(case)
        return np.asarray((missing * case.rooms.capacity_kwh_k[:, (SCREED, AIR)]).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the last plan told: relays in its near slots, (slots, relays), and the battery.

    `fed_kw` is what the battery's orders give beside the sun, less what they draw, (K,).
    """

    case: Case
    on: Bools
    modes: tuple[ModeSlot, ...]
    fed_kw: Array

    def fed_at(self, case: Case) -> Array:
        """Tell what those orders would give at a later case's stages, (K,) [kW]."""
        return np.asarray(_shares(self.case.stages.edges_s, case.stages.edges_s) @ self.fed_kw)

    def modes_at(self, case: Case) -> tuple[ModeSlot, ...] | None:
        """Read the battery's orders at a later case's stages; None if it does something else."""
        now_s, problem = case.stages.start_s[0], case.problem
        inner = self.case.stages.edges_s[1:-1]
        in_force = self.modes[int(np.searchsorted(inner, now_s - 1.0, side="right"))].mode
        obeys = problem.battery_obeys and self.case.problem.battery_obeys
        if not obeys or in_force is not problem.state.battery_mode:
            return None
        at = np.searchsorted(inner, case.stages.start_s + 1.0)
        return tuple(self.modes[k] for k in at.tolist())

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


def _screed_and_air_c(case: Case) -> Array:
    """Read the temperatures of now, (rooms, 2)."""
    rooms = case.problem.state.rooms
    return np.array([(rooms[name].screed_c, rooms[name].air_c) for name in case.rooms.names])


def _between(values: Array, edges_s: Array, at_s: float) -> Array:
    """Interpolate rows that are known at stage edges."""
    k = min(max(int(np.searchsorted(edges_s, at_s)), 1), len(edges_s) - 1)
    part = (at_s - edges_s[k - 1]) / (edges_s[k] - edges_s[k - 1])
    return np.asarray(values[k - 1] + (values[k] - values[k - 1]) * part)


def _shares(old_s: Array, new_s: Array) -> Array:
    """Tell which share of each new stage lies in each old one, (new, old).

    Beyond the old end it goes as it went a day before, where that is known; else the last goes on.
    """
    begin_s, end_s = new_s[:-1, None], new_s[1:, None]
    beyond = (begin_s >= old_s[-1]) & (begin_s - DAY_S >= old_s[0])
    begin_s, end_s = (at - DAY_S * beyond for at in (begin_s, end_s))
    until_s = np.append(old_s[1:-1], np.inf)
    common = np.minimum(end_s, until_s) - np.maximum(begin_s, old_s[:-1])
    return np.asarray(np.maximum(common, 0.0) / (end_s - begin_s))


def _last_within(edges: Array, at_s: Array) -> Array:
    """Find the old stage that each instant lies in, or at whose end it is."""
    found = np.searchsorted(edges, at_s - 1e-3)
    return np.minimum(found, len(edges) - 1)
