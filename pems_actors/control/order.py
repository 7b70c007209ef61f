"""The order of rules for one relay: from its members' needs to on or off, with the reason.

breaker > overheat and floor limit > frost > tariff block > heating cap > relay dwell > user >
plan > path > rules. The breaker and the cap act through the power budget: it refuses a start or
sheds a running relay. Overheat of any member blocks, frost of any member forces, and only they
may break a dwell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pems_actors.control.duty import Modulator
from pems_actors.domain.events import GuardOrder, Need
from pems_actors.domain.house import Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S, iso

CONTINUOUS_ON_S = 4 * HOUR_S  # a floor whose surface nobody measures rests after this
REST_S = 1800.0
BY_HAND_S = 4 * HOUR_S  # a person's change at the device is respected for this long
BY_LEVEL = ("plan", "plan", "path", "rules", "native")


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person switched the relay at the device; that stands until a time, inside all limits.

    Not `sure`: the relay could have done so by itself, had it not heard our orders for a while.
    """

    on: bool
    until_s: float
    sure: bool = True

    @property
    def since_s(self) -> float:
        """When it was noticed."""
        return self.until_s - BY_HAND_S


@dataclass(frozen=True, slots=True)
class RelayMemory:
    """What a relay's owner remembers of it: the commanded state and its times."""

    on: bool = False
    since_s: float = float("-inf")
    starts_s: tuple[float, ...] = ()
    rest_until_s: float = float("-inf")
    shed_until_s: float = float("-inf")
    shed_reason: str = ""
    dwell_breaks: int = 0
    by_hand: ByHand | None = None
    day: int = 0  # the local day that `starts_today` counts
    starts_today: int = 0

    def counted(self, day: int) -> RelayMemory:
        """Count a start on a local day."""
        return replace(self, day=day, starts_today=self.starts_on(day) + 1)

    def starts_on(self, day: int) -> int:
        """Tell how often the relay was switched on during a local day."""
        return self.starts_today if day == self.day else 0

    def switched(self, on: bool, now_s: float, *, broke_dwell: bool = False) -> RelayMemory:
        """Note a switch; starts older than an hour are forgotten, a long run earns a rest."""
        starts = tuple(s for s in self.starts_s if s > now_s - HOUR_S)
        long_run = self.on and not on and now_s - self.since_s >= CONTINUOUS_ON_S
        return replace(
            self, on=on, since_s=now_s, starts_s=(*starts, now_s) if on else starts,
            rest_until_s=now_s + REST_S if long_run else self.rest_until_s,
            dwell_breaks=self.dwell_breaks + broke_dwell,
        )  # fmt: skip

    def shifted(self, by_s: float) -> RelayMemory:
        """Move along with a clock that was set, so that no dwell is cut short or stretched."""
        hand = self.by_hand
        return replace(
            self,
            since_s=self.since_s + by_s,
            starts_s=tuple(s + by_s for s in self.starts_s),
            rest_until_s=self.rest_until_s + by_s,
            shed_until_s=self.shed_until_s + by_s,
            by_hand=hand and replace(hand, until_s=hand.until_s + by_s),
        )

    def by_person(self, on: bool, now_s: float, *, sure: bool) -> RelayMemory:
        """Note that a person switched at the device; a dwell that ends so was not broken by us."""
        there = self if on == self.on else self.switched(on, now_s)
        return replace(there, by_hand=ByHand(on, now_s + BY_HAND_S, sure))

    def person(self, now_s: float) -> ByHand | None:
        """Tell what a person wants of the relay, if that still stands."""
        hand = self.by_hand
        return hand if hand is not None and now_s < hand.until_s else None


class DutyAccount(NamedTuple):
    """The heat a relay owes by its duty, and when this was last reckoned."""

    modulator: Modulator = Modulator()
    stepped_s: float | None = None

    def after(self, need: Need, now_s: float, *, was_on: bool) -> DutyAccount:
        """Reckon the time since then; a plan's own on or off is carried out and owes nothing."""
        if need.exact:
            on = need.duty > 0.5
            return DutyAccount(Modulator(0.0, on, self.modulator.half_s), now_s)
        dt_s = 0.0 if self.stepped_s is None else max(0.0, now_s - self.stepped_s)
        return DutyAccount(self.modulator.step(need.duty, dt_s, was_on), now_s)


class Decision(NamedTuple):
    """What a relay should be, by which rule, and whether a dwell is broken for it."""

    on: bool
    rule: str
    reason: str
    level: Level
    target_c: float
    slack_k: float
    breaks_dwell: bool = False


def neediest(needs: Sequence[Need]) -> Need:
    """Find the member that speaks for a relay: a person's wish first, then the least slack."""
    return min(needs, key=lambda need: (not need.user, need.slack_k))


