"""The cheapest orders to the inverter over all slots, with so many changes of mode a day.

Backward over values, forward over the real charge. Changes of the past count for as long as they
are less than a day old; then a day is the 24 hours from now, and the next 24. A charge from the
grid begins only where its end fits into the count too: it must not go on for want of a change.
Knows the table, and nothing of how its money came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from math import inf

import numpy as np

from pems_actors.domain.house import BatteryMode
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.mode_table import ModeTable, Order


@dataclass(frozen=True)
class ModeSearch:
    """Orders, what they cost, and when they may change.

    `may_change` marks slots in which the mode may change, `new_day` those with which the count of
    changes begins anew; `changes_left` may be made now, and `regained` tells how many more from a
    slot on, as those of the past become a day old. `full_worth` is what a full battery is worth at
    the end; `mode` and `soc_frac` are those of now.
    """

    orders: tuple[Order, ...]
    table: ModeTable
    may_change: tuple[bool, ...]
    new_day: frozenset[int]
    most_changes: int
    full_worth: float
    mode: BatteryMode
    soc_frac: float
    changes_left: int
    regained: Mapping[int, int] = field(default_factory=dict)
    counts: bool = True  # whether a change of mode is more than one of rate

    def cheapest(self, change_price: float) -> list[Order]:
        """Find the cheapest orders, one per slot.

        Args:
            change_price: of every change of an order, beside what it is good for.
        """
        onward = self._onward(change_price)
        soc, left = self.soc_frac, self.changes_left
        now, chosen = -1, []
        for k, may_change in enumerate(self.may_change):
            left = self.most_changes if k in self.new_day else self._with_regained(k, left)
            if may_change or k == 0:
                before, now = now, self._best(onward[k], soc, left, now, change_price, may_change)
                left -= not self._same_mode(before)[now]
            chosen.append(self.orders[now])
            soc = self._after(k, now, soc)
        return chosen

    def _onward(self, change_price: float) -> Array:
        """Price what follows from each slot on, (K, changes left, orders, points).

        That is from a slot's beginning, under an order already chosen.
        """
        most = self.most_changes
        value = np.tile(-self.full_worth * self.table.soc, (most + 1, len(self.orders), 1))
        onward = np.empty((len(self.may_change), *value.shape))
        for k in range(len(onward) - 1, -1, -1):
            onward[k] = value = self.table.cost[k] + self.table.carried(k, value)
            if self.may_change[k]:
                value = self._free_to_change(value, change_price)
            if k in self.new_day:
                value = np.broadcast_to(value[most], value.shape)
            elif k in self.regained:
                value = value[[self._with_regained(k, left) for left in range(most + 1)]]
        return onward

    def _with_regained(self, k: int, left: int) -> int:
        return min(left + self.regained.get(k, 0), self.most_changes)

    def _free_to_change(self, onward: Array, change_price: float) -> Array:
        """Let every order be changed: within its mode at will, to another while changes last."""
        value = onward.copy()
        if len(onward) > 1:
            another = onward[:-1].min(axis=1, keepdims=True)
            another[0] = onward[0, self._endless].min(axis=0) if self._endless else inf
            np.minimum(value[1:], another + change_price, out=value[1:])
        for alike in self._groups:
            gentler = onward[:, alike].min(axis=1, keepdims=True) + change_price
            np.minimum(value[:, alike], gentler, out=value[:, alike])
        return value

    @cached_property
    def _endless(self) -> list[int]:
        """List the orders that may take the last change, as they need no end."""
        return [a for a, order in enumerate(self.orders) if not _ends(order)]

    @cached_property
    def _groups(self) -> list[slice]:
        """List the neighbouring orders of each mode that has several."""
        if not self.counts:
            return [slice(0, len(self.orders))]
        runs, at = [], 0
        for _, orders in groupby(self.orders, key=lambda order: order.mode):
            count = len(list(orders))
            runs.append(slice(at, at + count))
            at += count
        return [run for run in runs if run.stop - run.start > 1]

    def _same_mode(self, now: int) -> list[bool]:
        """Mark the orders of the mode of order `now`; before the first, of the present mode."""
        mode = self.mode if now < 0 else self.orders[now].mode
        return [order.mode is mode or not self.counts for order in self.orders]

    def _best(
        self,
        onward: Array,
        soc: float,
        left: int,
        now: int,
        change_price: float,
        may_change: bool,
    ) -> int:
        """Choose the order of a slot from what follows, (changes left, orders, points)."""
        below, share = self.table.place(soc)
        at_soc = (onward[..., below : below + 2] @ (1.0 - share, share)).tolist()
        same, cost = self._same_mode(now), []
        for order, alike in enumerate(same):
            if not alike:
                pays = left > _ends(self.orders[order]) and may_change
                cost.append(at_soc[left - 1][order] + change_price if pays else inf)
            else:
                goes_on = now < 0 or order == now or not may_change
                cost.append(at_soc[left][order] + (0.0 if goes_on else change_price))
        return cost.index(min(cost))

    def _after(self, k: int, now: int, soc: float) -> float:
        below, share = self.table.place(soc)
        low, high = self.table.after[k, now, below : below + 2].tolist()
        return float(low + (high - low) * share)


def _ends(order: Order) -> bool:
    """Tell if an order must be able to end: its beginning takes two changes to be at hand."""
    return order.mode is BatteryMode.CHARGE_GRID
