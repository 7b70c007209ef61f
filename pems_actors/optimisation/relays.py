"""Whole switches for the near slots: from relaxed duties to on and off.

First a sum-up rounding that keeps every relay's heat close to its duty under the shared caps; then
each relay in turn, largest first, takes the best of all sequences with few runs (and of all small
changes to its present one), given what the others do; where a cap keeps one out, slots are packed
anew, and those of a short plan exchange who is on. "Best" is exact for its rooms' comfort over the
near slots; power is priced by the relaxation's dual, the future by its costates, and straying from
the planned total power by a gentle quadratic price: coordination is what matters.
"""

from __future__ import annotations

from operator import ge, sub

import numpy as np

from pems_actors.optimisation.exchanging import exchanged
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.packing import packed
from pems_actors.optimisation.schedule import Schedule
from pems_actors.optimisation.sequences import (
    MOST_SLOTS,
    Bools,
    bits_of,
    flips,
    listed,
    lists_all,
    rows_of,
)
from pems_actors.optimisation.switching import SLACK_KW, Caps

_AGREED_FIRST = 1.0  # of a slot: churn of a cold day falls from 7 to 5 % (2026-11, measured)


def whole_relays(near: Near, passes: int = 2, start: Bools | None = None) -> Bools:
    """Decide every relay in every near slot, shape (slots, relays).

    Caps, blocks, dwell and starts are kept in every slot; the better of rounding and its
    improvements by `Near.cost` is returned.

    Args:
        start: states that keep the rules, to improve instead of a rounding where they fit.
    """
    if near.slots == 0:
        return near.commitments.on
    on = start if start is not None and _fits(near, start) else round_up_sums(near)
    if near.slots > MOST_SLOTS:
        return on  # rounding stands
    best, least = on, near.cost(on)
    order = np.argsort(-near.case.power_kw, kind="stable").tolist()
    for _ in range(passes):
        after = packed(near, _improved(near, on, order))
        if near.is_all:  # else it saves next to nothing, and takes a tenth more (2026-11, measured)
            after = exchanged(near, after)
        cost = near.cost(after)
        if cost < least - 1e-9:
            best, least = after, cost
        if (after == on).all():
            break
        on = after
    return best


def _fits(near: Near, on: Bools) -> bool:
    return bool((near.most.left(on.astype(float)) >= -SLACK_KW).all())


def carried_duty(near: Near, on: Bools) -> Array:
    """Give the duties of all slots: near ones whole, and what rounding left over soon after.

    A relay that gave less (or more) heat than relaxed makes up for it in its next slots with a
    duty, as far as caps allow; so the far plan starts from the house that rounding leaves.
    """
    hours = near.case.stages.hours
    duty = near.relaxed.duty.copy()
    owed = near.hours @ (duty[: near.slots] - on)
    duty[: near.slots] = on
    full = np.where(near.closed, 0.0, 1.0)
    for k in range(near.slots, len(duty)):
        wish = np.minimum(np.maximum(duty[k] + owed / hours[k], 0.0), full[k])
        given = _within(near.caps, k, duty[k], wish)
        owed += (duty[k] - given) * hours[k]
        duty[k] = given
    return duty


def _within(caps: Caps, k: int, planned: Array, wish: Array) -> Array:
    """Scale duties down from a wish, first towards what is planned, then to nothing, to fit."""
    drawn, room = caps.use @ wish, caps.room_kw[:, k]
    if (drawn <= room).all():
        return wish
    least = np.minimum(planned, wish)
    kept = caps.use @ least
    for low, high, less, more in ((least, wish, kept, drawn), (0.0 * least, least, 0.0, kept)):
        share = min(1.0, float(np.min((room - less) / np.maximum(more - less, 1e-9), initial=1.0)))
        if share >= 0.0:
            return np.asarray(low + share * (high - low))
    return np.zeros_like(least)


