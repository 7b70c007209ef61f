"""One thread that does the writing, in order, so that nobody else waits for a disk."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Background:
    """Jobs in, done one by one. A job handles its own errors; what it raises is dropped."""

    def __init__(self, name: str) -> None:
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, job: Job) -> None:
        """Hand over a job; never waits."""
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()

    def close(self, within_s: float = 2.0) -> bool:
        """Finish what was handed over; False if a slow disk did not let that happen in time."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            with contextlib.suppress(Exception):
                job()

    def _next(self) -> Job | None:
        with self._wake:
            while not self._jobs and not self._closing:
                self._wake.wait()
            return self._jobs.popleft() if self._jobs else None
