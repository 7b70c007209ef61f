"""The child's side of the guardian: say `ready`, `ping`, `bye`, and notice that it is gone.

One inherited socket (GUARDIAN_FD) carries both ways: lines up, and the end of the stream down.
Without a guardian every call does nothing, so a program runs the same alone. Nothing here blocks: a
stopped guardian must not stop its children.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import MutableMapping

from supervision.parent_death import die_with_parent

FD_VARIABLE = "GUARDIAN_FD"
PID_VARIABLE = "GUARDIAN_PID"  # set only for a child that is to die with the guardian


class GuardianLink:
    """A child's link to its guardian, or to nobody."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        self._sock = sock
        if sock is not None:
            sock.settimeout(0.0)
            sock.set_inheritable(False)

    @classmethod
    def from_env(
        cls,
        env: MutableMapping[str, str] = os.environ,
        parent_death_signal: int = signal.SIGKILL,
    ) -> GuardianLink:
        """Take the link out of the environment, so that grandchildren do not find it there.

        Call it in the main thread at the start: the kernel is asked to send `parent_death_signal`
        when the guardian ends, if this child is to die with it.
        """
        pid, fd = env.pop(PID_VARIABLE, None), env.pop(FD_VARIABLE, None)
        if pid is not None:
            die_with_parent(int(pid), parent_death_signal)
        return cls(socket.socket(fileno=int(fd)) if fd is not None else None)

    def ready(self) -> None:
        """Say that this process does its work now; the next child may start."""
        self._say(b"ready\n")

    def ping(self) -> None:
        """Say that this process is well. To be called only by whoever knows that it is."""
        self._say(b"ping\n")

    def bye(self) -> None:
        """Say that this process ends on purpose and is not to be started again."""
        self._say(b"bye\n")

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the guardian is gone; -1 without one."""
        return -1 if self._sock is None else self._sock.fileno()

    def parent_is_gone(self) -> bool:
        """Return whether the guardian has ended; False if there never was one."""
        if self._sock is None:
            return False
        try:
            return self._sock.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Give the link up."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _say(self, line: bytes) -> None:
        if self._sock is not None:
            with contextlib.suppress(OSError):  # full, or nobody there: no reason to end
                self._sock.send(line)
