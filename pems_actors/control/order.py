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
from pems_actors.domain.events import GuardOrder, Need, Why
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
    why: str | Why
    level: Level
    target_c: float
    slack_k: float
    breaks_dwell: bool = False

    @property
    def reason(self) -> str:
        """Why it should be so."""
        return str(self.why)


Verdict = tuple[bool, str, str]  # on or off, the rule that says so, and why


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
    floor_hot: str = "",
) -> tuple[DutyAccount, Decision]:
    """Apply the order of rules to a relay.

    Args:
        relay: limits and dwell times.    memory, account: what its owner remembers.
        needs: one per member heard of lately; at least the owner's.
        blocked: heating is blocked by the tariff now.    guard: an order of the guard in force.
        floor_measured: the owner's floor has a sensor, or there is none to be spared: panels.
        floor_hot: a floor that is estimated too warm, as a sentence.
    Returns: the duty account moved on, and the decision.
    """
    need = neediest(needs) if len(needs) > 1 else needs[0]
    account = account.after(need, now_s, was_on=memory.on)
    rule = "user" if need.user else BY_LEVEL[need.level]
    wanted = Decision(account.modulator.on, rule, need.why, need.level, need.target_c, need.slack_k)
    hand = memory.person(now_s)
    if hand is not None:
        wanted = wanted._replace(on=hand.on, rule="person", why=_told(hand))
    dwelt = now_s - memory.since_s >= (relay.min_on_s if memory.on else relay.min_off_s)
    verdict = _safe(memory, needs, now_s, blocked=blocked, guard=guard)
    if verdict is not None:
        on, rule, why = verdict
        breaks = on != memory.on and not dwelt
        return account, wanted._replace(on=on, rule=rule, why=why, breaks_dwell=breaks)
    verdict = _barred(memory, now_s, blocked=blocked, floor_measured=floor_measured)
    if verdict is None and dwelt:
        verdict = _estimated_hot(needs, floor_hot)
    if verdict is None and wanted.on != memory.on:
        verdict = _too_soon(relay, memory, now_s, dwelt=dwelt)
    if verdict is not None:
        on, rule, why = verdict
        return account, wanted._replace(on=on, rule=rule, why=why)
    return account, wanted


def _estimated_hot(needs: Sequence[Need], floor_hot: str) -> Verdict | None:
    """Rest where no reading but an estimate says too hot: above a person's word, below a dwell."""
    if floor_hot:
        return False, "floor", floor_hot
    for need in needs:
        if need.seems_hot:
            return False, "overheat", f"too warm by its estimate: {need.room}"
    return None


def _told(hand: ByHand) -> str:
    state = "on" if hand.on else "off"
    return f"switched {state} at the device by a person, kept until {iso(hand.until_s)}"


def _safe(
    memory: RelayMemory,
    needs: Sequence[Need],
    now_s: float,
    *,
    blocked: bool,
    guard: GuardOrder | None,
) -> Verdict | None:
    """Breaker, overheat and floor limit, frost: the rules that may break a dwell."""
    if now_s < memory.shed_until_s:
        return False, "breaker", memory.shed_reason
    for need in needs:
        if need.overheat:
            return False, "overheat", f"too warm: {need.room}"
    if guard is not None and now_s < guard.until_s and not (guard.on and blocked):
        return guard.on, "guard", guard.reason
    for need in needs:
        if need.frost and not blocked:
            return True, "frost", f"frost guard: {need.room}"
    return None


def _barred(
    memory: RelayMemory, now_s: float, *, blocked: bool, floor_measured: bool
) -> Verdict | None:
    """Find what holds a relay off whatever is wanted: the tariff, or a floor that must rest."""
    if blocked:
        # the contact has cut the heat already; following it is no choice of ours and no dwell
        return False, "tariff", "heating blocked by the tariff"
    if floor_measured:
        return None
    if memory.on and now_s - memory.since_s >= CONTINUOUS_ON_S:
        return False, "floor", "4 h on without a floor sensor: rest"
    if not memory.on and now_s < memory.rest_until_s:
        return False, "floor", "floor rests after 4 h"
    return None


def _too_soon(relay: Relay, memory: RelayMemory, now_s: float, *, dwelt: bool) -> Verdict | None:
    """Leave a relay as it is for its dwell time, and off after many starts within the hour."""
    if not dwelt:
        return memory.on, "dwell", f"just switched {'on' if memory.on else 'off'}"
    if memory.on:
        return None
    recent = sum(1 for s in memory.starts_s if s > now_s - HOUR_S)
    if recent >= relay.max_starts_per_h:
        return False, "starts", f"{recent} starts within the hour"
    return None
