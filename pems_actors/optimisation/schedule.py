"""All relays' states in the near slots while they are improved, and what a change would cost.

Costs are those of one relay with all others as they are: exact for its rooms' comfort, gently
quadratic in straying from the planned total power.
"""

from __future__ import annotations

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.switching import Bools, Rows


class Schedule:
    """All relays' states in the near slots, with the air, the power and the room left by them."""

    def __init__(self, near: Near, on: Bools) -> None:
        """Begin with some states, (slots, relays)."""
        self.near = near
        self.on = on.copy()
        self.air_c = near.air_c(on)
        self.strayed_kw = on @ near.case.power_kw - near.planned_kw
        self.left = near.caps.left(on.astype(float))

    def change(self, m: int, row: Bools) -> None:
        """Give relay m another sequence."""
        change = row.astype(float) - self.on[:, m]
        self.strayed_kw += change * self.near.case.power_kw[m]
        self.left -= np.outer(self.near.caps.use[:, m], change)
        for r, answer in self.near.answers[m]:
            self.air_c[:, r] += answer @ change
        self.on[:, m] = row

    def cost_of(self, m: int, rows: Rows, starts: Array) -> Array:
        """Price sequences of relay m, (n, slots) with their starts (n,), all others fixed."""
        near, present = self.near, self.on[:, m]
        power = near.case.power_kw[m]
        strayed = self.strayed_kw - power * present
        per_slot = near.own_price[m] + near.deviation_price * (2.0 * power * strayed)
        ahead = rows @ near.hours - near.hours @ near.relaxed.duty[: near.slots, m]
        cost = rows @ per_slot + near.case.problem.relays[m].start_cost * starts
        cost += near.remainder_price[m] * ahead**2
        for r, answer in near.answers[m]:
            without = self.air_c[:, r] - answer @ present
            felt = _felt(near, without, without + answer.sum(axis=1), r)
            if felt.any():
                cost += near.discomfort(rows @ answer[felt].T + without[felt], r, felt)
        return np.asarray(cost)

    def worth_at(self, k: int) -> Array:
        """Find what each relay's being on in slot k saves, all else as it is, (relays,)."""
        near, on = self.near, self.on[k]
        power, hours = near.case.power_kw, float(near.hours[k])
        strayed = self.strayed_kw[k] - power * on
        ahead = near.hours @ (self.on - near.relaxed.duty[: near.slots]) - hours * on
        cost = near.own_price[:, k] + 2.0 * near.deviation_price[k] * power * strayed
        cost += near.remainder_price * hours * (2.0 * ahead + hours)
        before = self.on[k - 1] if k else [rule.on_before for rule in near.rules]
        after = self.on[k + 1] if k + 1 < near.slots else np.zeros_like(on)
        cost += near.start_cost * (1.0 - np.asarray(before, dtype=float) - after)
        return np.asarray(-cost - self._felt_by_turning_on(k))

    def _felt_by_turning_on(self, k: int) -> Array:
        """Price what each relay's being on in slot k does to its rooms' comfort, (relays,)."""
        near = self.near
        relay, room, answer = near.pairs
        rise = answer[:, :, k].T  # (slots, pairs)
        without = self.air_c[:, room] - rise * self.on[k, relay]
        change = near.discomfort_of(without + rise, room) - near.discomfort_of(without, room)
        return np.asarray(
            np.bincount(relay, change, minlength=len(self.near.case.power_kw)), dtype=float
        )


def _felt(near: Near, coldest: Array, warmest: Array, room: int) -> Bools:
    """Find the slots in which a room may leave its band at all, (slots,)."""
    low = near.case.stages.low_c[: near.slots, room]
    high = near.case.stages.high_c[: near.slots, room]
    return np.asarray((coldest < low) | (warmest > high))
