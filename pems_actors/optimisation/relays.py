"""Whole switches for the near slots: from relaxed duties to on and off.

First a sum-up rounding that keeps every relay's heat close to its duty under the shared caps; then
each relay in turn, largest first, takes the best of all sequences with few runs (and of all small
changes to its present one), given what the others do; where a cap keeps one out, slots are packed
anew. "Best" is exact for its rooms' comfort over the near slots; power is priced by the
relaxation's dual, the future by its costates, and straying from the planned total power by a gentle
quadratic price: coordination is what matters.
"""

from __future__ import annotations

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.packing import packed
from pems_actors.optimisation.schedule import Schedule
from pems_actors.optimisation.switching import SLACK_KW, Bools, Caps, Rows, bits_of, flips

_MOST_SLOTS = 24  # beyond, the list of sequences grows too long and rounding stands


def whole_relays(near: Near, passes: int = 2) -> Bools:
    """Decide every relay in every near slot, shape (slots, relays).

    Caps, blocks, dwell and starts are kept in every slot; the better of rounding and its
    improvements by `Near.cost` is returned.
    """
    if near.slots == 0:
        return near.commitments.on
    on = round_up_sums(near)
    if near.slots > _MOST_SLOTS:
        return on
    best, least = on, near.cost(on)
    order = np.argsort(-near.case.power_kw, kind="stable").tolist()
    for _ in range(passes):
        after = packed(near, _improved(near, on, order))
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
    filling = _Filling(near)
    owed = np.zeros(len(near.case.power_kw))
    for k, hours in enumerate(near.hours.tolist()):
        owed += near.relaxed.duty[k] * hours
        wish = np.where(filling.reserved[k], np.inf, owed)
        for m in np.argsort(-wish, kind="stable").tolist():
            if wish[m] <= hours / 2:
                break
            if filling.reserved[k, m] or filling.fits(k, m):
                filling.switch_on(k, m)
        owed -= filling.on[k] * hours
    return filling.on


class _Filling:
    """Near slots while they fill: who is on, who has to stay on, and what is left of the caps."""

    def __init__(self, near: Near) -> None:
        self.near = near
        self.reserved = near.commitments.on.copy()
        self.on = np.zeros_like(self.reserved)
        self.left = near.caps.left(self.reserved.astype(float))
        self.use = near.caps.use - SLACK_KW
        self.off = near.commitments.off.tolist()

    def fits(self, k: int, m: int) -> bool:
        """Whether relay m may be on in slot k after what is already decided."""
        rules, use = self.near.rules[m], self.use[:, m]
        for j in self._needed(k, m):
            if self.off[j][m]:
                return False
            if not self.reserved[j, m] and (self.left[:, j] < use).any():
                return False
        runs, past = self.on[k - 1, m] if k else rules.on_before, self.on[:k, m].tolist()
        return rules.may_go_on(past, k) if runs else rules.may_start(past, k)

    def switch_on(self, k: int, m: int) -> None:
        """Let relay m be on in slot k, and as long after as it then has to."""
        for j in self._needed(k, m):
            if not self.reserved[j, m]:
                self.left[:, j] -= self.near.caps.use[:, m]
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
        row = _best_row(near, schedule, m)
        if (row != schedule.on[:, m]).any():
            schedule.change(m, row)
    return schedule.on


def _best_row(near: Near, schedule: Schedule, m: int) -> Bools:
    """Find a relay's best sequence with all others fixed."""
    present = schedule.on[:, m]
    left = schedule.left + np.outer(near.caps.use[:, m], present)
    rows, starts = _candidates(near, present, near.most.fits(m, left), m)
    if len(rows) == 0:
        return present
    return np.asarray(rows[schedule.cheapest(m, rows, starts)] > 0.5)


def _candidates(near: Near, present: Bools, possible: Bools, m: int) -> tuple[Rows, Array]:
    """List the sequences that a relay may choose from, and their starts.

    All of few runs, and all that differ from the present one in one or two slots.
    """
    shut = bits_of(~possible)
    library = near.library(m)
    fitting = library.bits & shut == 0
    changed = flips(near.slots) ^ bits_of(present)
    small = near.judged(changed[changed & shut == 0], m)
    return (
        np.concatenate([library.rows[fitting], small.rows]),
        np.concatenate([library.starts[fitting], small.starts]),
    )
