"""Names instead of references: a path finds the living actor at each tell.

A `Slot` is the lasting place of a child: it outlives the lives in it and keeps what is handed from
one to the next. Written by the child's supervisor and its living actor; anyone may read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervision.child_spec import AnySpec, ChildSpec, Factory, Policy
from supervision.faults import FaultPlan
from supervision.heartbeat import ChildStatus, Health
from supervision.liveness import is_slow
from supervision.quarantine import Quarantine

if TYPE_CHECKING:
    from supervision.life import Life
    from supervision.mailbox import Mailbox

ROOT = "root"


def child_path(parent: str, name: str) -> str:
    """Path of a child: children of the root carry no prefix."""
    return name if parent == ROOT else f"{parent}/{name}"


def parent_of(path: str) -> str:
    """Path of the supervisor of this child."""
    return path.rpartition("/")[0] or ROOT


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage of one child, from its failure until it is back."""

    id: str
    cause: str
    start_s: float


class Slot:
    """The lasting place of one child."""

    __slots__ = (
        "bound",
        "children",
        "epoch",
        "factory",
        "faults",
        "handled",
        "health",
        "health_reason",
        "incident",
        "lanes",
        "last_progress_s",
        "level",
        "life",
        "mailbox",
        "path",
        "quarantine",
        "reason",
        "restarts",
        "since_s",
        "slow_streak",
        "snapshot",
        "spec",
        "state",
        "wary",
        "zombies",
    )

    def __init__(
        self, path: str, spec: AnySpec, mailbox: Mailbox, lanes: Mapping[type, Policy], at_s: float
    ) -> None:
        self.path = path
        self.spec = spec
        self.factory: Factory | None = None  # set by its supervisor, which also makes branches
        self.mailbox = mailbox
        self.lanes = lanes
        self.bound = mailbox.bound
        self.life: Life | None = None
        self.children: dict[str, None] = {}  # paths in start order
        self.epoch = 0
        self.state = "starting"
        self.reason = ""
        self.since_s = at_s
        self.restarts = 0
        self.handled = 0
        self.last_progress_s: float | None = None
        self.health = Health.RUNNING
        self.health_reason = ""
        self.level: int | None = None
        self.incident: Incident | None = None
        self.slow_streak = 0
        self.zombies = 0
        self.snapshot: object = None
        self.faults = FaultPlan()
        self.quarantine = Quarantine()
        self.wary = False  # something must be looked at before each message

    @property
    def kind(self) -> str:
        """Say "actor" or "supervisor"."""
        return "actor" if isinstance(self.spec, ChildSpec) else "supervisor"

    def become(self, state: str, reason: str, at_s: float) -> None:
        """Change the state shown to the world."""
        self.state = state
        self.reason = reason
        self.since_s = at_s

    def _shown(self) -> tuple[str, str]:
        """State and reason: the supervisor's, or while running what is known of its health."""
        if self.state != "running":
            return self.state, self.reason
        if self.health is Health.RUNNING and is_slow(self.slow_streak):
            return Health.DEGRADED.value, "slow: its messages take too much of their deadline"
        return self.health.value, self.health_reason

    def status(self, process_s: float) -> ChildStatus:
        """Show this child as it is now."""
        life = self.life
        busy_since_s = life.busy_since_s if life is not None else None
        state, reason = self._shown()
        return ChildStatus(
            path=self.path,
            kind=self.kind,
            state=state,
            reason=reason,
            since_s=self.since_s,
            epoch=self.epoch,
            restarts=self.restarts,
            busy_ms=0.0 if busy_since_s is None else (process_s - busy_since_s) * 1000.0,
            mailbox=len(self.mailbox),
            handled=self.handled,
            last_progress_s=self.last_progress_s,
            level=self.level,
            zombies=self.zombies,
        )


class Directory:
    """All slots by path."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}

    def find(self, path: str) -> Slot | None:
        """Slot of this path, None if there is none."""
        return self.slots.get(path)

    def add(self, slot: Slot) -> None:
        """Make a slot known."""
        self.slots[slot.path] = slot

    def remove(self, path: str) -> None:
        """Forget a slot."""
        self.slots.pop(path, None)

    def subtree(self, path: str) -> Iterator[Slot]:
        """Slots at and under `path`, depth first, parents before their children."""
        slot = self.slots.get(path)
        if slot is None:
            return
        yield slot
        for child in tuple(slot.children):
            yield from self.subtree(child)
