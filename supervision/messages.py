"""The package's own messages: orders to any actor, reports to a supervisor, calls of an operator.

All of them travel in the control lane. Plain frozen data; knows no actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pykka.messages import _ActorStop

from supervision.child_spec import AnySpec, SupervisorSpec
from supervision.policy import Exit

if TYPE_CHECKING:
    from supervision.faults import Fault
    from supervision.future import Reply


# Orders and questions to any actor.


@dataclass(frozen=True, slots=True)
class Ping:
    """Prove that you live. The `Pong` is the reply to an ask, or is told to `reply_to`."""

    reply_to: str | None = None
    token: object = None


@dataclass(frozen=True, slots=True)
class Pong:
    """I live."""

    path: str
    epoch: int
    at_s: float
    token: object = None


@dataclass(frozen=True, slots=True)
class GetSnapshot:
    """Show your state. The `Snapshot` is the reply to an ask, or is told to `reply_to`."""

    reply_to: str | None = None
    token: object = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of an actor between two messages."""

    path: str
    epoch: int
    state: object
    token: object = None


@dataclass(frozen=True, slots=True)
class StopActor:
    """End in good order."""

    reason: str = "asked to stop"


@dataclass(frozen=True, slots=True)
class InjectFault:
    """Suffer this fault; only the drill of a system with drills sends it."""

    fault: Fault


# Reports of a child to its supervisor.


@dataclass(frozen=True, slots=True)
class ChildIsReady:
    """The child finished starting."""

    name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class ChildIsOver:
    """The child's life ended, well or not. `during`: start, run or stop."""

    name: str
    epoch: int
    exit: Exit
    reason: str
    during: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class ChildIsSuspect:
    """The child has been busy since `busy_since_s` (process time), longer than its deadline."""

    name: str
    epoch: int
    busy_since_s: float


REPORTS = (ChildIsReady, ChildIsOver, ChildIsSuspect)


# Timers of a supervisor to itself.


@dataclass(frozen=True, slots=True)
class RestartDue:
    """The delay before a restart, or the rest of a parked child, is over."""

    name: str


@dataclass(frozen=True, slots=True)
class StopOverdue:
    """A child did not stop in its time."""

    name: str
    epoch: int


# Calls of an operator to a supervisor. The reply is resolved when the work is done.


@dataclass(frozen=True, slots=True)
class StartChild:
    """Add a child and start it; on a dynamic supervisor arguments for its template do as well."""

    what: AnySpec | tuple[object, ...]
    reply: Reply


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Stop a child and keep its spec."""

    name: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RestartChild:
    """Start a stopped child again."""

    name: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class CycleChild:
    """Stop a running child and start it again with its state; not counted as a failure."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Forget the spec of a stopped child."""

    name: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Reconfigure:
    """Take over flags and child specs while running; running children are not touched."""

    spec: SupervisorSpec
    reply: Reply


@dataclass(frozen=True, slots=True)
class WhichChildren:
    """List the children in start order."""

    reply: Reply


CALLS = (StartChild, TerminateChild, RestartChild, DeleteChild, Reconfigure, WhichChildren)
SUPERVISOR_MESSAGES: tuple[type, ...] = (*REPORTS, RestartDue, StopOverdue, CycleChild, *CALLS)
ORDERS: tuple[type, ...] = (Ping, GetSnapshot, StopActor, InjectFault, _ActorStop)
