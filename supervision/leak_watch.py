"""Whether a process leaks: what it holds at least, hour by hour, and when it holds too much. Pure.

One big load is no leak, so the slope is the median rise of the hourly least over six hours, after
two hours in which everything warms up. A process past its limit is to be started anew, which costs
two seconds and nobody's comfort.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """What a process may hold.

    slope_mb_per_h: more than this, hour after hour for `hours` after `warm_up_s`, is a leak.
    restart_mb: past this it is to be started anew, but not before it has lived for `lives_s`.
    every_s: how often it is looked at.
    """

    slope_mb_per_h: float = 1.0
    hours: int = 6
    warm_up_s: float = 2 * HOUR_S
    restart_mb: float = 400.0
    lives_s: float = HOUR_S
    every_s: float = 60.0


class LeakWatch:
    """The memory of one process over its life; `now_s` is process time."""

    def __init__(self, limits: MemoryLimits, now_s: float) -> None:
        self._limits = limits
        self._born_s = self._next_s = now_s
        self._hour_s = now_s + limits.warm_up_s
        self._least_mb: float | None = None
        self._hours: deque[float] = deque(maxlen=limits.hours + 1)
        self.rss_mb: float | None = None

    def is_due(self, now_s: float) -> bool:
        """Tell if it is time for another look."""
        return now_s >= self._next_s

    def look(self, now_s: float, rss_mb: float | None) -> None:
        """Take one look; unknown teaches nothing."""
        self._next_s = now_s + self._limits.every_s
        if rss_mb is None:
            return
        self.rss_mb = rss_mb
        if now_s < self._hour_s:
            return
        if now_s - self._hour_s >= HOUR_S and self._least_mb is not None:
            self._hours.append(self._least_mb)
            self._hour_s, self._least_mb = now_s, None
        self._least_mb = rss_mb if self._least_mb is None else min(self._least_mb, rss_mb)

    @property
    def slope_mb_per_h(self) -> float | None:
        """The usual rise within an hour, over the last hours; None before there are enough."""
        if len(self._hours) <= self._limits.hours:
            return None
        hours = list(self._hours)
        return median(after - before for before, after in pairwise(hours))

    @property
    def leaks(self) -> bool:
        """Whether it grows hour after hour."""
        slope = self.slope_mb_per_h
        return slope is not None and slope > self._limits.slope_mb_per_h

    def is_too_much(self, now_s: float) -> bool:
        """Whether it is to be started anew."""
        old = now_s - self._born_s >= self._limits.lives_s
        return old and self.rss_mb is not None and self.rss_mb > self._limits.restart_mb
