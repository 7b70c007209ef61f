"""What happened in the tree, as frozen facts with house time; each tells itself as one stable line.

A line holds no process id, wall time, memory size or object address, so that equal seeds give equal
bytes. Knows no actor; whoever supervises writes these, whoever records reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_HIDDEN = frozenset({"at_s", "path", "stack", "traceback"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at `path` at house time `at_s`."""

    at_s: float
    path: str

    def line(self) -> str:
        """Write the event as one line that is the same in every run with the same seed."""
        names = (item.name for item in fields(self) if item.name not in _HIDDEN)
        told = (f"{name}={_plain(getattr(self, name))}" for name in names)
        return " ".join((f"{self.at_s:.3f}", self.path, type(self).__name__, *told))


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, str):
        return repr(_ADDRESS.sub("0x", value))
    return str(value)


@dataclass(frozen=True, slots=True)
class ChildReady(Event):
    """A child finished starting for the first time."""

    epoch: int


@dataclass(frozen=True, slots=True)
class ChildFailed(Event):
    """A child crashed while starting, running or stopping (`during`)."""

    epoch: int
    reason: str
    during: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class ChildHung(Event):
    """A child was busy with one message for longer than its deadline and was cut off."""

    epoch: int
    busy_s: float
    message_type: str
    stack: str = ""


@dataclass(frozen=True, slots=True)
class ChildRestarted(Event):
    """A successor is ready, `after_s` of process time after the failure."""

    epoch: int
    after_s: float


@dataclass(frozen=True, slots=True)
class ChildParked(Event):
    """Restarting did not help; the child rests and is tried again every `retry_s`."""

    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class ChildUnparked(Event):
    """A parked child is back."""

    epoch: int


@dataclass(frozen=True, slots=True)
class ChildEnded(Event):
    """A child ended without a failure (`kind`: normal, shutdown, killed, ignored)."""

    epoch: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Escalated(Event):
    """A supervisor gave up and ended; its parent decides. At the root: the process should end."""

    reason: str


@dataclass(frozen=True, slots=True)
class LateEffect(Event):
    """The gate refused an effect: old epoch, or no lease on the resource."""

    epoch: int
    resource: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter(Event):
    """A message found nobody."""

    message_type: str


@dataclass(frozen=True, slots=True)
class MailboxOverflow(Event):
    """A mailbox reached its bound; told once until it has room again."""

    message_type: str
    bound: int


@dataclass(frozen=True, slots=True)
class Quarantined(Event):
    """A message that had already crashed its reader twice was put aside."""

    message_type: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class IncidentOpened(Event):
    """An outage began."""

    id: str
    cause: str
    start_s: float
    level: int | None


@dataclass(frozen=True, slots=True)
class IncidentClosed(Event):
    """An outage ended, or became part of the outage of the branch above."""

    id: str
    cause: str
    start_s: float
    end_s: float
    level: int | None


@dataclass(frozen=True, slots=True)
class Unexpected(Event):
    """An actor was sent a message it does not know."""

    message_type: str


@dataclass(frozen=True, slots=True)
class FalseAlarm(Event):
    """A deadline passed, but the watcher itself was late (`late_s`): nobody is blamed."""

    late_s: float


@dataclass(frozen=True, slots=True)
class FaultInjected(Event):
    """A drill put a fault into an actor."""

    fault: str


@dataclass(frozen=True, slots=True)
class HealthChanged(Event):
    """An actor said that it is doing better or worse."""

    state: str
    reason: str
    level: int | None
