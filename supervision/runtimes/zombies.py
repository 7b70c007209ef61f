"""Threads that were left behind hung: harmless while they sleep, dangerous while they burn.

A burning one slows every other actor. After a second it gets an exception thrown into it, which
ends a Python loop but not a wait (a hint, not a kill); if it still burns after ten, the process
can no longer be trusted.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from supervision.errors import CutOff

if TYPE_CHECKING:
    from supervision.life import Life

HINT_AFTER_S = 1.0
GIVE_UP_AFTER_S = 10.0
BURNING_FRAC = 0.2  # of a core; others want the interpreter lock too


class ZombieWatch:
    """Looks twice at each zombie: `call_later` is the runtime's, `give_up` the system's."""

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], object]], None],
        give_up: Callable[[str], None],
        hint_after_s: float = HINT_AFTER_S,
        give_up_after_s: float = GIVE_UP_AFTER_S,
    ) -> None:
        self._call_later = call_later
        self._give_up = give_up
        self._hint_after_s = hint_after_s
        self._give_up_after_s = give_up_after_s

    def mind(self, life: Life) -> None:
        """Begin to watch a life that was cut off while its thread was busy."""
        thread = life.thread
        began = _burnt_s(thread)

        def hint() -> None:
            if _burns(thread, began, self._hint_after_s):
                throw_into(thread)

        def despair() -> None:
            if _burns(thread, began, self._give_up_after_s):
                self._give_up(f"a hung thread of {life.slot.path} keeps burning the processor")

        self._call_later(self._hint_after_s, hint)
        self._call_later(self._give_up_after_s, despair)


def _burnt_s(thread: threading.Thread) -> float | None:
    """Processor time of a thread so far [s]; None if it is gone or the machine cannot say.

    Read from the kernel's table: the clock of a thread that just ended must not be touched.
    """
    try:
        told = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    user, system = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _burns(thread: threading.Thread, began_s: float | None, period_s: float) -> bool:
    burnt_s = _burnt_s(thread)
    if began_s is None or burnt_s is None:
        return False
    return burnt_s - began_s > BURNING_FRAC * period_s


def throw_into(thread: threading.Thread) -> None:
    """Raise `CutOff` in another thread, at its next step in Python."""
    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(CutOff))
