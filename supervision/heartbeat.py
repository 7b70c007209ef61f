"""What is told to the world about one child, and about the whole tree at once.

Pure: a `ChildStatus` in, plain data for a heartbeat topic out. Knows no transport.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum


class Health(Enum):
    """How an actor says it is doing."""

    RUNNING = "running"
    DEGRADED = "degraded"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """One actor or supervisor as the tree sees it. Times in house time, busy in process time.

    state: starting, running, degraded, fallback, restarting, stopped or failed.
    """

    path: str
    kind: str
    state: str
    reason: str
    since_s: float
    epoch: int
    restarts: int
    busy_ms: float
    mailbox: int
    handled: int
    last_progress_s: float | None
    level: int | None
    zombies: int

    @property
    def well(self) -> bool:
        """Whether it does its duty, if need be by its fallback."""
        return self.state in {"running", "degraded", "fallback"}


def payload(status: ChildStatus, interval_s: float) -> dict[str, object]:
    """Write one status for its topic; the next one follows within `interval_s`."""
    return {
        "state": status.state,
        "reason": status.reason,
        "since": _iso(status.since_s),
        "epoch": status.epoch,
        "restarts": status.restarts,
        "busy_ms": round(status.busy_ms, 1),
        "mailbox": status.mailbox,
        "last_progress": _iso(status.last_progress_s),
        "level": status.level,
        "interval_s": interval_s,
    }


def batch(
    tree: Sequence[ChildStatus], sequence: int, at_s: float, interval_s: float
) -> dict[str, object]:
    """Write the whole tree as one numbered heartbeat."""
    children = [{"path": status.path, **payload(status, interval_s)} for status in tree]
    return {"sequence": sequence, "at": _iso(at_s), "tree": children}


def _iso(at_s: float | None) -> str | None:
    if at_s is None:
        return None
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
