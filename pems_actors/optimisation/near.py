"""The near slots of a case, with everything that prices a sequence of a relay's states.

Exact for the rooms' comfort within the near slots; power is priced by the relaxation's dual, less
what scarcity adds (under the shared caps a relay fits or it does not), what comes later by its
costates. Two gentle quadratic prices stand for what is linear only nearby: straying from the
planned total power, and ending with more or less heat than planned.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.switching import (
    Bits,
    Bools,
    Caps,
    Commitments,
    Rows,
    SwitchRules,
    bits_of,
    history_of,
    patterns,
    rows_of,
    switch_rules,
)
from pems_actors.optimisation.thermal import AIR, SCREED, simulate

_DEVIATION_PRICE = 0.1  # of the mean power price, per kW of deviation
_REMAINDER_PRICE = 0.5  # of the mean power price of one slot's heat


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences of one relay's states, (n, slots), also as whole numbers, and their starts."""

    rows: Rows
    bits: Bits
    starts: Array


@dataclass(frozen=True)
class Near:
    """The near slots of a case with everything that prices a sequence."""

    case: Case
    relaxed: Relaxed
    caps: Caps
    commitments: Commitments
    slots: int
    _libraries: dict[Hashable, Sequences] = field(default_factory=dict)

    @cached_property
    def hours(self) -> Array:
        """Slot lengths, (slots,)."""
        return self.case.stages.hours[: self.slots]

    @cached_property
    def rules(self) -> tuple[SwitchRules, ...]:
        """Switching rules per relay."""
        start = self.case.stages.start_s[: self.slots]
        end_s = float(self.case.stages.edges_s[self.slots])
        return tuple(
            switch_rules(start, relay, history_of(self.case, relay), end_s)
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

    @cached_property
    def answers(self) -> list[list[tuple[int, Array]]]:
        """Tell per relay each room it heats, and how its air answers, (end, slot) [K]."""
        relay, room, answer = self.pairs
        return [
            [(int(room[n]), answer[n]) for n in np.nonzero(relay == m)[0]]
            for m in range(len(self.case.power_kw))
        ]

    @cached_property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        """List every relay with every room that it heats, and the answers, (pairs, end, slot)."""
        relay, room = np.nonzero(self.case.share)
        power = self.case.power_kw[relay] * self.case.share[relay, room]
        return relay, room, self.response[room] * power[:, None, None]

    @cached_property
    def start_cost(self) -> Array:
        """What a start of each relay costs, (relays,)."""
        return np.array([relay.start_cost for relay in self.case.problem.relays])

    @cached_property
    def own_price(self) -> Array:
        """Price of a relay being on in a slot, comfort and the others aside, (relays, slots)."""
        power = self.case.power_kw[:, None]
        energy = self.relaxed.energy_price[: self.slots] * self.hours
        later = self.case.share @ self.future
        return np.asarray(power * (energy + later + power * self.deviation_price))

    def judged(self, bits: Bits, m: int) -> Sequences:
        """Keep the sequences that commitments, dwell and starts allow relay m."""
        must = bits_of(self.commitments.on[:, m])
        bits = bits[(bits & bits_of(self.commitments.off[:, m]) == 0) & (bits & must == must)]
        rows, rule = rows_of(bits, self.slots), self.rules[m]
        kept = rule.allows(rows)
        return Sequences(rows[kept], bits[kept], rule.starts(rows[kept]))

    def library(self, m: int) -> Sequences:
        """List relay m's sequences of few runs; relays with the same past share one list."""
        key = self._pasts[m]
        if key not in self._libraries:
            self._libraries[key] = self.judged(bits_of(patterns(self.slots)), m)
        return self._libraries[key]

    @cached_property
    def _pasts(self) -> tuple[Hashable, ...]:
        """Tell per relay what decides its sequences."""
        on, off = self.commitments.on.T, self.commitments.off.T
        return tuple((rule, on[m].tobytes(), off[m].tobytes()) for m, rule in enumerate(self.rules))

    def air_c(self, on: Bools) -> Array:
        """Simulate the air of all rooms over the near slots, (slots, R)."""
        emitted = (on * self.case.power_kw) @ self.case.share
        return np.asarray(simulate(self.case.rooms, self.case.weather, emitted)[:, :, AIR])

    def discomfort(self, air: Array, room: int, slots: Bools) -> Array:
        """Price air temperatures (..., some slots) of one room, summed over those slots."""
        stages, weights = self.case.stages, self.case.problem.weights
        low, high = stages.low_c[: self.slots, room], stages.high_c[: self.slots, room]
        cold = np.maximum(low[slots] - air, 0.0) * weights.cold_per_kh
        warm = np.maximum(air - high[slots], 0.0) * weights.warm_per_kh
        return np.asarray((cold + warm) @ self.hours[slots])

    def discomfort_of(self, air: Array, rooms: NDArray[np.intp]) -> Array:
        """Price air temperatures (slots, n) of some rooms over all near slots, (n,)."""
        stages, weights = self.case.stages, self.case.problem.weights
        low, high = stages.low_c[: self.slots, rooms], stages.high_c[: self.slots, rooms]
        cold = np.maximum(low - air, 0.0) * weights.cold_per_kh
        warm = np.maximum(air - high, 0.0) * weights.warm_per_kh
        return np.asarray(self.hours @ (cold + warm))

    def cost(self, on: Bools) -> float:
        """Price all near slots of a whole schedule, by the same terms as a single relay's."""
        total_kw = on @ self.case.power_kw
        heat_kw = (on * self.case.power_kw) @ self.case.share
        air, everywhere = self.air_c(on), np.ones(self.slots, dtype=bool)
        return float(
            (self.relaxed.energy_price[: self.slots] * self.hours) @ total_kw
            + self.deviation_price @ (total_kw - self.planned_kw) ** 2
            + sum(self.discomfort(air[:, r], r, everywhere) for r in range(air.shape[1]))
            + (self.future.T * heat_kw).sum()
            + self.remainder_price @ (self.hours @ (on - self.relaxed.duty[: self.slots])) ** 2
            + sum(
                relay.start_cost * float(rule.starts(on[None, :, m].astype(float))[0])
                for m, (relay, rule) in enumerate(
                    zip(self.case.problem.relays, self.rules, strict=True)
                )
            )
        )
