"""A heap of timers for both runtimes. Pure bookkeeping: it knows no thread and reads no clock.

A timer of an actor counts only while its number is the one the life remembers for its key, so that
cancelling and re-arming cost nothing here; what no longer counts is swept out now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervision.life import Life

# due_s, number, life (None: call the message), key, message
Timer = tuple[float, int, "Life | None", Hashable, object]
SWEEP_AT_LEAST = 1024


class TimerHeap:
    """Timers by due time [s of process time]; equal times in the order of arming."""

    def __init__(self) -> None:
        self.heap: list[Timer] = []
        self._number = 0
        self._sweep_at = SWEEP_AT_LEAST

    def arm(self, life: Life, key: Hashable, due_s: float, message: object) -> None:
        """Arm the one timer of this key, replacing an earlier one."""
        self._number = number = self._number + 1
        life.timers[key] = number
        heappush(self.heap, (due_s, number, life, key, message))
        if number >= self._sweep_at:
            self._sweep()

    def call(self, due_s: float, action: Callable[[], object]) -> None:
        """Call `action` at `due_s`."""
        self._number += 1
        heappush(self.heap, (due_s, self._number, None, None, action))

    def next_due_s(self) -> float | None:
        """When the earliest timer is due, None if there is none."""
        return self.heap[0][0] if self.heap else None

    def pop(self) -> Timer:
        """Remove the earliest timer."""
        return heappop(self.heap)

    def _sweep(self) -> None:
        self.heap[:] = [timer for timer in self.heap if counts(timer)]
        heapify(self.heap)
        self._sweep_at = self._number + max(SWEEP_AT_LEAST, 2 * len(self.heap))


def counts(timer: Timer) -> bool:
    """Whether a timer was neither cancelled nor replaced, and its actor still lives."""
    _, number, life, key, _ = timer
    return life is None or (not life.fenced and life.timers.get(key) == number)
