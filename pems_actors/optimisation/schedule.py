"""All relays' states in the near slots while they are improved, and what a change would cost.

Costs are those of one relay with all others as they are: exact for its rooms' comfort, and by merit
of what supplies it for its power.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near, Warmed
from pems_actors.optimisation.sequences import Bits, Bools, Rows, rows_of
from pems_actors.optimisation.switching import SLACK_KW

Along = Callable[[Array], Array]

_FIRST = 12  # hopeful sequences whose comfort is priced before that of all others
_MANY = 200  # hopeful sequences for which a tangent is worth its while
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
        warmed = self.near.warmed[m]
        self.air_c[:, warmed.rooms] += (warmed.answer @ change).reshape(-1, self.near.slots).T
        self.on[:, m] = row

    def left_without(self, m: int) -> Array:
        """Tell what all relays but one leave under each cap, (caps, slots)."""
        return np.asarray(self.left + self.near.caps.use[:, m, None] * self.on[:, m])

    def cost_of(self, m: int, bits: Bits) -> Array:
        """Price sequences of relay m, (n,), all others fixed."""
        rows = rows_of(bits, self.near.slots)
        price = self.price_per_slot(m, self.left_without(m))
        return rows @ price + self.near.apart(m, bits) + self._felt(m).cost(rows)

    def price_per_slot(self, m: int, left: Array) -> Array:
        """Price relay m's being on in each slot by its power and by what comes later, (slots,).

        Args:
            left: what all others leave under each cap, (caps, slots).
        """
        near, power = self.near, self.near.case.power_kw[m]
        others = self.heat_kw - power * self.on[:, m]
        price = near.cost_of_more(others, power) + near.later_cost[m]
        if near.can_lift:
            lifted = near.lifted_kw(left - near.caps.use[:, m, None]) - near.lifted_kw(left)
            price = price + near.lift_price * lifted
        return np.asarray(price)

    def fits(self, m: int, left: Array) -> Bools:
        """Tell in which slots relay m fits into what all others leave, (slots,)."""
        return np.asarray((left >= self.near.caps.use[:, m, None] - SLACK_KW).all(axis=0))

    def cheapest(self, m: int, bits: Bits, apart: Array, along: Along) -> int:
        """Find the cheapest of several sequences of relay m.

        Comfort takes most of the time, so it is priced only where the rest leaves a chance: its
        price is convex, and the tangent at a good sequence lies under that of all others.

        Args:
            apart: what each costs apart from comfort, (n,).    along: what each would cost at some
                price per slot, (slots,) to (n,).
        """
        felt, slots = self._felt(m), self.near.slots
        if felt.nowhere:
            return int(apart.argmin())
        least = float(felt.cost(rows_of(bits[[apart.argmin()]], slots))[0] + apart.min())
        hopeful = (apart + felt.unavoidable <= least + _ROUNDING).nonzero()[0]
        if len(hopeful) > _FIRST:
            some = hopeful[apart[hopeful].argpartition(_FIRST)[:_FIRST]]
            rows = rows_of(bits[some], slots)
            cost = apart[some] + felt.cost(rows)
            good, least = rows[cost.argmin()], float(cost.min())
            hopeful = hopeful[apart[hopeful] + felt.unavoidable <= least + _ROUNDING]
            if len(hopeful) > _MANY:
                slope = felt.slope(good)
                tangent = float(felt.cost(good[None])[0] - good @ slope) + along(slope)[hopeful]
                hopeful = hopeful[apart[hopeful] + tangent <= least + _ROUNDING]
        cost = apart[hopeful] + felt.cost(rows_of(bits[hopeful], slots))
        return int(hopeful[cost.argmin()])

    def _felt(self, m: int) -> _Felt:
        """Look at the rooms of relay m as all others leave them."""
        warmed = self.near.warmed[m]
        air = self.air_c[:, warmed.rooms].T.ravel() - warmed.answer @ self.on[:, m]
        return _Felt(warmed, air)

    def worth_at(self, k: int) -> Array:
        """Find what each relay's being on in slot k saves, all else as it is, (relays,)."""
        near, on, relays = self.near, self.on[k], np.arange(self.on.shape[1])
        others_kw = self.heat_kw[k] - near.case.power_kw * on
        cost = near.later_cost[:, k] + near.cost_of_one_more(k, others_kw)
        off = near.levels(self.on.T) - near.weights[k] * on
        remainder = near.remainder_cost
        cost += remainder[relays, off + near.weights[k]] - remainder[relays, off]
        before = self.on[k - 1] if k else near.on_before
        after = self.on[k + 1] if k + 1 < near.slots else np.zeros_like(on)
        cost += near.start_cost * (1.0 - before - after)
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


class _Felt:
    """The slots in which some rooms may leave their bands, whatever one relay does there.

    `unavoidable` is the price of the discomfort that none of its sequences avoids.
    """

    def __init__(self, warmed: Warmed, coldest: Array) -> None:
        """Begin with the air that its rooms have without it, room after room, (rooms x slots,)."""
        warmest = coldest + warmed.warmest_k
        cold, warm = warmed.low_c - warmest, coldest - warmed.high_c
        felt = (coldest < warmed.low_c) | (warmest > warmed.high_c)
        self.nowhere = not felt.any()
        self.unavoidable = float(
            np.maximum(cold, 0.0) @ warmed.cold_price + np.maximum(warm, 0.0) @ warmed.warm_price
        )
        self._answer = warmed.answer[felt].T
        self._short_k = (warmed.low_c - coldest)[felt]
        self._over_k = (coldest - warmed.high_c)[felt]
        self._cold_price, self._warm_price = warmed.cold_price[felt], warmed.warm_price[felt]

    def slope(self, row: Array) -> Array:
        """Tell what being on in each slot changes beside a sequence, (slots,)."""
        rise = self._answer.T @ row
        cold = np.where(rise < self._short_k, self._cold_price, 0.0)
        warm = np.where(rise + self._over_k > 0.0, self._warm_price, 0.0)
        return np.asarray(self._answer @ (warm - cold))

    def cost(self, rows: Rows) -> Array:
        """Price the discomfort under sequences, (n,)."""
        rise = rows @ self._answer
        cold = np.maximum(self._short_k - rise, 0.0) @ self._cold_price
        return np.asarray(cold + np.maximum(rise + self._over_k, 0.0) @ self._warm_price)
