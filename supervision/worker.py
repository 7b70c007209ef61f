"""Work for native code, kept out of the process that must not die of it. The front door.

`worker_spec.py` has the words. `process_worker.py` runs the target in a child process:
`worker_process.py` is one child as its owner sees it, `worker_channel.py` the wire,
`worker_starts.py` when to start again, `worker_child.py` the child itself. The worker of virtual
time is here.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from supervision.process_worker import ProcessWorker
from supervision.worker_child import Handle, load_target, sentence
from supervision.worker_spec import (
    Outcome,
    Worker,
    WorkerDone,
    WorkerFailed,
    WorkerSpec,
    WorkerStatus,
    closed,
    over_deadline,
)

__all__ = [
    "InlineWorker",
    "Outcome",
    "ProcessWorker",
    "Worker",
    "WorkerDone",
    "WorkerFailed",
    "WorkerSpec",
    "WorkerStatus",
]


class InlineWorker:
    """The worker of virtual time: works at `submit`, answers after a seeded latency.

    A latency beyond the deadline is answered as a deadline, as a child process would be. Nothing
    here looks at a real clock, so the same seed tells the same story.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        schedule: Callable[[float, Outcome], None],
        rng: random.Random,
    ) -> None:
        self._spec = spec
        self._schedule = schedule
        self._rng = rng
        self._handle: Handle | None = None
        self._jobs = 0
        self._closed = False

    def submit(self, ticket: int, job: object) -> None:
        """Run the job now and have its outcome delivered later."""
        if self._closed:
            self._schedule(0.0, closed(self._spec, ticket))
            return
        latency_s = self._rng.uniform(*self._spec.virtual_latency_s)
        outcome = self._run(ticket, job, latency_s)
        self._schedule(outcome.took_s, outcome)

    def close(self) -> None:
        """Take no more jobs."""
        self._closed = True

    def status(self) -> WorkerStatus:
        """Return one look at the worker; it has no process of its own."""
        return WorkerStatus(
            pid=None,
            jobs=self._jobs,
            restarts=0,
            rss_mb=None,
            busy_ticket=None,
            ready=not self._closed,
        )

    def _run(self, ticket: int, job: object, latency_s: float) -> Outcome:
        spec = self._spec
        if latency_s > spec.deadline_s:
            return over_deadline(spec, ticket, spec.deadline_s)
        try:
            self._handle = self._handle or load_target(spec.target, spec.preload)
            result = self._handle(job)
        except MemoryError as error:
            return WorkerFailed(spec.name, ticket, sentence(error), "memory", latency_s)
        except (Exception, SystemExit) as error:
            return WorkerFailed(spec.name, ticket, sentence(error), "error", latency_s)
        self._jobs += 1
        return WorkerDone(spec.name, ticket, result, latency_s)
