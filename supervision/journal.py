"""Counts and tells what happens, one event at a time, to whoever listens.

Floods of equal events are told once and counted always: a dead letter per path and type, and an
overflow per mailbox, at most every `QUIET_S`. Decides nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

from supervision.events import DeadLetter, Event, FalseAlarm, LateEffect, MailboxOverflow

if TYPE_CHECKING:
    from supervision.runtimes import Runtime

QUIET_S = 60.0
REMEMBERED = 4096  # whoever invents addresses must not fill the memory
COUNTERS = (
    "dead_letters",
    "late_effects",
    "late_tells",
    "dropped",
    "refused",
    "quarantined",
    "unexpected",
    "zombies",
    "zombies_total",
    "restarts",
    "crashes",
    "hangs",
    "parked",
    "escalations",
    "false_alarms",
    "timer_errors",
    "event_errors",
)


def tell_nobody(_event: Event) -> None:
    """Keep no events."""


class Journal:
    """The counters of a system and the way of its events to the listener."""

    def __init__(self, runtime: Runtime, on_event: Callable[[Event], None]) -> None:
        self._runtime = runtime
        self._on_event = on_event
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        self._last_s: dict[Hashable, float] = {}

    def count(self, name: str, by: int = 1) -> int:
        """Count something; the new count."""
        with self._lock:
            self._counts[name] += by
            return self._counts[name]

    def counters(self) -> Mapping[str, int]:
        """Show all counts since the start; `zombies` is the number of now."""
        return {name: self._counts[name] for name in COUNTERS}

    def emit(self, event: Event) -> None:
        """Tell an event; a listener that fails is counted and harms nobody."""
        with self._lock:
            try:
                self._on_event(event)
            except Exception:
                self._counts["event_errors"] += 1

    def _is_news(self, key: Hashable) -> bool:
        """Whether this has not happened for a while; remembers that it happens now."""
        now_s = self._runtime.process_s()
        with self._lock:
            if len(self._last_s) > REMEMBERED:
                self._last_s.clear()
            last_s = self._last_s.get(key)
            self._last_s[key] = now_s
        return last_s is None or now_s - last_s > QUIET_S

    def dead_letter(self, path: str, message: object) -> None:
        """Note that a message found nobody."""
        kind = type(message).__name__
        self.count("dead_letters")
        if self._is_news((path, kind)):
            self.emit(DeadLetter(self._runtime.now_s(), path, kind))

    def overflow(self, path: str, message: object, bound: int) -> None:
        """Note that a mailbox dropped a message to take another one."""
        self.count("dropped")
        if self._is_news(path):
            kind = type(message).__name__
            self.emit(MailboxOverflow(self._runtime.now_s(), path, kind, bound))

    def refused_effect(self, path: str, epoch: int, resource: str | None, reason: str) -> None:
        """Note that the gate refused an effect."""
        self.count("late_effects")
        self.emit(LateEffect(self._runtime.now_s(), path, epoch, resource, reason))

    def late_tell(self, path: str, epoch: int, addressee: str) -> None:
        """Note that an actor that was replaced tried to tell something."""
        self.count("late_tells")
        what = f"tell {addressee}"
        self.emit(LateEffect(self._runtime.now_s(), path, epoch, what, "old epoch"))

    def false_alarm(self, path: str, late_s: float) -> None:
        """Note that a watch was late itself, so that nobody is blamed."""
        self.count("false_alarms")
        self.emit(FalseAlarm(self._runtime.now_s(), path, late_s))
