"""The near slots of a case, with everything that prices a sequence of a relay's states.

Exact for the rooms' comfort within the near slots; power is priced by what supplies it (under the
shared caps a relay fits or it does not, so scarcity adds nothing), what comes later by its
costates, and by `amends` what is short. Two gentle quadratic prices stand for what is linear only
nearby: straying from the planned total power, and ending with more or less heat than planned.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.amends import (
    Levels,
    costate,
    level_weights,
    levels_of,
    owed_h,
    response,
    shortage_cost,
)
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.sequences import Bits, Bools, bits_of, listed
from pems_actors.optimisation.supply import Supply, supply_of
from pems_actors.optimisation.switching import (
    Caps,
    Commitments,
    SwitchRules,
    history_of,
    switch_rules,
)
from pems_actors.optimisation.thermal import AIR, simulate

_REMAINDER_PRICE = 0.2  # of the mean power price of one slot's heat
_CHANGE_OF_MIND = 0.03  # of the mean price of a kWh
_EMPTY_KWH = 0.05
_LEAST_LIFT = 0.02  # of the mean price: the battery is not asked for nothing
_BY_CAPS = frozenset({"most", "can_lift"})
_DEVIATION_PRICE = 0.03  # of the mean power price, per kW of deviation


@dataclass(frozen=True, slots=True)
class Warmed:
    """The rooms that one relay heats, room after room: (rooms x slots,) and more.

    `answer[end, slot]` is the rise of the air at a slot's end by the relay's being on in a slot,
    `warmest_k` the rise by its being on in all; prices are per K below or above the band.
    """

    rooms: NDArray[np.intp]
    answer: Array
    warmest_k: Array
    low_c: Array
    high_c: Array
    cold_price: Array
    warm_price: Array


@dataclass(frozen=True)
class Near:
    """The near slots of a case with everything that prices a sequence.

    `caps` count on some supply; the battery could give `spare_kw` more, (K,), at what it is worth.
    `agreed` are the states that the last plan had for the first of these slots.
    """

    case: Case
    relaxed: Relaxed
    caps: Caps
    commitments: Commitments
    slots: int
    spare_kw: Array
    agreed: Bools | None = None
    _listed: dict[int, Array] = field(default_factory=dict)

    def under(self, caps: Caps, spare_kw: Array) -> Near:
        """Put other caps over the same slots; what no cap decides is kept."""
        other = replace(self, caps=caps, spare_kw=spare_kw)
        kept = {k: v for k, v in vars(self).items() if k not in {*vars(other), *_BY_CAPS}}
        vars(other).update(kept)
        return other

    @cached_property
    def most(self) -> Caps:
        """The caps with all that the battery could give."""
        share = np.where(self.caps.lift > 0.0, 1.0 / np.maximum(self.caps.lift, 1.0), 0.0)
        return replace(self.caps, room_kw=self.caps.room_kw + share[:, None] * self.spare_kw)

    @cached_property
    def lift_price(self) -> Array:
        """Price of a kW from the battery that the caps force instead of the grid, (slots,)."""
        battery, weights = self.case.problem.battery, self.case.problem.weights
        stored = self._price_of_charge() / battery.leg_frac
        buy = self.relaxed.import_price[: self.slots]
        over = stored + battery.wear_per_kwh * weights.wear_factor - buy
        return np.asarray(self.hours * np.maximum(over, _LEAST_LIFT * np.abs(buy).mean()))

    def _price_of_charge(self) -> Array:
        """Price a stored kWh in each slot; one that is no longer there was kept from before."""
        empty = self.case.soc_window_kwh[0] + _EMPTY_KWH
        price = self.relaxed.charge_price[: self.slots].copy()
        for k, stored_kwh in enumerate(self.relaxed.stored_kwh[: self.slots - 1].tolist()):
            if stored_kwh <= empty:
                price[k + 1] = max(price[k + 1], price[k])
        return price

    def needed_kw(self, on: Bools) -> Array:
        """Tell what the battery must give in each slot for a schedule, (slots,)."""
        counted = self.relaxed.discharge_kw[: self.slots]
        lifted = self.lifted_kw(self.most.left(on.astype(float)))
        return np.where(lifted > 0.0, counted + lifted, counted)

    def lifted_kw(self, left: Array) -> Array:
        """Tell what the battery must give beside the supply, (..., slots), for what `most` leaves.

        Args:
            left: room under each cap with all that the battery could give, (..., caps, slots).
        """
        helps = self.caps.lift > 0.0
        short = self.spare_kw[: self.slots] - self.caps.lift[helps, None] * left[..., helps, :]
        return np.asarray(np.maximum(short.max(axis=-2), 0.0))

    @cached_property
    def can_lift(self) -> bool:
        """Whether the battery could give more than is counted on."""
        return bool(self.spare_kw[: self.slots].any())

    @property
    def is_all(self) -> bool:
        """Whether no slot follows the near ones: then there is nothing that makes up for them."""
        return self.slots == len(self.case.stages)

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
    def planned_kw(self) -> Array:
        """Total heating power of the relaxed plan, (slots,)."""
        return self.relaxed.duty[: self.slots] @ self.case.power_kw

    @cached_property
    def remainder_cost(self) -> Array:
        """Price of what each relay ends short of or ahead by, over costates, (relays, levels)."""
        mean = max(float(np.abs(self.relaxed.power_price).mean()), 1e-3)
        per_h2 = _REMAINDER_PRICE * mean * self.case.power_kw / self.hours.max()
        owed = owed_h(self.relaxed.duty, self.case.stages.hours, self.slots)
        short = shortage_cost(self.case, self.relaxed, self.closed, self.slots)
        return np.asarray(per_h2[:, None] * owed**2 + short)

    @cached_property
    def weights(self) -> Levels:
        """What each slot's being on adds to a relay's level."""
        return level_weights(self.slots)

    def levels(self, rows: Bools) -> Levels:
        """Tell the level of sequences (..., slots)."""
        return levels_of(bits_of(rows))

    @cached_property
    def later_cost(self) -> Array:
        """Rise of later cost by a relay's being on in a slot, (relays, slots); mostly negative."""
        return costate(self.case, self.relaxed, self.slots) + self._change_of_mind()

    def _change_of_mind(self) -> Array:
        """Price turning round what was agreed: without news equals stay as they are."""
        price = np.zeros((len(self.case.power_kw), self.slots))
        if self.agreed is not None:
            mean = float(np.abs(self.relaxed.import_price).mean())
            known = slice(0, len(self.agreed))
            per_kw = _CHANGE_OF_MIND * mean * self.hours[known]
            turned = np.where(self.agreed.T, -per_kw, per_kw)
            price[:, known] = self.case.power_kw[:, None] * turned
        return price

    @cached_property
    def warmed(self) -> tuple[Warmed, ...]:
        """Tell per relay what it does to the rooms that it heats."""
        relay, room, answer = self.pairs
        stages, weights = self.case.stages, self.case.problem.weights
        low, high = stages.low_c[: self.slots].T, stages.high_c[: self.slots].T
        cold, warm = self.hours * weights.cold_per_kh, self.hours * weights.warm_per_kh
        every = [np.nonzero(relay == m)[0] for m in range(len(self.case.power_kw))]
        return tuple(
            Warmed(
                rooms=room[own],
                answer=answer[own].reshape(-1, self.slots),
                warmest_k=answer[own].sum(axis=2).ravel(),
                low_c=low[room[own]].ravel(),
                high_c=high[room[own]].ravel(),
                cold_price=np.tile(cold, len(own)),
                warm_price=np.tile(warm, len(own)),
            )
            for own in every
        )

    @cached_property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        """List every relay with every room that it heats, and the answers, (pairs, end, slot)."""
        relay, room = np.nonzero(self.case.share)
        power = self.case.power_kw[relay] * self.case.share[relay, room]
        return relay, room, response(self.case, self.slots)[room] * power[:, None, None]

    @cached_property
    def start_cost(self) -> Array:
        """What a start of each relay costs, (relays,)."""
        return np.array([relay.start_cost for relay in self.case.problem.relays])

    @cached_property
    def supply(self) -> Supply:
        """What the power comes from, and at what price."""
        return supply_of(self.case, self.relaxed, self.slots)

    def power_cost(self, heat_kw: Array) -> Array:
        """Price total heating powers (..., slots), slot by slot, up to a constant."""
        strayed = heat_kw - self.planned_kw
        return self.supply.cost(heat_kw) + self.deviation_price * strayed**2

    def cost_of_more(self, others_kw: Array, power_kw: float) -> Array:
        """Price some more power in each slot, beside what others draw there, (slots,)."""
        strays = self.deviation_price * power_kw * (power_kw + 2.0 * (others_kw - self.planned_kw))
        return self.supply.rise(others_kw, power_kw) + strays

    def cost_of_one_more(self, k: int, others_kw: Array) -> Array:
        """Price each relay's being on in slot k, beside what the others draw, (relays,)."""
        power, others = self.case.power_kw, others_kw - self.planned_kw[k]
        strays = self.deviation_price[k] * power * (power + 2.0 * others)
        return np.asarray(self.supply.at(k).rise(others_kw, power) + strays)

    @cached_property
    def _bound(self) -> tuple[list[int], list[int]]:
        """Mark per relay the slots in which commitments want it on, and those in which off."""
        on, off = self.commitments.on.T, self.commitments.off.T
        return bits_of(on).tolist(), bits_of(off).tolist()

    @cached_property
    def on_before(self) -> Bools:
        """Which relays are on now, (relays,)."""
        return np.array([rule.on_before for rule in self.rules], dtype=bool)

    def allowed(self, m: int, bits: Bits) -> Bools:
        """Judge sequences of relay m by commitments, dwell and starts, (n,)."""
        must, never = self._bound[0][m], self._bound[1][m]
        return np.asarray((bits & (must | never) == must) & self.rules[m].allows(bits))

    def apart(self, m: int, bits: Bits) -> Array:
        """Price what sequences of relay m cost by themselves: starts, and what they leave, (n,)."""
        starts = self.rules[m].starts(bits)
        return np.asarray(self.start_cost[m] * starts + self.remainder_cost[m][levels_of(bits)])

    def listed_apart(self, m: int) -> Array:
        """Price the listed sequences of relay m by themselves, infinite where not allowed, (n,)."""
        if m not in self._listed:
            bits = listed(self.slots).bits
            self._listed[m] = np.where(self.allowed(m, bits), self.apart(m, bits), np.inf)
        return self._listed[m]

    def air_c(self, on: Bools) -> Array:
        """Simulate the air of all rooms over the near slots, (slots, R)."""
        emitted = (on * self.case.power_kw) @ self.case.share
        return np.asarray(simulate(self.case.rooms, self.case.weather, emitted)[:, :, AIR])

    def discomfort_of(self, air: Array, rooms: NDArray[np.intp]) -> Array:
        """Price air temperatures (slots, n) of some rooms over all near slots, (n,)."""
        stages, weights = self.case.stages, self.case.problem.weights
        low, high = stages.low_c[: self.slots, rooms], stages.high_c[: self.slots, rooms]
        cold = np.maximum(low - air, 0.0) * weights.cold_per_kh
        warm = np.maximum(air - high, 0.0) * weights.warm_per_kh
        return np.asarray(self.hours @ (cold + warm))

    def cost(self, on: Bools) -> float:
        """Price all near slots of a whole schedule, by the same terms as a single relay's."""
        relays = np.arange(len(self.case.power_kw))
        before = np.vstack([self.on_before, on[:-1]])
        return float(
            self.power_cost(on @ self.case.power_kw).sum()
            + self.lift_price @ self.lifted_kw(self.most.left(on.astype(float)))
            + (self.later_cost.T * on).sum()
            + self.remainder_cost[relays, self.levels(on.T)].sum()
            + self.discomfort_of(self.air_c(on), np.arange(len(self.case.rooms.names))).sum()
            + self.start_cost @ (on & ~before).sum(axis=0)
        )
