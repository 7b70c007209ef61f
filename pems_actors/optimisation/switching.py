"""What a relay may do in the near slots: dwell, starts per hour, blocks, and shared caps.

Pure bookkeeping on slot times, shared by rounding and commitments. A relay that just switched has
to stay; what is blocked is off; all relays together respect the heating cap, the grid and the
phases, with the base load, the sun and the planned battery as they are expected.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from math import isnan

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import Relay
from pems_actors.domain.plan import RelayHistory
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array

Bools = NDArray[np.bool_]
Rows = Array  # sequences of 0 and 1
Bits = NDArray[np.int64]
SLACK_KW = 1e-6
_SLACK_S = 1.0
_LONG_OFF = RelayHistory(on=False, since_s=float("-inf"))


@dataclass(frozen=True, slots=True)
class Caps:
    """Shared limits: `use[c, m]` kW of relay m under cap c, and `room_kw[c, k]` for all relays.

    `lift[c]` is what the battery must give for one kW more of room, 0 where it gives none.
    """

    use: Array
    room_kw: Array
    lift: Array

    def left(self, on: Array) -> Array:
        """Give what remains under each cap with some relays on, (caps, slots)."""
        return np.asarray(self.room_kw[:, : len(on)] - self.use @ on.T)

    def fits(self, relay: int, left: Array) -> Bools:
        """Tell in which slots a relay fits into what is left, (slots,)."""
        return np.asarray(np.all(left >= self.use[:, relay, None] - SLACK_KW, axis=0))


def caps_of(case: Case, supply_kw: Array) -> Caps:
    """Read the shared limits of a case.

    Args:
        supply_kw: PV and discharge that will be there for the house, (slots,) or more [kW].
    Returns: heating cap, grid limit and, in a three-phase house, each phase of the breaker.
    """
    limits, base = case.problem.limits, case.stages.base_kw[: len(supply_kw)]
    net = base - supply_kw
    use = [case.power_kw, case.power_kw]
    room = [np.full(len(net), limits.heating_kw), limits.grid_kw - net]
    lift = [0.0, 1.0]
    if limits.phases == 3:
        out = np.where(case.stages.export_allowed[: len(net)], limits.export_kw, 0.0)
        skews = case.stages.skew_kw[: len(net)].T
        for share, skew in zip(case.phases.T, skews, strict=True):
            # The inverter feeds all phases alike, and no more than may leave the house: what one
            # phase draws over its third stays on its breaker however much the sun gives.
            use.extend((case.power_kw * share, case.power_kw * np.maximum(share - 1.0 / 3.0, 0.0)))
            most = limits.phase_kw - skew
            room.extend((most - net / 3.0, most + out / 3.0))
            lift.extend((3.0, 0.0))
    return Caps(np.array(use), np.array(room), np.array(lift))


def history_of(case: Case, relay: Relay) -> RelayHistory:
    """Find a relay's past; one that nobody reported has been off for long."""
    return case.problem.state.relays.get(relay.name, _LONG_OFF)


@dataclass(frozen=True, slots=True)
class Commitments:
    """What is decided before any plan, per near slot and relay.

    `off` and `on` are masks (slots, relays); `released` names relays whose dwell had to give way.
    """

    off: Bools
    on: Bools
    released: tuple[str, ...]


def commitments_of(case: Case, caps: Caps, slots: int) -> Commitments:
    """Find what blocks, service and dwell decide; dwell gives way to the shared caps."""
    start = case.stages.start_s[:slots]
    relays = case.problem.relays
    off = np.repeat(case.stages.blocked[:slots, None], len(relays), axis=1)
    on = np.zeros_like(off)
    for m, relay in enumerate(relays):
        past = history_of(case, relay)
        if relay.name in case.problem.out_of_service:
            off[:, m] = True
        elif past.on:
            dwells = (start < past.since_s + relay.min_on_s - _SLACK_S) & ~off[:, m]
            on[:, m] = np.logical_and.accumulate(dwells)  # what a block cut short is over
        else:
            off[:, m] |= start < past.since_s + relay.min_off_s - _SLACK_S
    admitted, released = _admit(case, caps, on)
    off |= _stood_down(case, on, admitted)
    return Commitments(off, admitted, released)


