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
from math import isnan

import numpy as np

from pems_actors.domain.house import Relay
from pems_actors.domain.plan import RelayHistory
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.sequences import Bits, Bools, bits_of, starts_of

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
    def _hour(self) -> tuple[int, ...]:
        """Mark for each slot those in which a start counts against one in it."""
        at = np.array(self.start_s)
        gap = at[:, None] - at[None, :]
        return tuple(bits_of((gap >= 0.0) & (gap < HOUR_S - _SLACK_S)).tolist())

    @cached_property
    def _starts_may_be_too_many(self) -> bool:
        """Whether any sequence, on and off in turn, could have too many starts in an hour."""
        slots = max((hour.bit_count() for hour in self._hour), default=0)
        return (slots + 1) // 2 + max(self.earlier, default=0) > self.most_starts

    @cached_property
    def too_long(self) -> tuple[int, ...]:
        """Mark the runs that a floor cannot bear: no sequence may be on in all slots of one."""
        slots = len(self.start_s)
        runs = [(k, most + 1) for k, most in enumerate(self.longest)]
        if self.on_before:
            runs.append((0, self.goes_on + 1))
        return tuple({((1 << n) - 1) << k for k, n in runs if k + n <= slots})

    def allows(self, bits: Bits) -> Bools:
        """Judge sequences, (n,); True where dwell and starts are kept."""
        allowed = np.ones(len(bits), dtype=bool)
        for run in self.too_long:
            allowed &= bits & run != run
        if self._starts_may_be_too_many or self.stay_on or self.stay_off:
            allowed &= ~self._starts_or_stops_wrongly(bits)
        return allowed

    def _starts_or_stops_wrongly(self, bits: Bits) -> Bools:
        """Tell where dwell is broken, or starts are too many within an hour, (n,)."""
        before = bits << 1 | int(self.on_before)
        starts, stops = bits & ~before, before & ~bits
        broken = np.zeros(len(bits), dtype=bool)
        if self._starts_may_be_too_many:
            for k, (hour, earlier) in enumerate(zip(self._hour, self.earlier, strict=True)):
                many = np.bitwise_count(starts & hour) + earlier > self.most_starts
                broken |= many & (starts >> k & 1 > 0)
        for k, slots in self.stay_on.items():
            needed = sum(1 << j for j in slots)
            broken |= (starts >> k & 1 > 0) & (bits & needed != needed)
        for k, slots in self.stay_off.items():
            broken |= (stops >> k & 1 > 0) & (bits & sum(1 << j for j in slots) != 0)
        return broken

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

    def starts(self, bits: Bits) -> Array:
        """Count the starts of sequences, (n,)."""
        return starts_of(bits, on_before=self.on_before).astype(float)


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
