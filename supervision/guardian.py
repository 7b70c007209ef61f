"""The guardian: a small parent process that keeps its children alive. Stdlib only, no threads.

It starts them in order, each after the former is ready, kills what falls silent, starts again what
ended, and stops them in reverse. It knows nothing of what they do. A child that cannot get ready
holds up the others only at its first try: the house must live without its broker.
One loop sleeps in `select` until a child speaks, a signal arrives or something falls due.
"""

from __future__ import annotations

import contextlib
import math
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence

from supervision.guardian_spec import Backoff, ChildProcess
from supervision.guardian_ward import Phase, Ward, ending
from supervision.sd_notify import SystemdNotifier
from supervision.signal_socket import signals_as_bytes

__all__ = ["Backoff", "ChildProcess", "Guardian"]

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LATE_S = 1.0


def _print(line: str) -> None:
    print(line, flush=True)


class Guardian:
    """Runs children until it is told to stop, or until all have ended for good.

    `say` gets one line per event. The whole stop takes at most `stop_within_s`; a second signal
    kills everything at once.
    """

    def __init__(
        self,
        children: Sequence[ChildProcess],
        say: Callable[[str], None] = _print,
        *,
        stop_within_s: float = 10.0,
        notifier: SystemdNotifier | None = None,
    ) -> None:
        self._wards = [Ward(child) for child in children]
        self._say_to = say
        self._began_s = time.monotonic()  # what was due before is not late
        self._stop_within_s = stop_within_s
        self._notifier = notifier or SystemdNotifier.from_env()
        self._next_watchdog_s = 0.0
        self._stop_due_s = math.inf  # finite once the stop has begun
        self._forced = False
        self._told_ready = False
        self._code = 0
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Guard the children, in the main thread.

        Returns: 0 after an orderly stop, 1 after a forced one, or the exit code of the significant
        child whose end was the reason (128 + n if signal n ended it).
        """
        with self._selector, signals_as_bytes((*_STOP_SIGNALS, signal.SIGCHLD)) as signals:
            self._selector.register(signals, selectors.EVENT_READ)
            self._start_the_next(time.monotonic())
            while not self._all_ended():
                late_s = self._sleep()
                now_s = time.monotonic()
                self._hear_signals(signals, now_s)
                for ward in self._wards:
                    self._hear(ward, now_s)
                    self._reap(ward, now_s)
                self._forgive(late_s, now_s)
                self._judge(now_s)
                self._start_the_next(now_s)
                self._stop_the_next(now_s)
                self._ping_the_manager(now_s)
        return 1 if self._forced else self._code

    def _all_ended(self) -> bool:
        return all(ward.phase is Phase.ENDED and ward.helper is None for ward in self._wards)

    # Waiting

    def _sleep(self) -> float:
        """Sleep until something happens or falls due; return how late this process woke [s]."""
        due_s = self._next_due_s()
        timeout_s = None if math.isinf(due_s) else max(due_s - time.monotonic(), 0.0)
        self._selector.select(timeout_s)
        return max(time.monotonic() - max(due_s, self._began_s), 0.0)

    def _next_due_s(self) -> float:
        dues = [due for ward in self._wards for due in (ward.due_at_s, ward.helper_due_at_s)]
        if math.isfinite(self._notifier.interval_s):
            dues.append(self._next_watchdog_s)
        return min((*dues, self._stop_due_s))

    def _forgive(self, late_s: float, now_s: float) -> None:
        """Blame no child for a silence in which the guardian itself did not run."""
        if late_s < _LATE_S:
            return
        self._say(f"guardian: was itself {late_s:.1f} s late, nobody is blamed")
        for ward in self._wards:
            ward.new_term(now_s)

    def _ping_the_manager(self, now_s: float) -> None:
        if now_s >= self._next_watchdog_s:
            self._notifier.watchdog()
            self._next_watchdog_s = now_s + self._notifier.interval_s

    # Listening

    def _hear_signals(self, signals: socket.socket, now_s: float) -> None:
        with contextlib.suppress(BlockingIOError):
            for number in signals.recv(4096):
                if number in _STOP_SIGNALS:
                    self._stop(f"{signal.Signals(number).name} received", now_s)

    def _hear(self, ward: Ward, now_s: float) -> None:
        link = ward.link
        for line in ward.lines():
            if line == "ready" and ward.phase is Phase.STARTING:
                ward.now_ready(now_s)
                self._say(f"{ward.spec.name}: ready after {now_s - ward.started_at_s:.1f} s")
            elif line == "bye" and ward.phase is not Phase.STOPPING:
                ward.said_bye = True
                ward.due_at_s = now_s + ward.spec.stop_timeout_s
            elif ward.phase is Phase.READY:
                ward.new_term(now_s)
        if link is not None and ward.link is None:
            self._selector.unregister(link)

    # Starting

    def _start_the_next(self, now_s: float) -> None:
        """Start who is next in turn; say READY to the manager once all had theirs."""
        for ward in self._wards:
            if ward.phase is Phase.WAITING:
                self._start(ward, now_s)
            if ward.phase is Phase.STARTING and ward.restarts.in_a_row == 0:
                return
        if not self._told_ready and not self._stopping:
            self._told_ready = True
            self._notifier.ready()

    def _start(self, ward: Ward, now_s: float) -> None:
        try:
            ward.start(now_s)
        except OSError as error:
            self._ended(ward, f"cannot be started: {error}", 127, now_s)
            return
        self._say(f"{ward.spec.name}: started (pid {ward.pid})")
        if ward.link is not None:
            self._selector.register(ward.link, selectors.EVENT_READ)
        if ward.spec.ready_timeout_s is None:
            ward.now_ready(now_s)

    # Ends

    def _reap(self, ward: Ward, now_s: float) -> None:
        code = ward.reap()
        if code is not None:
            self._hear(ward, now_s)  # its last words
            if ward.link is not None:
                self._selector.unregister(ward.link)
                ward.close_link()
            self._ended(ward, ward.killed_because or ending(code), code, now_s)
        code = ward.reap_helper()
        if code is not None:
            self._say(f"{ward.spec.name}: its last command {ending(code)}")

    def _ended(self, ward: Ward, how: str, code: int, now_s: float) -> None:
        if self._stopping:
            ward.phase = Phase.ENDED
            self._say(f"{ward.spec.name}: stopped ({how})")
            if code != 0:
                self._run_helper(ward, now_s)
        elif ward.said_bye or not ward.spec.restart:
            ward.phase = Phase.ENDED
            self._say(f"{ward.spec.name}: {how}, for good")
            if code != 0:
                self._run_helper(ward, now_s)
            if ward.spec.significant:
                self._code = code if code >= 0 else 128 - code
                self._stop(f"{ward.spec.name} has ended", now_s)
        else:
            self._pause(ward, how, now_s)

    def _pause(self, ward: Ward, how: str, now_s: float) -> None:
        ready_for_s = None if ward.ready_at_s is None else now_s - ward.ready_at_s
        ward.restarts = ward.restarts.after_end(ready_for_s)
        ward.phase, ward.due_at_s = Phase.PAUSED, now_s + ward.restarts.pause_s
        verdict = "given up; next try" if ward.restarts.given_up else "restart"
        self._say(f"{ward.spec.name}: {how}, {verdict} in {ward.restarts.pause_s:.1f} s")
        if ward.restarts.given_up:
            self._run_helper(ward, now_s)

    def _run_helper(self, ward: Ward, now_s: float) -> None:
        if self._forced:
            return
        try:
            ward.start_helper(now_s)
        except OSError as error:
            self._say(f"{ward.spec.name}: its last command cannot be started: {error}")

    def _judge(self, now_s: float) -> None:
        """Do what is due: restart the paused, kill the silent and the slow."""
        for ward in self._wards:
            if now_s >= ward.helper_due_at_s:
                ward.kill_helper()
            if now_s < ward.due_at_s:
                continue
            if ward.phase is Phase.PAUSED:
                self._start(ward, now_s)
            else:
                ward.kill(_complaint(ward))

    # Stopping

    @property
    def _stopping(self) -> bool:
        return math.isfinite(self._stop_due_s)

    def _stop(self, why: str, now_s: float) -> None:
        if self._stopping:
            self._say(f"guardian: {why} while stopping, everything is killed")
            self._kill_everything("killed at once")
            return
        self._say(f"guardian: {why}, stopping in reverse order")
        self._notifier.stopping()
        self._stop_due_s = now_s + self._stop_within_s
        for ward in self._wards:
            if ward.phase is Phase.PAUSED:
                self._run_helper(ward, now_s)
            if ward.pid is None:
                ward.phase, ward.due_at_s = Phase.ENDED, math.inf

    def _stop_the_next(self, now_s: float) -> None:
        if not self._stopping:
            return
        if now_s >= self._stop_due_s:
            self._stop_due_s = now_s + 1.0
            self._kill_everything("killed: the stop took too long")
        for ward in reversed(self._wards):
            if ward.pid is not None and ward.phase is not Phase.STOPPING:
                ward.terminate(min(now_s + ward.spec.stop_timeout_s, self._stop_due_s))
            if ward.pid is not None or ward.helper is not None:
                return

    def _kill_everything(self, because: str) -> None:
        self._forced = True
        for ward in self._wards:
            ward.kill(because)
            ward.kill_helper()

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed terminal ends nobody
            self._say_to(line)
        self._notifier.status(", ".join(f"{w.spec.name} {w.phase.value}" for w in self._wards))


def _complaint(ward: Ward) -> str:
    match ward.phase:
        case Phase.STARTING:
            return f"killed: not ready within {ward.spec.ready_timeout_s:g} s"
        case Phase.STOPPING:
            return f"killed: did not end within {ward.spec.stop_timeout_s:g} s"
        case _ if ward.said_bye:
            return f"killed: said bye and did not end within {ward.spec.stop_timeout_s:g} s"
        case _:
            return f"killed: no ping for {ward.spec.ping_timeout_s:g} s"
