"""The near slots of a case, with everything that prices a sequence of a relay's states.

Exact for the rooms' comfort within the near slots; power is priced by the relaxation's dual, what
comes later by its costates. Two gentle quadratic prices stand for what is linear only nearby:
straying from the planned total power, and ending with more or less heat than planned.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.switching import (
    Bools,
    Caps,
    Commitments,
    Rows,
    SwitchRules,
    history_of,
    patterns,
    switch_rules,
)
from pems_actors.optimisation.thermal import AIR, SCREED, simulate

_DEVIATION_PRICE = 0.1  # of the mean power price, per kW of deviation
_REMAINDER_PRICE = 0.5  # of the mean power price of one slot's heat


@dataclass(frozen=True)
class Near:
    """The near slots of a case with everything that prices a sequence."""

    case: Case
    relaxed: Relaxed
    caps: Caps
    commitments: Commitments
    slots: int
    _libraries: dict[Hashable, Rows] = field(default_factory=dict)

    @cached_property
    def hours(self) -> Array:
        """Slot lengths, (slots,)."""
        return self.case.stages.hours[: self.slots]

    @cached_property
    def rules(self) -> tuple[SwitchRules, ...]:
        """Switching rules per relay."""
        start = self.case.stages.start_s[: self.slots]
        return tuple(
            switch_rules(start, relay, history_of(self.case, relay))
            for relay in self.case.problem.relays
        )

    @cached_property
    def closed(self) -> Bools:
        """Where a relay may not heat for a block or out of service, (K, relays)."""
        out = [relay.name in self.case.problem.out_of_service for relay in self.case.problem.relays]
        return np.asarray(self.case.stages.blocked[:, None] | np.array(out, dtype=bool))

    @cached_property
    def deviation_price(self) -> Array:
        """Price of a squared kW of deviation from the planned total, per slot."""
        mean = max(float(np.abs(self.relaxed.power_price).mean()), 1e-3)
        return np.asarray(_DEVIATION_PRICE * mean * self.hours)

    @cached_property
    def remainder_price(self) -> Array:
        """Price of a squared hour of duty that a relay ends short or ahead by, (relays,)."""
        mean = max(float(np.abs(self.relaxed.power_price).mean()), 1e-3)
        return np.asarray(_REMAINDER_PRICE * mean * self.case.power_kw / self.hours.max())

    @cached_property
    def planned_kw(self) -> Array:
        """Total heating power of the relaxed plan, (slots,)."""
        return self.relaxed.duty[: self.slots] @ self.case.power_kw

    @cached_property
    def response(self) -> Array:
        """Rise of a room's air at each slot's end per kW held in each slot, (R, end, slot)."""
        rooms, weather = self.case.rooms, self.case.weather
        kick = weather.lasting[: self.slots] * rooms.drive[:, :, SCREED]
        seen = rooms.to_node[:, AIR]
        rise = np.zeros((len(rooms.names), self.slots, self.slots))
        modes = np.zeros((self.slots, *seen.shape))  # one per slot of heating
        for k in range(self.slots):
            modes = modes * weather.left[k]
            modes[k] = kick[k]
            rise[:, k, :] = np.einsum("jrm,rm->rj", modes, seen)
        return rise

    @cached_property
    def future(self) -> Array:
        """Rise of later cost per kW held in each slot, per room, (R, slots); mostly negative."""
        rooms, weather, kept = self.case.rooms, self.case.weather, self.case.rooms.kept
        price = np.zeros(kept.shape)
        price[kept] = self.relaxed.later_price[self.slots - 1]
        kick = weather.lasting[: self.slots] * rooms.drive[:, :, SCREED]
        after = np.ones_like(kick)
        for k in range(self.slots - 2, -1, -1):
            after[k] = after[k + 1] * weather.left[k + 1]
        return np.asarray(np.einsum("jrm,rm->rj", kick * after, price))

    def judged(self, rows: Rows, m: int) -> Rows:
        """Keep the sequences that commitments, dwell and starts allow relay m."""
        on, off = self.commitments.on[:, m], self.commitments.off[:, m]
        rows = rows[(rows @ off + (1.0 - rows) @ on) < 0.5]
        return rows[self.rules[m].allows(rows)]

    def library(self, m: int) -> Rows:
        """List relay m's sequences of few runs; relays with the same past share one list."""
        rule, commitments = self.rules[m], self.commitments
        key = (rule, commitments.on[:, m].tobytes(), commitments.off[:, m].tobytes())
        if key not in self._libraries:
            self._libraries[key] = self.judged(patterns(self.slots), m)
        return self._libraries[key]

    def air_c(self, on: Bools) -> Array:
        """Simulate the air of all rooms over the near slots, (slots, R)."""
        emitted = (on * self.case.power_kw) @ self.case.share
        return np.asarray(simulate(self.case.rooms, self.case.weather, emitted)[:, :, AIR])

    def discomfort(self, air: Array, room: int | slice) -> Array:
        """Price air temperatures (..., slots) of one room, summed over slots."""
        stages, weights = self.case.stages, self.case.problem.weights
        low, high = stages.low_c[: self.slots, room], stages.high_c[: self.slots, room]
        cold = np.maximum(low - air, 0.0) * weights.cold_per_kh
        warm = np.maximum(air - high, 0.0) * weights.warm_per_kh
        return np.asarray((cold + warm) @ self.hours)

    def cost(self, on: Bools) -> float:
        """Price all near slots of a whole schedule, by the same terms as a single relay's."""
        total_kw = on @ self.case.power_kw
        air = self.air_c(on)
        rooms = range(air.shape[1])
        heat_kw = (on * self.case.power_kw) @ self.case.share
        return float(
            (self.relaxed.power_price[: self.slots] * self.hours) @ total_kw
            + self.deviation_price @ (total_kw - self.planned_kw) ** 2
            + sum(float(self.discomfort(air[:, r], r)) for r in rooms)
            + (self.future.T * heat_kw).sum()
            + self.remainder_price @ (self.hours @ (on - self.relaxed.duty[: self.slots])) ** 2
            + sum(
                relay.start_cost * float(rule.starts(on[None, :, m].astype(np.float32))[0])
                for m, (relay, rule) in enumerate(
                    zip(self.case.problem.relays, self.rules, strict=True)
                )
            )
        )
