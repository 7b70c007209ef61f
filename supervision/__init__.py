"""OTP's supervision over pykka: actors that crash, hang or flood, and a house that goes on.

A tree in twenty lines (`VirtualRuntime` turns time by hand; put `ThreadRuntime()` for real life):

    from supervision import ActorSystem, ChildSpec, SupervisedActor, SupervisorSpec, VirtualRuntime

    class Counter(SupervisedActor):
        state = 0                                   # a frozen value, handed to a successor

        def on_receive(self, message):
            if message == "crash":
                raise ValueError("boom")
            if message == "how many?":
                return self.state
            self.state += 1

    runtime = VirtualRuntime(seed=1)
    system = ActorSystem(runtime, on_event=lambda event: print(event.line()))
    system.start(SupervisorSpec("root", children=(ChildSpec("counter", Counter),)))
    system.tell("counter", "one")
    system.tell("counter", "crash")                 # replaced at once, with its state
    runtime.run_for(1.0)
    assert system.ask("counter", "how many?") == 1
    system.stop()

Decisions, with their reasons:

- pykka gives the actor class and its references; inbox, future and loop are replaced. Its own
  loop lets one `SystemExit` stop every actor, and nobody hears of a death.
- A supervisor is an actor and never waits: starts and stops go on when children report, so that it
  answers even while a child fails to start again and again.
- A thread cannot be killed. A hung actor is cut off: its epoch ends, its mailbox passes to a
  successor, and the gate refuses whatever it still does. Too many of those end the process.
- An effect on the world passes one gate that checks epoch and lease under the lock that changes
  them. Safety does not depend on the supervisor being quick.
- A hang is found by a timer armed when a handler starts, looking at progress. Nothing polls. If the
  timer itself is late, the process stood still and nobody is blamed.
- The first restart in a quiet time has no delay; then 0.1 s doubling to 30 s, ± 20 %. The last try
  the budget allows, and any try after a failed start, begins without the old state: the
  state itself may be what fails.
- A child that parks is charged to its own account only, so that it never ends its supervisor.
  While it rests, messages to it are dead letters, not a queue that grows.
- Messages waiting at a crash pass to the successor; the one that was being handled is lost, and
  after it has crashed two readers it is put aside. A message without content, or one an actor sends
  itself by timer, is never blamed.
- Actors do not ask each other: two that wait for each other never end. `ask` is for the edge.
- Virtual time is one thread, one heap and one seeded choice: the same seed gives the same bytes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervision.actor import SupervisedActor
    from supervision.administration import ChildInfo
    from supervision.child_spec import (
        AutoShutdown,
        Backoff,
        ChildSpec,
        Escalate,
        MailboxSpec,
        Park,
        Policy,
        Restart,
        Strategy,
        SupervisorSpec,
    )
    from supervision.clock import HouseClock
    from supervision.context import Context
    from supervision.errors import (
        AdministrationError,
        AskTimeout,
        Ignore,
        MailboxFull,
        NobodyThere,
        Shutdown,
        SpecError,
        StartFailed,
        SupervisionError,
    )
    from supervision.events import Event
    from supervision.faults import Fault, FaultKind, FaultPlan
    from supervision.gate import Gate
    from supervision.heartbeat import ChildStatus, Health
    from supervision.messages import GetSnapshot, InjectFault, Ping, Pong, Snapshot, StopActor
    from supervision.runtimes.threads import ThreadRuntime
    from supervision.runtimes.virtual import VirtualRuntime
    from supervision.snapshots import Restored, SnapshotStore
    from supervision.system import ActorSystem
    from supervision.tree import tree_data, tree_text
    from supervision.worker import Worker, WorkerDone, WorkerFailed, WorkerSpec

# Loaded when first used: the guardian and the workers import this package too, and stay small.
_HOMES = {
    "SupervisedActor": "supervision.actor",
    "ChildInfo": "supervision.administration",
    "AutoShutdown": "supervision.child_spec",
    "Backoff": "supervision.child_spec",
    "ChildSpec": "supervision.child_spec",
    "Escalate": "supervision.child_spec",
    "MailboxSpec": "supervision.child_spec",
    "Park": "supervision.child_spec",
    "Policy": "supervision.child_spec",
    "Restart": "supervision.child_spec",
    "Strategy": "supervision.child_spec",
    "SupervisorSpec": "supervision.child_spec",
    "HouseClock": "supervision.clock",
    "Context": "supervision.context",
    "AdministrationError": "supervision.errors",
    "AskTimeout": "supervision.errors",
    "Ignore": "supervision.errors",
    "MailboxFull": "supervision.errors",
    "NobodyThere": "supervision.errors",
    "Shutdown": "supervision.errors",
    "SpecError": "supervision.errors",
    "StartFailed": "supervision.errors",
    "SupervisionError": "supervision.errors",
    "Event": "supervision.events",
    "Fault": "supervision.faults",
    "FaultKind": "supervision.faults",
    "FaultPlan": "supervision.faults",
    "Gate": "supervision.gate",
    "ChildStatus": "supervision.heartbeat",
    "Health": "supervision.heartbeat",
    "GetSnapshot": "supervision.messages",
    "InjectFault": "supervision.messages",
    "Ping": "supervision.messages",
    "Pong": "supervision.messages",
    "Snapshot": "supervision.messages",
    "StopActor": "supervision.messages",
    "ThreadRuntime": "supervision.runtimes.threads",
    "VirtualRuntime": "supervision.runtimes.virtual",
    "Restored": "supervision.snapshots",
    "SnapshotStore": "supervision.snapshots",
    "ActorSystem": "supervision.system",
    "tree_data": "supervision.tree",
    "tree_text": "supervision.tree",
    "Worker": "supervision.worker",
    "WorkerDone": "supervision.worker",
    "WorkerFailed": "supervision.worker",
    "WorkerSpec": "supervision.worker",
}

__all__ = [
    "ActorSystem",
    "AdministrationError",
    "AskTimeout",
    "AutoShutdown",
    "Backoff",
    "ChildInfo",
    "ChildSpec",
    "ChildStatus",
    "Context",
    "Escalate",
    "Event",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "Gate",
    "GetSnapshot",
    "Health",
    "HouseClock",
    "Ignore",
    "InjectFault",
    "MailboxFull",
    "MailboxSpec",
    "NobodyThere",
    "Park",
    "Ping",
    "Policy",
    "Pong",
    "Restart",
    "Restored",
    "Shutdown",
    "Snapshot",
    "SnapshotStore",
    "SpecError",
    "StartFailed",
    "StopActor",
    "Strategy",
    "SupervisedActor",
    "SupervisionError",
    "SupervisorSpec",
    "ThreadRuntime",
    "VirtualRuntime",
    "Worker",
    "WorkerDone",
    "WorkerFailed",
    "WorkerSpec",
    "tree_data",
    "tree_text",
]


def __getattr__(name: str) -> object:
    """Load a public name from the file it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"supervision has no {name!r}; see supervision.__all__")
    return getattr(importlib.import_module(_HOMES[name]), name)
