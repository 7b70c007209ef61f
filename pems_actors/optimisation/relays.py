"""Whole switches for the near slots: from relaxed duties to on and off.

First a sum-up rounding that keeps every relay's heat close to its duty under the shared caps; then
each relay in turn, largest first, takes the best of all sequences with few runs (and of all small
changes to its present one), given what the others do. "Best" is exact for its rooms' comfort over
the near slots; power is priced by the relaxation's dual, the future by its costates, and straying
from the planned total power by a gentle quadratic price: coordination is what matters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.switching import SLACK_KW, Bools, Caps, Rows

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
    rules, needed = near.rules[m], [k]
    if not (on[k - 1, m] if k else rules.on_before):
        needed += rules.stay_on.get(k, [])
        if not rules.may_start(on[:k, m].tolist(), k):
            return False
    if near.commitments.off[needed, m].any():
        return False
    taken = on[needed] | reserved[needed]
    taken[:, m] = True
    return bool((near.caps.room_kw[:, needed] >= near.caps.use @ taken.T - SLACK_KW).all())


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
    ahead = rows @ near.hours - near.hours @ near.relaxed.duty[: near.slots, m]
    cost = cost + near.remainder_price[m] * ahead**2
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
