"""The words of a worker: what it is, what it answers, what it is asked.

Plain frozen values and one protocol. Each ticket gets exactly one outcome, told as a message; a
worker is never asked to wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

FailureKind = Literal["crash", "deadline", "error", "memory", "closed"]


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A worker as data.

    `target` is "package.module:factory"; the factory is called once and returns `handle(job)`.
    A job may take `deadline_s` once it is handed over, then its process is killed; a start may
    take `start_timeout_s`. A process is replaced between jobs after `max_jobs`, or when it has
    grown by `grow_limit_mb` since it was ready. `preload` names modules to import before `target`.
    """

    name: str
    target: str
    deadline_s: float = 1.0
    spare: bool = False
    memory_limit_mb: float | None = None
    max_jobs: int = 500
    grow_limit_mb: float = 200.0
    nice: int = 5
    virtual_latency_s: tuple[float, float] = (0.05, 0.25)
    preload: tuple[str, ...] = ()
    start_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class WorkerDone:
    """The result of a job; `took_s` from handing it over to its answer."""

    worker: str
    ticket: int
    result: Any
    took_s: float


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """A job without a result: its process died, was killed, or the job raised an error."""

    worker: str
    ticket: int
    reason: str
    kind: FailureKind
    took_s: float


Outcome = WorkerDone | WorkerFailed


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One look at a worker: its present process, what it did so far, what it is at."""

    pid: int | None
    jobs: int
    restarts: int
    rss_mb: float | None
    busy_ticket: int | None
    ready: bool
    recycled: int = 0


class Worker(Protocol):
    """Takes jobs in order; tells one outcome for each. Outcomes are told apart by ticket."""

    def submit(self, ticket: int, job: object) -> None:
        """Queue a job."""

    def close(self) -> None:
        """End the worker; what is still open is answered with kind "closed"."""

    def status(self) -> WorkerStatus:
        """Return one look at the worker."""


def closed(spec: WorkerSpec, ticket: int, took_s: float = 0.0) -> WorkerFailed:
    """Return the outcome of a job that a closed worker will not do."""
    return WorkerFailed(spec.name, ticket, f"{spec.name} is closed", "closed", took_s)


def over_deadline(spec: WorkerSpec, ticket: int, took_s: float) -> WorkerFailed:
    """Return the outcome of a job that took too long."""
    reason = f"no answer within {spec.deadline_s:g} s; its process was killed"
    return WorkerFailed(spec.name, ticket, reason, "deadline", took_s)
