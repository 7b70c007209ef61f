"""A drill that kills a worker process, and the watch over its successor; for the control actor."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace

from pems_actors.actors.chronicle import Chronicle
from supervision import ActorSystem

KILL_LOOK_S, KILL_LOOKS = 0.005, 4000


@dataclass(frozen=True, slots=True)
class KilledWorker:
    """A drill killed this worker's process; its loss may have been seen."""

    name: str
    pid: int
    restarts: int
    seen: bool = False
    looks: int = 0


def kill_worker(system: ActorSystem, name: str) -> KilledWorker | str:
    """Kill a worker process as an accident would; a sentence where that cannot be."""
    workers = system.workers()
    pid = workers[name].pid if name in workers else None
    if pid is None or not system.drills:
        known = ", ".join(sorted(workers)) or "none runs"
        why = "drills are not allowed here" if pid is not None else f"workers: {known}"
        return f"nothing to kill at {name!r}; {why}"
    os.kill(pid, signal.SIGKILL)
    return KilledWorker(name, pid, workers[name].restarts)


def look_again(
    killed: KilledWorker, system: ActorSystem, chronicle: Chronicle, process_s: float
) -> KilledWorker | None:
    """Note when the loss is seen and when the successor is ready; None when there is no more."""
    status = system.workers().get(killed.name)
    if status is None:
        return None
    if not killed.seen and (status.restarts > killed.restarts or status.pid != killed.pid):
        killed = replace(killed, seen=True)
        chronicle.note(process_s, killed.name, "WorkerFailed", "killed by a drill")
    if killed.seen and status.ready and status.pid != killed.pid:
        chronicle.note(process_s, killed.name, "ChildRestarted", "a successor is ready")
        return None
    return replace(killed, looks=killed.looks + 1) if killed.looks < KILL_LOOKS else None
