"""When a worker's next process may start: a frozen value, judged by how the last ones ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 30.0
_PROVEN_AFTER_S = 10.0


def pause_after_failures(failures: int) -> float:
    """Return the pause before the next start [s]: 0 after none, then 0.1, 0.2, 0.4 … 30."""
    if failures == 0:
        return 0.0
    return float(min(_FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20), _LONGEST_PAUSE_S))


@dataclass(frozen=True, slots=True)
class Starts:
    """Ends without a job in a row, when the next start is due, and what the trouble was."""

    failures: int = 0
    next_at_s: float = -math.inf
    trouble: str = ""

    def after_failed_start(self, reason: str, now_s: float) -> Starts:
        """Return what follows a process that never was ready: a pause, longer each time."""
        failures = self.failures + 1
        return Starts(failures, now_s + pause_after_failures(failures), reason)

    def after_idle_death(self, reason: str, ready_for_s: float, now_s: float) -> Starts:
        """Return what follows a ready process that ended without a job.

        The first one is replaced at once (somebody killed it), and always one that lived long.
        """
        if ready_for_s >= _PROVEN_AFTER_S:
            return Starts(0, now_s, reason)
        return Starts(self.failures + 1, now_s + pause_after_failures(self.failures), reason)

    def proven(self) -> Starts:
        """Return what follows a process's first answer: starting works."""
        return replace(self, failures=0)
