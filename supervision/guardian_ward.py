"""One child process as the guardian sees it: started, ready, paused, stopping, ended.

Knows how to start, hear, kill and reap it; what is to be done when is decided in `guardian.py`.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
from enum import Enum

from supervision.guardian_link import FD_VARIABLE, PID_VARIABLE
from supervision.guardian_spec import ChildProcess, Restarts

_NOT_INHERITED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_HELPER_TIMEOUT_S = 30.0


class Phase(Enum):
    """Where a child is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    PAUSED = "waiting for its restart"
    STOPPING = "stopping"
    ENDED = "ended"


class Ward:
    """A child, its process, its link, and the time at which something about it is due."""

    def __init__(self, spec: ChildProcess) -> None:
        self.spec = spec
        self.phase = Phase.WAITING
        self.due_at_s = math.inf
        self.ready_at_s: float | None = None
        self.started_at_s = 0.0
        self.restarts = Restarts(spec.backoff)
        self.said_bye = False
        self.killed_because = ""
        self.link: socket.socket | None = None
        self.helper: subprocess.Popen[bytes] | None = None
        self.helper_due_at_s = math.inf
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = b""

    @property
    def pid(self) -> int | None:
        """The process id while there is a process."""
        return self._process.pid if self._process else None

    def start(self, now_s: float) -> None:
        """Start the process. Raises OSError if that cannot be done."""
        self.phase, self.started_at_s = Phase.STARTING, now_s
        self.ready_at_s, self.said_bye, self.killed_because, self._heard = None, False, "", b""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _popen(self.spec.argv, self._environment(theirs), theirs)
        except OSError:
            ours.close()
            raise
        if self.spec.nice:
            with contextlib.suppress(OSError):  # not ours to decide, or ended already
                os.setpriority(os.PRIO_PROCESS, self._process.pid, self.spec.nice)
        ours.settimeout(0.0)
        self.link = ours
        self.new_term(now_s)

    def _environment(self, link: socket.socket) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        env |= {**self.spec.env, FD_VARIABLE: str(link.fileno())}
        if self.spec.dies_with_parent:
            env[PID_VARIABLE] = str(os.getpid())
        return env

    def now_ready(self, now_s: float) -> None:
        """Note that it does its work."""
        self.phase, self.ready_at_s = Phase.READY, now_s
        self.new_term(now_s)

    def new_term(self, now_s: float) -> None:
        """Give it its full time anew for what it owes next: to be ready, or a ping."""
        if self.said_bye or self.phase not in {Phase.STARTING, Phase.READY}:
            return
        starting = self.phase is Phase.STARTING
        timeout_s = self.spec.ready_timeout_s if starting else self.spec.ping_timeout_s
        self.due_at_s = math.inf if timeout_s is None else now_s + timeout_s

    def lines(self) -> list[str]:
        """Return the whole lines that have arrived; closes the link at the end of the stream."""
        if self.link is None:
            return []
        try:
            data = self.link.recv(65_536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.close_link()
        *whole, self._heard = (self._heard + data).split(b"\n")
        self._heard = self._heard[-100:]  # a child that talks nonsense costs no memory
        return [line.decode(errors="replace").strip() for line in whole]

    def close_link(self) -> None:
        """Close our end of the link."""
        if self.link is not None:
            self.link.close()
            self.link = None

    def terminate(self, due_at_s: float) -> None:
        """Ask it to end until `due_at_s`."""
        self.phase, self.due_at_s = Phase.STOPPING, due_at_s
        self._signal(signal.SIGTERM, group=False)
        self._signal(signal.SIGCONT, group=True)  # a stopped process could not obey

    def kill(self, because: str) -> None:
        """Kill it and its process group; its end is noticed later."""
        self.killed_because, self.due_at_s = because, math.inf
        self._signal(signal.SIGKILL, group=True)

    def reap(self) -> int | None:
        """Return the exit code once it has ended (negative: the signal), else None."""
        if self._process is None or not _has_ended(self._process.pid):
            return None
        self._signal(signal.SIGKILL, group=True)  # what it left behind in its group
        code = self._process.wait()
        self._process = None
        self.due_at_s = math.inf
        return code

    def start_helper(self, now_s: float) -> None:
        """Run the command for a child that is given up. Raises OSError if that cannot be done."""
        if self.spec.on_give_up is not None and self.helper is None:
            self.helper = _popen(self.spec.on_give_up, {**os.environ, **self.spec.env})
            self.helper_due_at_s = now_s + _HELPER_TIMEOUT_S

    def kill_helper(self) -> None:
        """Kill the command; its end is noticed later."""
        self.helper_due_at_s = math.inf
        if self.helper is not None:
            _signal_group(self.helper.pid, signal.SIGKILL)

    def reap_helper(self) -> int | None:
        """Return the command's exit code once it has ended, else None."""
        if self.helper is None or not _has_ended(self.helper.pid):
            return None
        code = self.helper.wait()
        self.helper, self.helper_due_at_s = None, math.inf
        return code

    def _signal(self, number: signal.Signals, *, group: bool) -> None:
        if self._process is None:
            return
        if group:
            _signal_group(self._process.pid, number)
        else:
            os.kill(self._process.pid, number)  # not reaped yet, so the number is still its own


def ending(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _popen(
    argv: tuple[str, ...], env: dict[str, str], link: socket.socket | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # the command is the program's own data
        argv,
        env=env,
        pass_fds=() if link is None else (link.fileno(),),
        stdin=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C in the terminal reaches only the guardian
    )


def _has_ended(pid: int) -> bool:
    """Look without reaping: while the zombie is there, its process group's number is not reused."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
