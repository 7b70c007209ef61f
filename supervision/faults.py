"""Faults on purpose: what a drill puts into an actor, now or at its n-th message from now.

Pure: a `FaultPlan` is a value that says for each message which fault to suffer. The life of the
actor suffers it. Tells `Filler` and `Poisoned`, the messages of a flood and of a poison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum


class FaultKind(Enum):
    """The faults of one actor; the names are shared by drill, simulate and soak."""

    CRASH = "crash"  # raise an Exception
    CRASH_BASE = "crash-base"  # raise SystemExit
    CRASH_START = "crash-start"  # fail in the next starts
    HANG = "hang"  # stand still
    SPIN = "spin"  # stand still burning the processor
    SLOW = "slow"  # take long, but below the deadline
    POISON = "poison"  # send a message that crashes its reader, again and again
    FLOOD = "flood"  # fill the mailbox
    DROP = "drop"  # lose messages


ON_MESSAGE = frozenset(
    {
        FaultKind.CRASH,
        FaultKind.CRASH_BASE,
        FaultKind.HANG,
        FaultKind.SPIN,
        FaultKind.SLOW,
        FaultKind.DROP,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    at_message: suffered at the n-th message from now (1 = the next); None = now where that makes
    sense (crash, hang, spin), else at the next message.
    seconds: how long to hang, spin or be slow [s of process time].
    count: how many messages suffer it, how many starts fail, or how many messages are sent.
    """

    kind: FaultKind
    at_message: int | None = None
    seconds: float = 30.0
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse a fault that could never happen."""
        if self.count < 1 or self.seconds < 0.0 or (self.at_message or 1) < 1:
            raise ValueError("a fault needs count >= 1, seconds >= 0 and at_message >= 1 or None")

    @classmethod
    def named(cls, name: str, at_message: int | None = None) -> Fault:
        """Make the fault of this name with the numbers a drill uses.

        Raises: ValueError if there is no such fault; the text lists them.
        """
        counts = {"flood": 100_000, "poison": 3, "slow": 5}
        seconds = {"slow": 0.6}
        known = {kind.value: kind for kind in FaultKind}
        if name not in known:
            raise ValueError(f"fault {name!r} is unknown; give one of: {', '.join(known)}")
        return cls(known[name], at_message, seconds.get(name, 30.0), counts.get(name, 1))


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults that still wait for their message."""

    waiting: tuple[Fault, ...] = ()

    def add(self, fault: Fault) -> FaultPlan:
        """Add a fault; `at_message` counts from now."""
        first = fault.at_message or 1
        return FaultPlan((*self.waiting, replace(fault, at_message=first)))

    def at_start(self) -> tuple[FaultPlan, Fault | None]:
        """Advance by one start: what is left, and the fault of this start."""
        return self._advance(lambda fault: fault.kind is FaultKind.CRASH_START)

    def at_message(self) -> tuple[FaultPlan, Fault | None]:
        """Advance by one message: what is left, and the fault of this message.

        Of two due faults the older is suffered and the other waits for the next message.
        """
        return self._advance(lambda fault: fault.kind in ON_MESSAGE)

    def _advance(self, counts: Callable[[Fault], bool]) -> tuple[FaultPlan, Fault | None]:
        left: list[Fault] = []
        due: Fault | None = None
        for fault in self.waiting:
            if not counts(fault):
                left.append(fault)
            elif due is None and fault.at_message == 1:
                due = fault
                if fault.count > 1:
                    left.append(replace(fault, count=fault.count - 1))
            else:
                left.append(replace(fault, at_message=max(1, (fault.at_message or 1) - 1)))
        return FaultPlan(tuple(left)), due


class InjectedCrash(Exception):  # noqa: N818  said as what happened
    """Raised where a drill asked for a crash."""


@dataclass(frozen=True, slots=True)
class Filler:
    """One message of a flood; it is read and forgotten."""

    number: int


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A message that crashes whoever reads it."""

    note: str = "poison"