def _admit(case: Case, caps: Caps, wanted: Bools) -> tuple[Bools, tuple[str, ...]]:
    """Let relays stay on, largest first, until the slot in which one no longer fits.

    Returns: who stays on when, and the names of those whose dwell had to give way.
    """
    on = np.zeros_like(wanted)
    for m in np.argsort(-case.power_kw, kind="stable"):
        fits = caps.fits(int(m), caps.left(on.astype(float)))
        on[:, m] = np.logical_and.accumulate(wanted[:, m] & fits)
    gave_way = np.asarray((wanted & ~on).any(axis=0)).tolist()
    return on, tuple(r.name for r, gave in zip(case.problem.relays, gave_way, strict=True) if gave)


def _stood_down(case: Case, wanted: Bools, on: Bools) -> Bools:
    """Keep a relay that lost its dwell off for its minimum pause, from where it went off."""
    start = case.stages.start_s[: len(on)]
    off = np.zeros_like(on)
    for m in np.nonzero((wanted & ~on).any(axis=0))[0]:
        stop = start[int(np.argmax(wanted[:, m] & ~on[:, m]))]
        pause = case.problem.relays[m].min_off_s - _SLACK_S
        off[:, m] = (start >= stop) & (start - stop < pause)
    return off


@lru_cache(maxsize=16)
def patterns(slots: int, runs: int = 2) -> Rows:
    """List all on/off sequences with at most some runs of on, shape (patterns, slots)."""
    rows = [np.zeros(slots)]
    for count in range(1, runs + 1):
        for edges in combinations(range(slots + 1), 2 * count):
            row = np.zeros(slots)
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                row[begin:end] = 1.0
            rows.append(row)
    table = np.array(rows)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=16)
def pattern_bits(slots: int) -> Bits:
    """Write all sequences with few runs of on as whole numbers."""
    return bits_of(patterns(slots))


@lru_cache(maxsize=16)
def flips(slots: int) -> Bits:
    """Mark no slot, each single slot and each pair of slots: what a small change turns round."""
    one, two = np.triu_indices(slots)
    return np.concatenate([[0], (1 << one) | (1 << two)])


def bits_of(states: Bools | Rows) -> Bits:
    """Write sequences (..., slots) as whole numbers, the first slot in the lowest bit."""
    weights = 1 << np.arange(states.shape[-1])
    return np.asarray(states.astype(np.int64) @ weights)


def rows_of(bits: Bits, slots: int) -> Rows:
    """Read sequences back from whole numbers, (n, slots)."""
    return np.asarray(bits[:, None] >> np.arange(slots) & 1, dtype=float)


