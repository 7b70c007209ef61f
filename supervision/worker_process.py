"""One worker process as its owner sees it: started, ready, busy, worn, dead.

Knows how to start and kill it and what it owes by when; not what happens next: that is decided in
`process_worker.py`.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from supervision.worker_channel import Frame, OwnerChannel, encode
from supervision.worker_spec import WorkerSpec

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Order:
    """A job under its ticket."""

    ticket: int
    job: object


class WorkerProcess:
    """A child process, its channel and the job it is at. Used by one thread only."""

    def __init__(self, spec: WorkerSpec, now_s: float) -> None:
        self._spec = spec
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _start(spec, theirs)
        self.channel = OwnerChannel(ours)
        self.pid = self._process.pid
        self.order: Order | None = None
        self.jobs = 0
        self.rss_mb: float | None = None
        self.ready_at_s: float | None = None
        self.due_at_s = now_s + spec.start_timeout_s
        self.last_words = ""
        self._since_s = now_s
        self._base_rss_mb: float | None = None

    @property
    def ready(self) -> bool:
        """Whether the target is loaded."""
        return self.ready_at_s is not None

    @property
    def worn(self) -> bool:
        """Whether it did its share, or grew too much, and is to be replaced between jobs."""
        if self.jobs >= self._spec.max_jobs:
            return True
        if self.rss_mb is None or self._base_rss_mb is None:
            return False
        return self.rss_mb - self._base_rss_mb > self._spec.grow_limit_mb

    def now_ready(self, rss_mb: float | None, now_s: float) -> None:
        """Note that the target is loaded."""
        self.ready_at_s, self.due_at_s = now_s, math.inf
        self.rss_mb = self._base_rss_mb = rss_mb

    def begin(self, order: Order, now_s: float) -> None:
        """Hand a job over. Raises whatever pickle raises for a job that is not plain data."""
        data = encode(Frame("job", order.ticket, order.job))
        self.order, self._since_s = order, now_s
        self.due_at_s = now_s + self._spec.deadline_s
        self.channel.send(data)

    def finish(self, rss_mb: float | None, now_s: float) -> float:
        """Note that the job is answered; return how long it took [s]."""
        self.order, self.due_at_s = None, math.inf
        self.jobs += 1
        self.rss_mb = rss_mb
        return self.took_s(now_s)

    def took_s(self, now_s: float) -> float:
        """Return how long ago the last job was handed over, or the process started [s]."""
        return now_s - self._since_s

    def kill(self) -> None:
        """Kill it and all it started. Does not wait."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def bury(self) -> str:
        """Wait for its end, and say how it ended."""
        self.kill()  # it may have closed its socket and live on
        code = self._process.wait()
        self.channel.close()
        return _ending(code)


def _start(spec: WorkerSpec, sock: socket.socket) -> subprocess.Popen[bytes]:
    charge = {
        "name": spec.name,
        "target": spec.target,
        "preload": spec.preload,
        "nice": spec.nice,
        "memory_limit_mb": spec.memory_limit_mb,
        "owner_pid": os.getpid(),
    }
    command = (sys.executable, "-P", "-m", "supervision.worker_child")
    return subprocess.Popen(  # noqa: S603  # our own module, no shell
        (*command, str(sock.fileno()), json.dumps(charge)),
        pass_fds=(sock.fileno(),),
        stdin=subprocess.DEVNULL,
        env=_environment(),
        process_group=0,  # Ctrl-C in the terminal is the owner's business
    )


def _environment() -> dict[str, str]:
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": path}


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    try:
        return f"its process was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"its process was ended by signal {-code}"