def settle(
    relay: Relay,
    memory: RelayMemory,
    account: DutyAccount,
    needs: Sequence[Need],
    now_s: float,
    *,
    blocked: bool,
    guard: GuardOrder | None = None,
    floor_measured: bool = False,
) -> tuple[DutyAccount, Decision]:
    """Apply the order of rules to a relay.

    Args:
        relay: limits and dwell times.    memory, account: what its owner remembers.
        needs: one per member heard of lately; at least the owner's.
        blocked: heating is blocked by the tariff now.    guard: an order of the guard in force.
    Returns: the duty account moved on, and the decision.
    """
    need = neediest(needs) if len(needs) > 1 else needs[0]
    account = account.after(need, now_s, was_on=memory.on)
    rule = "user" if need.user else BY_LEVEL[need.level]
    wanted = Decision(
        account.modulator.on, rule, need.reason, need.level, need.target_c, need.slack_k
    )
    hand = memory.person(now_s)
    if hand is not None:
        wanted = wanted._replace(on=hand.on, rule="person", reason=_told(hand))
    case = _Case(relay, memory, needs, now_s, blocked, guard, floor_measured, wanted)
    for narrowing in RULES:
        verdict = narrowing(case)
        if verdict is not None:
            return account, verdict
    return account, wanted


def _told(hand: ByHand) -> str:
    state = "on" if hand.on else "off"
    return f"switched {state} at the device by a person, kept until {iso(hand.until_s)}"


class _Case(NamedTuple):
    relay: Relay
    memory: RelayMemory
    needs: Sequence[Need]
    now_s: float
    blocked: bool
    guard: GuardOrder | None
    floor_measured: bool
    wanted: Decision

    def verdict(self, on: bool, rule: str, reason: str, *, hard: bool = False) -> Decision:
        """Say on or off for a rule; a hard one notes when it breaks the dwell."""
        breaks = hard and on != self.memory.on and not self.dwelt()
        return self.wanted._replace(on=on, rule=rule, reason=reason, breaks_dwell=breaks)

    def dwelt(self) -> bool:
        """Tell if the relay has stayed long enough in its present state."""
        least_s = self.relay.min_on_s if self.memory.on else self.relay.min_off_s
        return self.now_s - self.memory.since_s >= least_s


def _shed(case: _Case) -> Decision | None:
    if case.now_s < case.memory.shed_until_s:
        return case.verdict(on=False, rule="breaker", reason=case.memory.shed_reason, hard=True)
    return None


def _overheat(case: _Case) -> Decision | None:
    for need in case.needs:
        if need.overheat:
            reason = f"too warm: {need.room}"
            return case.verdict(on=False, rule="overheat", reason=reason, hard=True)
    return None


def _guarded(case: _Case) -> Decision | None:
    order = case.guard
    if order is None or case.now_s >= order.until_s or (order.on and case.blocked):
        return None
    return case.verdict(on=order.on, rule="guard", reason=order.reason, hard=True)


def _frost(case: _Case) -> Decision | None:
    for need in case.needs:
        if need.frost and not case.blocked:
            reason = f"frost guard: {need.room}"
            return case.verdict(on=True, rule="frost", reason=reason, hard=True)
    return None


def _blocked(case: _Case) -> Decision | None:
    if case.blocked:
        # the contact has cut the heat already; following it is no choice of ours and no dwell
        return case.verdict(on=False, rule="tariff", reason="heating blocked by the tariff")
    return None


def _rested(case: _Case) -> Decision | None:
    memory = case.memory
    if case.floor_measured:
        return None
    if memory.on and case.now_s - memory.since_s >= CONTINUOUS_ON_S:
        return case.verdict(on=False, rule="floor", reason="4 h on without a floor sensor: rest")
    if not memory.on and case.now_s < memory.rest_until_s:
        return case.verdict(on=False, rule="floor", reason="floor rests after 4 h")
    return None


def _dwell(case: _Case) -> Decision | None:
    if case.wanted.on == case.memory.on or case.dwelt():
        return None
    state = "on" if case.memory.on else "off"
    return case.verdict(on=case.memory.on, rule="dwell", reason=f"just switched {state}")


def _starts(case: _Case) -> Decision | None:
    if case.memory.on or not case.wanted.on:
        return None
    recent = sum(1 for s in case.memory.starts_s if s > case.now_s - HOUR_S)
    if recent >= case.relay.max_starts_per_h:
        return case.verdict(on=False, rule="starts", reason=f"{recent} starts within the hour")
    return None


RULES = (_shed, _overheat, _guarded, _frost, _blocked, _rested, _dwell, _starts)