@dataclass(frozen=True)
class SwitchRules:
    """Dwell and starts of one relay on given slot starts, ready to judge many sequences at once.

    `earlier` counts the starts before the plan that are still within the hour in each slot;
    `longest[k]` the slots that a run from slot k may fill before its floor must rest, and `goes_on`
    those that the present run still may.
    """

    start_s: tuple[float, ...]
    on_before: bool
    min_on_s: float
    min_off_s: float
    earlier: tuple[int, ...]
    most_starts: int
    goes_on: int
    longest: tuple[int, ...]

    @cached_property
    def stay_on(self) -> dict[int, list[int]]:
        """Slots that must be on too after a start in a slot."""
        return _within(self.start_s, self.min_on_s)

    @cached_property
    def stay_off(self) -> dict[int, list[int]]:
        """Slots that must be off too after a stop at the beginning of a slot."""
        return _within(self.start_s, self.min_off_s)

    @cached_property
    def _hour(self) -> Rows:
        """Which starts (rows) count against a start in which slot (columns)."""
        at = np.array(self.start_s)
        gap = at[None, :] - at[:, None]
        return np.asarray((gap >= 0.0) & (gap < HOUR_S - _SLACK_S), dtype=float)

    @cached_property
    def _starts_may_be_too_many(self) -> bool:
        """Whether any sequence, on and off in turn, could have too many starts in an hour."""
        slots = float(self._hour.sum(axis=0).max(initial=0.0))
        return (slots + 1.0) // 2.0 + max(self.earlier, default=0) > self.most_starts

    def allows(self, rows: Rows) -> Bools:
        """Judge sequences, shape (n, slots); True where dwell and starts are kept."""
        broken = np.zeros(len(rows), dtype=bool)
        if self._starts_may_be_too_many or self.stay_on or self.stay_off:
            broken |= self._starts_or_stops_wrongly(rows)
        if self.on_before and self.goes_on < len(self.start_s):
            broken |= rows[:, : self.goes_on + 1].min(axis=1) > 0.0
        for k, most in enumerate(self.longest):
            if k + most < len(self.start_s):
                broken |= rows[:, k : k + most + 1].min(axis=1) > 0.0
        return np.asarray(~broken)

    def _starts_or_stops_wrongly(self, rows: Rows) -> Bools:
        """Tell where dwell is broken, or starts are too many within an hour, (n,)."""
        before = np.empty_like(rows)
        before[:, 0] = self.on_before
        before[:, 1:] = rows[:, :-1]
        starts = rows * (1.0 - before)
        broken = ((starts @ self._hour + self.earlier) * starts).max(axis=1) > self.most_starts
        for k, slots in self.stay_on.items():
            broken |= starts[:, k] > rows[:, slots].min(axis=1)
        for k, slots in self.stay_off.items():
            broken |= (before[:, k] > rows[:, k]) & (rows[:, slots].max(axis=1) > 0.0)
        return np.asarray(broken)

    def may_go_on(self, past: Sequence[bool], k: int) -> bool:
        """Judge staying on in slot k after the states of the slots before it, all on at the end."""
        began = next((j + 1 for j in range(k - 1, -1, -1) if not past[j]), 0)
        if began == 0 and self.on_before:
            return k < self.goes_on
        return k - began < self.longest[began]

    def may_start(self, past: Sequence[bool], k: int) -> bool:
        """Judge a start in slot k after the states of the slots before it."""
        count = 1 + self.earlier[k]
        for j, on in enumerate(past[:k]):
            before = past[j - 1] if j else self.on_before
            if before and not on and k in self.stay_off.get(j, ()):
                return False
            count += on and not before and self.start_s[k] - self.start_s[j] < HOUR_S - _SLACK_S
        return count <= self.most_starts

    def starts(self, rows: Rows) -> Array:
        """Count the starts of sequences, (n,)."""
        first = rows[:, 0] * (0.0 if self.on_before else 1.0)
        return np.asarray(first + np.maximum(rows[:, 1:] - rows[:, :-1], 0.0).sum(axis=1))


@lru_cache(maxsize=64)
def _within(start_s: tuple[float, ...], span_s: float) -> dict[int, list[int]]:
    """List, for each slot that has any, the later slots that begin within a span of it."""
    near = {
        k: [j for j in range(k + 1, len(start_s)) if start_s[j] - at < span_s - _SLACK_S]
        for k, at in enumerate(start_s)
    }
    return {k: slots for k, slots in near.items() if slots}


def switch_rules(
    start_s: Array, relay: Relay, past: RelayHistory, end_s: float | None = None
) -> SwitchRules:
    """Prepare a relay's rules for slots that begin at `start_s`; the last one ends at `end_s`."""
    at = tuple(start_s.tolist())
    end = (*at[1:], at[-1] if end_s is None else end_s)
    return SwitchRules(
        start_s=at,
        on_before=past.on,
        min_on_s=relay.min_on_s,
        min_off_s=relay.min_off_s,
        earlier=tuple(sum(s > t - HOUR_S + _SLACK_S for s in past.starts_s) for t in at),
        most_starts=relay.max_starts_per_h,
        goes_on=_ending_by(end, past.since_s + past.rests_after_s, 0),
        longest=tuple(_ending_by(end, s + past.rests_after_s, k) for k, s in enumerate(at)),
    )


def _ending_by(end_s: tuple[float, ...], limit_s: float, first: int) -> int:
    """Count the slots from the first on that end by a limit (NaN: nobody knows, so all)."""
    if isnan(limit_s):
        return len(end_s) - first
    return max(bisect_right(end_s, limit_s + _SLACK_S) - first, 0)
