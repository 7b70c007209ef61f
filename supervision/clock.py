"""Two clocks that are never mixed: house time (prices, plans, leases) and process time (deadlines).

House time is UTC seconds since the epoch and may run faster than life; process time is monotonic.
On virtual time both are the same number, owned by the virtual runtime.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

ReadClock = Callable[[], float]

process_s: ReadClock = time.monotonic


@dataclass(frozen=True, slots=True)
class HouseClock:
    """House time as a straight line over process time.

    `speed` is house seconds per process second. With `origin_process_s` None the line is laid
    through wall time anew at each look, so that a corrected system clock is followed at once.
    """

    origin_house_s: float = 0.0
    origin_process_s: float | None = None
    speed: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a clock that stands still or runs backwards."""
        if self.speed <= 0.0:
            raise ValueError(f"speed is {self.speed}; give more than 0, 1 is real time")
        if self.origin_process_s is None and self.speed != 1.0:
            raise ValueError("a wall clock runs at speed 1; for more use HouseClock.starting_at")

    @classmethod
    def wall(cls) -> HouseClock:
        """Follow the system's own clock."""
        return cls()

    @classmethod
    def starting_at(cls, house_s: float, speed: float = 1.0) -> HouseClock:
        """Begin at `house_s` now and run at `speed`."""
        return cls(house_s, process_s(), speed)

    def now_s(self) -> float:
        """Read house time [s since the epoch, UTC]."""
        if self.origin_process_s is None:
            return time.time()
        return self.origin_house_s + (process_s() - self.origin_process_s) * self.speed

    def process_delay_s(self, house_delay_s: float) -> float:
        """Turn a delay in house time into one in process time."""
        return house_delay_s / self.speed


def slept_s() -> float:
    """Time that this machine has been suspended since it started [s]; monotonic time lacks it."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class ClockLook(NamedTuple):
    """One look at all clocks, taken together.

    house_s: house time as shown.    steady_s: a clock at the same pace that nobody can set, from
    an origin of its own.    slept_s: time suspended, which the steady clock lacks.
    """

    house_s: float
    steady_s: float
    slept_s: float = 0.0


class ClockJump(NamedTuple):
    """What happened to house time between two looks: set at a stroke, or slept through [s]."""

    set_s: float
    slept_s: float = 0.0


def jump_between(before: ClockLook, after: ClockLook, tolerance_s: float) -> ClockJump | None:
    """Compare house time with steady time; None if they went alike within the tolerance.

    A suspended machine is no wrong clock: the time really passed.
    """
    ahead_s = (after.house_s - before.house_s) - (after.steady_s - before.steady_s)
    if abs(ahead_s) <= tolerance_s:
        return None
    slept = after.slept_s - before.slept_s
    if abs(ahead_s - slept) <= tolerance_s:
        return ClockJump(0.0, slept)
    return ClockJump(ahead_s)
