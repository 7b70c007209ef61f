"""The worker of real time: a child process, one thread that owns it, and a warm spare.

The owner thread sleeps in one `poll` on its doorbell and its children's sockets until something
arrives or falls due. It alone starts, feeds, kills and reaps children, and tells the outcomes.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from supervision.worker_channel import WireVersionError, decode
from supervision.worker_child import sentence
from supervision.worker_process import Order, WorkerProcess
from supervision.worker_spec import (
    FailureKind,
    Outcome,
    WorkerDone,
    WorkerFailed,
    WorkerSpec,
    WorkerStatus,
    closed,
    over_deadline,
)
from supervision.worker_starts import Starts

_CLOSE_WITHIN_S = 1.0
_log = logging.getLogger(__name__)


class ProcessWorker:
    """Runs `spec.target` in a child process; `post` is called from the owner thread.

    Only a submit after `close` is answered from its caller's thread: there is no owner any more.
    """

    def __init__(self, spec: WorkerSpec, post: Callable[[Outcome], None]) -> None:
        self._spec = spec
        self._post = post
        self._lock = threading.Lock()  # guards orders, closing and the bell's life
        self._orders: deque[Order] = deque()
        self._closing = False
        self._bell_out, self._bell_in = os.pipe()
        os.set_blocking(self._bell_out, False)
        os.set_blocking(self._bell_in, False)
        self._active: WorkerProcess | None = None
        self._standby: WorkerProcess | None = None
        self._dead: list[WorkerProcess] = []
        self._starts = Starts()
        self._jobs = self._restarts = self._recycled = 0
        self._thread = threading.Thread(target=self._own, name=f"worker:{spec.name}", daemon=True)
        self._thread.start()

    def submit(self, ticket: int, job: object) -> None:
        """Queue a job; from any thread."""
        with self._lock:
            if not self._closing:
                self._orders.append(Order(ticket, job))
                self._ring()
                return
        self._tell(closed(self._spec, ticket))

    def close(self) -> None:
        """Kill and reap all processes; open tickets are answered with kind "closed"."""
        with self._lock:
            if not self._closing:
                self._closing = True
                self._ring()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_WITHIN_S)

    def status(self) -> WorkerStatus:
        """Return one look at the worker; from any thread."""
        active = self._active
        order = active.order if active else None
        return WorkerStatus(
            pid=active.pid if active else None,
            jobs=self._jobs,
            restarts=self._restarts,
            rss_mb=active.rss_mb if active else None,
            busy_ticket=order.ticket if order else None,
            ready=active is not None and active.ready,
            recycled=self._recycled,
        )

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe rings already
            os.write(self._bell_in, b"!")

    # The rest runs in the owner thread.

    def _own(self) -> None:
        try:
            while not self._closing:
                self._staff(time.monotonic())
                self._hand_over()
                self._bury()
                self._await_something()
                self._listen(time.monotonic())
                self._enforce_deadlines(time.monotonic())
        finally:
            self._end()

    def _staff(self, now_s: float) -> None:
        """Have a process at work, and a second one ready where one is wanted."""
        self._swap_when_worn()
        if self._active is None:
            self._active, self._standby = self._standby, None
        if now_s >= self._starts.next_at_s:
            if self._active is None:
                self._active = self._start(now_s)
            elif self._active.ready and self._standby is None and self._wants_standby(self._active):
                self._standby = self._start(now_s)
        if self._active is None:
            self._refuse_waiting(now_s)

    def _wants_standby(self, active: WorkerProcess) -> bool:
        # A worn process works on until its successor is ready, so nobody waits for a recycling.
        return self._spec.spare or active.worn

    def _swap_when_worn(self) -> None:
        active, standby = self._active, self._standby
        if active and active.worn and not active.order and standby and standby.ready:
            self._recycled += 1
            self._remove(active)

    def _start(self, now_s: float) -> WorkerProcess | None:
        try:
            return WorkerProcess(self._spec, now_s)
        except OSError as error:  # no memory, descriptors or processes left
            self._count_failed_start(sentence(error), now_s)
            return None

    def _refuse_waiting(self, now_s: float) -> None:
        pause_s = max(self._starts.next_at_s - now_s, 0.0)
        reason = f"{self._starts.trouble}; next start in {pause_s:.1f} s"
        while order := self._next_order():
            self._fail(order, reason, "crash", 0.0)

    def _hand_over(self) -> None:
        active = self._active
        while active and active.ready and not active.order and (order := self._next_order()):
            try:
                active.begin(order, time.monotonic())
            except Exception as error:
                self._fail(order, f"the job cannot be sent: {sentence(error)}", "error", 0.0)

    def _next_order(self) -> Order | None:
        with self._lock:
            return self._orders.popleft() if self._orders else None

    def _bury(self) -> None:
        # After handing over: the spare works already while the dead are reaped.
        while self._dead:
            self._dead.pop().bury()

    def _await_something(self) -> None:
        poll = select.poll()
        poll.register(self._bell_out, select.POLLIN)
        for process in self._processes():
            writing = select.POLLOUT if process.channel.wants_to_write else 0
            poll.register(process.channel, select.POLLIN | writing)
        wait_s = self._next_due_s() - time.monotonic()
        poll.poll(None if math.isinf(wait_s) else max(math.ceil(wait_s * 1000.0), 0))
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell_out, 4096)

    def _next_due_s(self) -> float:
        dues = [process.due_at_s for process in self._processes()]
        if self._starts.next_at_s > time.monotonic():
            dues.append(self._starts.next_at_s)
        return min(dues, default=math.inf)

    def _processes(self) -> list[WorkerProcess]:
        return [process for process in (self._active, self._standby) if process is not None]

    def _listen(self, now_s: float) -> None:
        for process in self._processes():
            process.channel.flush()
            for payload in process.channel.take():
                self._hear(process, payload, now_s)
            if process.channel.ended:
                self._lost(process, now_s)

    def _hear(self, process: WorkerProcess, payload: bytearray, now_s: float) -> None:
        try:
            frame = decode(payload)
        except Exception as error:
            self._hear_nonsense(process, error, now_s)
            return
        match frame.verb, process.order:
            case "done", Order(ticket=ticket):
                took_s = self._finish(process, frame.rss_mb, now_s)
                self._jobs += 1
                self._tell(WorkerDone(self._spec.name, ticket, frame.body, took_s))
            case "failed", Order() as order:
                kind, reason = frame.body
                self._fail(order, reason, kind, self._finish(process, frame.rss_mb, now_s))
            case "ready", _:
                process.now_ready(frame.rss_mb, now_s)
            case _:  # "broken": its end follows
                process.last_words = f"it cannot start: {frame.body}"

    def _hear_nonsense(self, process: WorkerProcess, error: Exception, now_s: float) -> None:
        reason = f"its answer cannot be read: {sentence(error)}"
        if process.order:
            order, took_s = process.order, self._finish(process, process.rss_mb, now_s)
            self._fail(order, reason, "error", took_s)
        if not process.ready or isinstance(error, WireVersionError):
            process.last_words = reason
            process.kill()

    def _finish(self, process: WorkerProcess, rss_mb: float | None, now_s: float) -> float:
        took_s = process.finish(rss_mb, now_s)
        if process.jobs == 1:  # a start that works; once per process, or a failing spare would spin
            self._starts = self._starts.proven()
        return took_s

    def _lost(self, process: WorkerProcess, now_s: float) -> None:
        ending = process.bury()
        self._remove(process, buried=True)
        if process.order:
            self._restarts += 1
            self._fail(process.order, ending, "crash", process.took_s(now_s))
        elif process.ready_at_s is None:
            self._count_failed_start(process.last_words or ending, now_s)
        else:
            self._restarts += 1
            ready_for_s = now_s - process.ready_at_s
            self._starts = self._starts.after_idle_death(ending, ready_for_s, now_s)

    def _enforce_deadlines(self, now_s: float) -> None:
        for process in self._processes():
            if now_s < process.due_at_s:
                continue
            process.kill()
            self._remove(process)
            if process.order:
                self._restarts += 1
                ticket = process.order.ticket
                self._tell(over_deadline(self._spec, ticket, process.took_s(now_s)))
            else:
                reason = f"it was not ready within {self._spec.start_timeout_s:g} s"
                self._count_failed_start(reason, now_s)

    def _count_failed_start(self, reason: str, now_s: float) -> None:
        self._restarts += 1
        self._starts = self._starts.after_failed_start(reason, now_s)

    def _remove(self, process: WorkerProcess, *, buried: bool = False) -> None:
        if process is self._active:
            self._active = None
        else:
            self._standby = None
        if not buried:
            self._dead.append(process)

    def _end(self) -> None:
        with self._lock:
            self._closing = True
            os.close(self._bell_in)
            os.close(self._bell_out)
        now_s = time.monotonic()
        for process in self._processes():
            process.kill()
            self._remove(process)
            if process.order:
                took_s = process.took_s(now_s)
                self._tell(closed(self._spec, process.order.ticket, took_s))
        while order := self._next_order():
            self._tell(closed(self._spec, order.ticket))
        self._bury()

    def _fail(self, order: Order, reason: str, kind: FailureKind, took_s: float) -> None:
        self._tell(WorkerFailed(self._spec.name, order.ticket, reason, kind, took_s))

    def _tell(self, outcome: Outcome) -> None:
        try:
            self._post(outcome)
        except Exception:  # the receiver's fault must not cost the worker its owner
            _log.exception("nobody took the outcome of ticket %d", outcome.ticket)
