"""A drill that kills a worker process: the desk watches until a successor is ready."""

import threading
import time

import pytest

from pems_actors.actors.base import CONTROL
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.control import ControlActor, SocketRequest
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.house import actor_paths
from supervision import (
    ActorSystem,
    ChildSpec,
    SupervisedActor,
    SupervisorSpec,
    ThreadRuntime,
    WorkerSpec,
)
from tests.actors.kit import HOUSE, Doors

SOLVER = WorkerSpec(name="planning/solver", target="tests.actors.solvers:sun_factory")
PATIENCE_S = 20.0


class Owner(SupervisedActor):
    """An actor with a worker process."""

    def on_start(self) -> None:
        self.solver = self.worker(SOLVER)

    def on_receive(self, message: object) -> None:
        """What the worker says is of no concern here."""


@pytest.mark.slow
def test_a_killed_worker_is_seen_lost_and_then_replaced():
    chronicle, replies = Chronicle(), []
    answered = threading.Event()

    def reply(body) -> bool:
        replies.append(body)
        answered.set()
        return True

    def desk(context) -> ControlActor:
        writer = DeviceWriter(Doors(), lambda *_: None)
        return ControlActor(context, HOUSE, actor_paths(HOUSE), writer, lambda _: None, chronicle)

    system = ActorSystem(ThreadRuntime(), drills=True)
    infrastructure = SupervisorSpec("infrastructure", children=(ChildSpec("control", desk),))
    planning = SupervisorSpec("planning", children=(ChildSpec("planner", Owner),))
    system.start(SupervisorSpec("root", children=(infrastructure, planning)))
    try:
        _until(lambda: system.workers()[SOLVER.name].ready)
        kill = {"verb": "drill", "args": {"target": SOLVER.name, "fault": "kill"}}
        system.tell(CONTROL, SocketRequest(kill, reply))
        assert answered.wait(PATIENCE_S)
        assert replies[0]["outcome"] == "done"
        _until(lambda: len(chronicle.listed()) == 2)
        assert [e["kind"] for e in chronicle.listed()] == ["WorkerFailed", "ChildRestarted"]
    finally:
        system.stop()


def _until(condition) -> None:
    """Wait for something that another process does."""
    deadline_s, never = time.monotonic() + PATIENCE_S, threading.Event()
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        never.wait(0.02)
