"""Whole switches for the near slots: from relaxed duties to on and off.

First a sum-up rounding that keeps every relay's heat close to its duty under the shared caps; then
each relay in turn, largest first, takes the best of all sequences with few runs (and of all small
changes to its present one), given what the others do. "Best" is exact for its rooms' comfort over
the near slots; power is priced by the relaxation's dual, the future by its costates, and straying
from the planned total power by a gentle quadratic price: coordination is what matters.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.assembly import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.switching import (
    SLACK_KW,
    Bools,
    Caps,
    Commitments,
    SwitchRules,
    history_of,
    patterns,
    switch_rules,
)
from pems_actors.optimisation.thermal import AIR, SCREED, simulate

Rows = NDArray[np.float32]
_MOST_SLOTS_WITH_TWO_RUNS = 24
_DEVIATION_PRICE = 0.1  # of the mean power price, per kW of deviation


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
        return _DEVIATION_PRICE * mean * self.hours

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
        return np.einsum("jrm,rm->rj", kick * after, price)

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
            runs = 2 if self.slots <= _MOST_SLOTS_WITH_TWO_RUNS else 1
            self._libraries[key] = self.judged(patterns(self.slots, runs), m)
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
            + sum(
                relay.start_cost * float(rule.starts(on[None, :, m].astype(np.float32))[0])
                for m, (relay, rule) in enumerate(
                    zip(self.case.problem.relays, self.rules, strict=True)
                )
            )
        )


def whole_relays(near: Near, passes: int = 2) -> Bools:
    """Decide every relay in every near slot, shape (slots, relays).

    Caps, blocks, dwell and starts are kept in every slot; the better of rounding and its
    improvements by `Near.cost` is returned.
    """
    if near.slots == 0:
        return near.commitments.on
    on = round_up_sums(near)
    best, least = on, near.cost(on)
    order = np.argsort(-near.case.power_kw, kind="stable")
    for _ in range(passes):
        after = _improved(near, on, order)
        cost = near.cost(after)
        if cost < least - 1e-9:
            best, least = after, cost
        if (after == on).all():
            break
        on = after
    return best


def carried_duty(near: Near, on: Bools) -> Array:
    """Give the duties of all slots: near ones whole, and what rounding left over soon after.

    A relay that gave less (or more) heat than relaxed makes up for it in its next slots with a
    duty, as far as caps allow; so the far plan starts from the house that rounding leaves.
    """
    hours = near.case.stages.hours
    duty = near.relaxed.duty.copy()
    owed = near.hours @ (duty[: near.slots] - on)
    duty[: near.slots] = on
    for k in range(near.slots, len(duty)):
        wish = np.where(near.closed[k], 0.0, np.clip(duty[k] + owed / hours[k], 0.0, 1.0))
        given = _within(near.caps, k, np.minimum(duty[k], wish), wish)
        owed += (duty[k] - given) * hours[k]
        duty[k] = given
    return duty


def _within(caps: Caps, k: int, least: Array, most: Array) -> Array:
    """Scale duties down from `most`, first towards `least`, then to nothing, until caps hold."""
    for low, high in ((least, most), (np.zeros_like(least), least)):
        extra, left = caps.use @ (high - low), caps.room_kw[:, k] - caps.use @ low
        share = min(1.0, float(np.min(left / np.maximum(extra, 1e-9), initial=1.0)))
        if share >= 0.0:
            return low + share * (high - low)
    return np.zeros_like(least)


def round_up_sums(near: Near) -> Bools:
    """Switch on, slot by slot, where the relaxed plan's heat is furthest ahead of the relay's."""
    slots, relays = near.commitments.off.shape
    on = np.zeros((slots, relays), dtype=bool)
    reserved = near.commitments.on.copy()
    owed = np.zeros(relays)
    for k in range(slots):
        owed += near.relaxed.duty[k] * near.hours[k]
        wish = np.where(reserved[k], np.inf, owed)
        for m in np.argsort(-wish, kind="stable"):
            if reserved[k, m] or (
                wish[m] > near.hours[k] / 2 and _may_run(near, on, reserved, k, m)
            ):
                on[k, m] = True
                _reserve_dwell(near, on, reserved, k, int(m))
        owed -= on[k] * near.hours[k]
    return on


def _may_run(near: Near, on: Bools, reserved: Bools, k: int, m: int) -> bool:
    """Whether relay m may be on in slot k after what is already decided."""
    needed = [k]
    if not (on[k - 1, m] if k else near.rules[m].on_before):
        needed += near.rules[m].stay_on.get(k, [])
        if not near.rules[m].allows(_until(on, k, m))[0]:
            return False
    if near.commitments.off[needed, m].any():
        return False
    taken = on[needed] | reserved[needed]
    taken[:, m] = True
    return bool((near.caps.room_kw[:, needed] >= near.caps.use @ taken.T - SLACK_KW).all())


def _until(on: Bools, k: int, m: int) -> Rows:
    """Give relay m's sequence with slot k on and kept on to the end, as one row."""
    row = on[:, m].astype(np.float32)
    row[k:] = 1.0
    return row[None, :]