def round_up_sums(near: Near) -> Bools:
    """Switch on, slot by slot, where the relaxed plan's heat is furthest ahead of the relay's."""
    filling = _Filling(near)
    owed = np.zeros(len(near.case.power_kw))
    for k, hours in enumerate(near.hours.tolist()):
        owed += near.relaxed.duty[k] * hours
        wish = np.where(filling.reserved[k], np.inf, owed)
        first = np.argsort(-wish - _lead_h(near, k), kind="stable")
        for m in first[wish[first] > hours / 2].tolist():
            if filling.reserved[k, m] or filling.fits(k, m):
                filling.switch_on(k, m)
        owed -= filling.on[k] * hours
    return filling.on


def _lead_h(near: Near, k: int) -> Array:
    """Let those come first that the last plan told to be on: where all fit it makes no odds."""
    if near.agreed is None or k >= len(near.agreed):
        return np.zeros(len(near.case.power_kw))
    return np.asarray(_AGREED_FIRST * near.hours[k] * near.agreed[k])


class _Filling:
    """Near slots while they fill: who is on, who has to stay on, and what is left of the caps."""

    def __init__(self, near: Near) -> None:
        self.near = near
        self.reserved = near.commitments.on.copy()
        self.on = np.zeros_like(self.reserved)
        left = near.caps.left(self.reserved.astype(float))
        self.left: list[list[float]] = left.T.tolist()
        self.use: list[list[float]] = near.caps.use.T.tolist()
        self.least: list[list[float]] = (near.caps.use - SLACK_KW).T.tolist()
        self.off = near.commitments.off.tolist()

    def fits(self, k: int, m: int) -> bool:
        """Whether relay m may be on in slot k after what is already decided."""
        rules, least = self.near.rules[m], self.least[m]
        for j in self._needed(k, m):
            if self.off[j][m]:
                return False
            if not self.reserved[j, m] and not all(map(ge, self.left[j], least)):
                return False
        runs, past = self.on[k - 1, m] if k else rules.on_before, self.on[:k, m].tolist()
        return rules.may_go_on(past, k) if runs else rules.may_start(past, k)

    def switch_on(self, k: int, m: int) -> None:
        """Let relay m be on in slot k, and as long after as it then has to."""
        for j in self._needed(k, m):
            if not self.reserved[j, m]:
                self.left[j] = list(map(sub, self.left[j], self.use[m]))
                self.reserved[j, m] = True
        self.on[k, m] = True

    def _needed(self, k: int, m: int) -> list[int]:
        rules = self.near.rules[m]
        runs = self.on[k - 1, m] if k else rules.on_before
        return [k] if runs else [k, *rules.stay_on.get(k, [])]


def _improved(near: Near, on: Bools, order: list[int]) -> Bools:
    """Let every relay answer to all others once, in the given order."""
    schedule = Schedule(near, on)
    for m in order:
        row = _best_row(schedule, m)
        if (row != schedule.on[:, m]).any():
            schedule.change(m, row)
    return schedule.on


def _best_row(schedule: Schedule, m: int) -> Bools:
    """Find a relay's best sequence with all others fixed.

    Among those that are listed, and all that differ from the present one in one or two slots.
    """
    near, present, table = schedule.near, schedule.on[:, m], listed(schedule.near.slots)
    left, small = schedule.left_without(m), flips(schedule.near.slots)
    shut, price = bits_of(~schedule.fits(m, left)), schedule.price_per_slot(m, left)
    bits, apart = table.bits, near.listed_apart(m)
    whole = lists_all(near.slots)
    if not whole:
        turned = small.bits ^ bits_of(present)
        alone = np.where(near.allowed(m, turned), near.apart(m, turned), np.inf)
        bits, apart = np.concatenate([bits, turned]), np.concatenate([apart, alone])

    def along(price: Array) -> Array:
        """Price all sequences slot by slot."""
        if whole:
            return table.rows @ price
        change = small.rows @ np.where(present, -price, price) + present @ price
        return np.concatenate([table.rows @ price, change])

    cost = along(price) + apart
    cost[bits & shut != 0] = np.inf
    found = schedule.cheapest(m, bits, cost, along)
    if cost[found] == np.inf:
        return present
    return np.asarray(rows_of(bits[found, None], near.slots)[0] > 0.5)
