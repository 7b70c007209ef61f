"""How a child process learns to die with its parent.

Linux sends the signal when the *thread* that started the child ends, so a child is started by the
thread that owns it. Elsewhere this does nothing, and the end of a pipe from the parent has to do.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent_pid: int | None = None, sig: int = signal.SIGKILL) -> None:
    """Ask the kernel to send `sig` to this process when its parent ends.

    Args:
        parent_pid: the parent as it was at the start; if it is already gone, this process ends now.
        sig: the signal to be killed with.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if parent_pid is not None and os.getppid() != parent_pid:
        os._exit(1)