def _reserve_dwell(near: Near, on: Bools, reserved: Bools, k: int, m: int) -> None:
    if not (on[k - 1, m] if k else near.rules[m].on_before):
        reserved[near.rules[m].stay_on.get(k, []), m] = True


def _improved(near: Near, on: Bools, order: NDArray[np.intp]) -> Bools:
    """Let every relay answer to all others once, in the given order."""
    on = on.copy()
    air = near.air_c(on)
    for m in order:
        row = _best_row(near, on, air, int(m))
        change = row.astype(float) - on[:, m]
        if change.any():
            for r in np.nonzero(near.case.share[m])[0]:
                kw = near.case.power_kw[m] * near.case.share[m, r]
                air[:, r] += near.response[r] @ (change * kw)
            on[:, m] = row
    return on


def _best_row(near: Near, on: Bools, air: Array, m: int) -> Bools:
    """Find a relay's best sequence with all others fixed."""
    others = on.copy()
    others[:, m] = False
    possible = near.caps.fits(m, near.caps.left(others.astype(float)))
    rows = _candidates(near, on[:, m], possible, m)
    if len(rows) == 0:
        return on[:, m]
    power = near.case.power_kw[m]
    strayed = others @ near.case.power_kw - near.planned_kw
    per_slot = power * near.relaxed.power_price[: near.slots] * near.hours
    per_slot = per_slot + near.deviation_price * power * (2.0 * strayed + power)
    members = np.nonzero(near.case.share[m])[0]
    per_slot = per_slot + sum(power * near.case.share[m, r] * near.future[r] for r in members)
    cost = rows @ per_slot + near.case.problem.relays[m].start_cost * near.rules[m].starts(rows)
    for r in members:
        answer = near.response[r] * (power * near.case.share[m, r])
        without = air[:, r] - answer @ on[:, m]
        cost = cost + near.discomfort(rows @ answer.T + without, int(r))
    return np.asarray(rows[int(np.argmin(cost))] > 0.5)


def _candidates(near: Near, present: Bools, possible: Bools, m: int) -> Rows:
    """List the sequences that a relay may choose from, its present one among them if allowed."""
    rows = np.concatenate([near.library(m), near.judged(_neighbours(present), m)])
    return rows[rows @ ~possible < 0.5] if not possible.all() else rows


def _neighbours(present: Bools) -> Rows:
    """List a sequence and all that differ from it in one or two slots."""
    slots = len(present)
    one, two = np.triu_indices(slots)
    rows = np.repeat(present[None, :].astype(np.float32), len(one) + 1, axis=0)
    index = np.arange(len(one)) + 1
    rows[index, one] = 1.0 - present[one]
    rows[index, two] = 1.0 - present[two]
    return rows
