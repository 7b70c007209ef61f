"""Child processes of the guardian as data, and the arithmetic of starting them again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between restarts.

    The first restart after `quiet_s` of readiness is immediate, then `first_s` doubles up to
    `longest_s`. After more than `budget` restarts without a quiet time the guardian gives up:
    from then on it tries once every `retry_s`.
    """

    first_s: float = 0.1
    longest_s: float = 30.0
    budget: int = 10
    quiet_s: float = 60.0
    retry_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """One child as data.

    ready_timeout_s: it has to say `ready` within this time; None: it says nothing and counts as
        ready once it runs.
    ping_timeout_s: once ready, it is killed when silent for this long; None: no ping is wanted.
    restart: start it again when it ends without having said `bye`.
    on_give_up: a command that runs when the child is gone without an orderly end and does not come
        back soon: when it is given up, and at the stop unless it ended with code 0. It leaves the
        world in a safe state, as the child no longer can.
    significant: when it ends for good, the guardian stops the others too.
    dies_with_parent: it ends when the guardian is gone (told to the child, who asks for it).
    nice: below 0 it gets its turn before other programs of a busy machine, where the system lets
        the guardian decide so; else as they do.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready_timeout_s: float | None = 10.0
    ping_timeout_s: float | None = 15.0
    restart: bool = True
    backoff: Backoff = Backoff()
    on_give_up: tuple[str, ...] | None = None
    stop_timeout_s: float = 5.0
    significant: bool = False
    dies_with_parent: bool = True
    nice: int = 0


@dataclass(frozen=True, slots=True)
class Restarts:
    """Ends of a child in a row, none of them after a quiet time."""

    backoff: Backoff
    in_a_row: int = 0

    def after_end(self, ready_for_s: float | None) -> Restarts:
        """Count an end; `ready_for_s` is how long the child was ready, None if it never was."""
        quiet = ready_for_s is not None and ready_for_s >= self.backoff.quiet_s
        return replace(self, in_a_row=1 if quiet else self.in_a_row + 1)

    @property
    def given_up(self) -> bool:
        """Whether the budget is spent."""
        return self.in_a_row > self.backoff.budget

    @property
    def pause_s(self) -> float:
        """The pause before the next start [s]."""
        if self.given_up:
            return self.backoff.retry_s
        if self.in_a_row <= 1:
            return 0.0
        return float(min(self.backoff.first_s * 2.0 ** (self.in_a_row - 2), self.backoff.longest_s))
