"""Signs of progress: who is busy too long, who is slow, and when the watcher itself was late.

Pure. A watch is a timer armed when a handler starts; on firing it looks here whether to forget, to
look again later, to blame the actor or to blame nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

RESOLUTION_S = 1e-3  # a shorter wait may not move the clock at all: seconds since 1970 are coarse
SLOW_SAMPLES = 3
SLOW_FRAC = 0.25  # of the deadline


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody is busy; the next handler arms a new watch."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Busy, but not too long: look again in `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Hung:
    """Busy longer than the deadline."""

    busy_s: float


@dataclass(frozen=True, slots=True)
class WatcherLate:
    """The watch fired `late_s` too late: the process stood still, so nobody is blamed."""

    late_s: float
    delay_s: float


Judgement = Forget | LookAgain | Hung | WatcherLate


def tolerance_s(deadline_s: float) -> float:
    """How late a watch may fire before its finding counts for nothing."""
    return max(0.25, 0.25 * deadline_s)


def judge(now_s: float, due_s: float, busy_since_s: float | None, deadline_s: float) -> Judgement:
    """Judge an actor when its watch, due at `due_s`, fires at `now_s` (process time)."""
    if busy_since_s is None:
        return Forget()
    busy_s = now_s - busy_since_s
    if deadline_s - busy_s > RESOLUTION_S:
        return LookAgain(deadline_s - busy_s)
    late_s = now_s - due_s
    if late_s > tolerance_s(deadline_s):
        return WatcherLate(late_s, deadline_s)
    return Hung(busy_s)


def slow_streak(streak: int, took_s: float, deadline_s: float | None) -> int:
    """Count slow messages in a row (capped); a quick one pays one back."""
    if deadline_s is not None and took_s > SLOW_FRAC * deadline_s:
        return min(streak + 1, 2 * SLOW_SAMPLES)
    return max(streak - 1, 0)


def is_slow(streak: int) -> bool:
    """Whether so many slow messages in a row make the actor a degraded one."""
    return streak >= SLOW_SAMPLES
