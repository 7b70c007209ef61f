"""The arithmetic of restarting: who goes with whom, how often, after which delay, and what then.

Pure: frozen values in, frozen values out, `now_s` (process time) and chance are arguments. The
supervisor is the shell that does what this file says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from supervision.child_spec import AnySpec, Backoff, ChildSpec, Park, Restart, Strategy


class Exit(Enum):
    """How a life ended."""

    NORMAL = "normal"
    SHUTDOWN = "shutdown"
    IGNORED = "ignored"  # it said there is nothing to run
    EXHAUSTED = "exhausted"  # a supervisor used up its restarts
    KILLED = "killed"  # cut off because it did not stop in time
    FAILED = "failed"


ORDERLY = frozenset({Exit.NORMAL, Exit.SHUTDOWN, Exit.IGNORED, Exit.EXHAUSTED})


# Who.


def wants_restart(restart: Restart, how: Exit) -> bool:
    """Whether a child with this restart type comes back after this end."""
    if restart is Restart.TRANSIENT:
        return how not in ORDERLY
    return restart is Restart.PERMANENT


def companions(strategy: Strategy, names: Sequence[str], failed: str) -> tuple[str, ...]:
    """Siblings that must stop and start again together with `failed`, in start order."""
    if strategy is Strategy.ONE_FOR_ALL:
        return tuple(name for name in names if name != failed)
    if strategy is Strategy.REST_FOR_ONE:
        return tuple(names[names.index(failed) + 1 :])
    return ()


# How often and when.


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """More than `intensity` restarts within `period_s` are too many."""

    intensity: int
    period_s: float
    times_s: tuple[float, ...] = ()

    def spend(self, now_s: float) -> RestartBudget:
        """Count one restart and forget those that are too old to matter."""
        recent = tuple(at_s for at_s in self.times_s if now_s - at_s <= self.period_s)
        return replace(self, times_s=(*recent, now_s))

    @property
    def exhausted(self) -> bool:
        """Whether the last restart was one too many."""
        return len(self.times_s) > self.intensity


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures of one child in a row, without a quiet time between them."""

    in_row: int = 0
    last_s: float = float("-inf")

    def after(self, now_s: float, quiet_s: float) -> Failures:
        """Count one more, from one again if it had been quiet."""
        quiet = now_s - self.last_s > quiet_s
        return Failures(1 if quiet else self.in_row + 1, now_s)


def backoff_delay_s(backoff: Backoff, in_row: int, chance: float) -> float:
    """Delay before the restart after the `in_row`-th failure: 0, then growing to `max_s`.

    `chance` in 0..1 spreads the delay by ± `jitter_frac`, so that twins do not march in step.
    """
    if in_row <= 1:
        return 0.0
    grown_s = backoff.max_s
    if in_row < 64:  # beyond that the power only overflows
        grown_s = min(backoff.max_s, backoff.first_s * backoff.factor ** (in_row - 2))
    return grown_s * (1.0 + backoff.jitter_frac * (2.0 * chance - 1.0))


# What then.


@dataclass(frozen=True, slots=True)
class StartAgain:
    """Start a successor after `delay_s`; `fresh`: without its predecessor's state."""

    delay_s: float
    fresh: bool


@dataclass(frozen=True, slots=True)
class RestNow:
    """Park the child and try again every `retry_s`."""

    retry_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the supervisor; its parent decides."""

    reason: str


Verdict = StartAgain | RestNow | GiveUp


@dataclass(frozen=True, slots=True)
class Account:
    """What one child has used up; `budget` counts only for a child that parks."""

    budget: RestartBudget
    failures: Failures = field(default_factory=Failures)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All restarts of one supervisor: its own total, and an account per child.

    A child that parks is charged to its own account, so that it never brings down its supervisor;
    any other child is charged to the total, as in OTP.
    """

    total: RestartBudget
    accounts: Mapping[str, Account] = field(default_factory=dict)

    def charge(
        self, spec: AnySpec, now_s: float, chance: float, how: Exit, reason: str
    ) -> tuple[Ledger, Verdict]:
        """Count one failure of a child that would be restarted, and say what to do."""
        account = self.accounts.get(spec.name) or Account(_own_budget(spec))
        failures = account.failures.after(now_s, spec.backoff.quiet_s)
        delay_s = backoff_delay_s(spec.backoff, failures.in_row, chance)
        if not isinstance(spec.when_exhausted, Park):
            total = self.total.spend(now_s)
            ledger = Ledger(total, {**self.accounts, spec.name: Account(account.budget, failures)})
            if total.exhausted:
                return ledger, GiveUp(_too_many(spec.name, total, reason))
            return ledger, StartAgain(delay_s, _is_last_try(total, failures))
        budget = account.budget.spend(now_s)
        if budget.exhausted or how is Exit.EXHAUSTED:
            return self.forget(spec.name), RestNow(spec.when_exhausted.retry_s, reason)
        ledger = replace(self, accounts={**self.accounts, spec.name: Account(budget, failures)})
        return ledger, StartAgain(delay_s, _is_last_try(budget, failures))

    def forget(self, name: str) -> Ledger:
        """Close the account of a child that is parked or gone."""
        return replace(self, accounts={k: v for k, v in self.accounts.items() if k != name})

    def with_limits(self, intensity: int, period_s: float) -> Ledger:
        """Change the total's limits, keeping what was spent."""
        return replace(self, total=replace(self.total, intensity=intensity, period_s=period_s))


def _own_budget(spec: AnySpec) -> RestartBudget:
    """A child's own budget. A branch's numbers are for its children; itself it has the usual."""
    if isinstance(spec, ChildSpec):
        return RestartBudget(spec.intensity, spec.period_s)
    return RestartBudget(5, 60.0)


def _is_last_try(budget: RestartBudget, failures: Failures) -> bool:
    """Whether this restart is the last one allowed, and for a child that failed before."""
    return failures.in_row >= 2 and len(budget.times_s) >= budget.intensity


def _too_many(name: str, budget: RestartBudget, reason: str) -> str:
    return (
        f"more than {budget.intensity} restarts in {budget.period_s:g} s, "
        f"the last one for child {name}: {reason}"
    )
