"""All relays' states in the near slots while they are improved, and what a change would cost.

Costs are those of one relay with all others as they are: exact for its rooms' comfort, and by merit
of what supplies it for its power.
"""

from __future__ import annotations

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.switching import Bools, Rows

_FIRST = 12  # sequences whose comfort is priced in any case
_ROUNDING = 1e-9


class Schedule:
    """All relays' states in the near slots, with the air, the power and the room left by them."""

    def __init__(self, near: Near, on: Bools) -> None:
        """Begin with some states, (slots, relays)."""
        self.near = near
        self.on = on.copy()
        self.air_c = near.air_c(on)
        self.heat_kw = on @ near.case.power_kw
        self.left = near.most.left(on.astype(float))

    def change(self, m: int, row: Bools) -> None:
        """Give relay m another sequence."""
        change = row.astype(float) - self.on[:, m]
        self.heat_kw += change * self.near.case.power_kw[m]
        self.left -= np.outer(self.near.caps.use[:, m], change)
        for r, answer in self.near.answers[m]:
            self.air_c[:, r] += answer @ change
        self.on[:, m] = row

    def cost_of(self, m: int, rows: Rows, starts: Array) -> Array:
        """Price sequences of relay m, (n, slots) with their starts (n,), all others fixed."""
        return self._apart_from_comfort(m, rows, starts) + self._comfort(m, rows)

    def cheapest(self, m: int, rows: Rows, starts: Array) -> int:
        """Find the cheapest of several sequences: which one `cost_of` prices least.

        Comfort takes most of the time, so it is priced only where the rest leaves a chance.
        """
        cost = self._apart_from_comfort(m, rows, starts)
        some = (
            np.argpartition(cost, _FIRST)[:_FIRST] if len(cost) > _FIRST else np.arange(len(cost))
        )
        least = float((cost[some] + self._comfort(m, rows[some])).min())
        hopeful = np.nonzero(cost + self._unavoidable(m) <= least + _ROUNDING)[0]
        return int(hopeful[np.argmin(cost[hopeful] + self._comfort(m, rows[hopeful]))])

    def _apart_from_comfort(self, m: int, rows: Rows, starts: Array) -> Array:
        near, power = self.near, self.near.case.power_kw[m]
        others = self.heat_kw - power * self.on[:, m]
        per_slot = near.power_cost(others + power) - near.power_cost(others) + near.later_cost[m]
        per_slot += near.lift_price * self._lifted_by(m)
        cost = rows @ per_slot + near.start_cost[m] * starts
        return np.asarray(cost + near.remainder_cost[m, near.levels(rows)])

    def _comfort(self, m: int, rows: Rows) -> Array:
        """Price what sequences of relay m do to its rooms' comfort, (n,)."""
        near, cost = self.near, np.zeros(len(rows))
        for r, answer in near.answers[m]:
            without = self.air_c[:, r] - answer @ self.on[:, m]
            felt = _felt(near, without, without + answer.sum(axis=1), r)
            if felt.any():
                cost += near.discomfort(rows @ answer[felt].T + without[felt], r, felt)
        return cost

    def _unavoidable(self, m: int) -> float:
        """Price the discomfort of relay m's rooms that none of its sequences avoids."""
        near, weights = self.near, self.near.case.problem.weights
        cost = 0.0
        for r, answer in near.answers[m]:
            coldest = self.air_c[:, r] - answer @ self.on[:, m]
            warmest = coldest + answer.sum(axis=1)
            low, high = near.case.stages.low_c, near.case.stages.high_c
            cold = np.maximum(low[: near.slots, r] - warmest, 0.0) * weights.cold_per_kh
            warm = np.maximum(coldest - high[: near.slots, r], 0.0) * weights.warm_per_kh
            cost += float(near.hours @ (cold + warm))
        return cost

    def _lifted_by(self, m: int) -> Array:
        """Tell what the battery must give for relay m's being on, beside the others, (slots,)."""
        use = self.near.caps.use[:, m, None]
        without = self.left + use * self.on[:, m]
        return self.near.lifted_kw(without - use) - self.near.lifted_kw(without)

    def worth_at(self, k: int) -> Array:
        """Find what each relay's being on in slot k saves, all else as it is, (relays,)."""
        near, on, relays = self.near, self.on[k], np.arange(self.on.shape[1])
        others_kw = self.heat_kw[k] - near.case.power_kw * on
        cost = near.later_cost[:, k] + near.cost_of_one_more(k, others_kw)
        off = near.levels(self.on.T) - near.weights[k] * on
        remainder = near.remainder_cost
        cost += remainder[relays, off + near.weights[k]] - remainder[relays, off]
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
