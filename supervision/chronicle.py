"""Writes the story of a supervisor's children as events, counts and incidents.

It decides nothing. One outage is one incident, from the failure until the child is back, or until
the branch above takes the outage over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervision.child import Child
from supervision.directory import Incident, Slot
from supervision.events import (
    ChildEnded,
    ChildFailed,
    ChildHung,
    ChildParked,
    ChildReady,
    ChildRestarted,
    ChildUnparked,
    Escalated,
    IncidentClosed,
    IncidentOpened,
)
from supervision.messages import ChildIsOver
from supervision.policy import Exit

if TYPE_CHECKING:
    from supervision.life import Life
    from supervision.system import ActorSystem


class Chronicle:
    """The pen of one supervisor."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._journal = system.journal

    def _now_s(self) -> float:
        return self._system.runtime.now_s()

    def ready(self, child: Child) -> None:
        """A child finished starting."""
        at_s, path, epoch = self._now_s(), child.slot.path, child.slot.epoch
        if child.down_since_s is None:
            self._journal.emit(ChildReady(at_s, path, epoch))
        else:
            after_s = self._system.runtime.process_s() - child.down_since_s
            child.slot.restarts += 1
            self._journal.count("restarts")
            if child.parked:
                self._journal.emit(ChildUnparked(at_s, path, epoch))
            self._journal.emit(ChildRestarted(at_s, path, epoch, after_s))
        self.close(child.slot)

    def over(self, child: Child, report: ChildIsOver) -> None:
        """A child's life ended."""
        at_s, path = self._now_s(), child.slot.path
        if report.exit is Exit.FAILED:
            self._journal.count("crashes")
            self._journal.emit(
                ChildFailed(
                    at_s, path, report.epoch, report.reason, report.during, report.traceback
                )
            )
        else:
            self._journal.emit(
                ChildEnded(at_s, path, report.epoch, report.exit.value, report.reason)
            )

    def hung(self, child: Child, life: Life, busy_s: float) -> str:
        """A child is hung; returns the reason in words."""
        busy_with = life.busy_with
        kind = busy_with if isinstance(busy_with, str) else type(busy_with).__name__
        self._journal.count("hangs")
        stack = self._system.runtime.stack(life)
        self._journal.emit(
            ChildHung(self._now_s(), child.slot.path, life.epoch, busy_s, kind, stack)
        )
        return f"busy with {kind} for {busy_s:.1f} s"

    def outage(self, slot: Slot, cause: str) -> None:
        """A child is out; opens its incident unless one is open."""
        if slot.incident is not None:
            return
        start_s = self._now_s()
        slot.incident = Incident(f"{slot.path}@{slot.epoch}", cause, start_s)
        self._journal.emit(
            IncidentOpened(start_s, slot.path, slot.incident.id, cause, start_s, slot.level)
        )

    def close(self, slot: Slot) -> None:
        """A child is back, or its outage has become part of the branch's."""
        incident, slot.incident = slot.incident, None
        if incident is None:
            return
        at_s, start_s, cause = self._now_s(), incident.start_s, incident.cause
        self._journal.emit(
            IncidentClosed(at_s, slot.path, incident.id, cause, start_s, at_s, slot.level)
        )

    def parked(self, child: Child, reason: str, retry_s: float) -> None:
        """Restarting did not help."""
        self._journal.count("parked")
        self._journal.emit(ChildParked(self._now_s(), child.slot.path, reason, retry_s))

    def escalated(self, path: str, reason: str) -> None:
        """The supervisor gives up."""
        self._journal.count("escalations")
        self._journal.emit(Escalated(self._now_s(), path, reason))
