"""Signals as bytes on a socket, for a loop that sleeps in `select`."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def signals_as_bytes(numbers: tuple[signal.Signals, ...]) -> Iterator[socket.socket]:
    """Give a non-blocking socket on which each of these signals arrives as one byte, its number.

    Main thread only. The handlers of before are restored at the end.
    """
    hears, speaks = socket.socketpair()
    with hears, speaks:
        hears.settimeout(0.0)
        speaks.settimeout(0.0)
        before = signal.set_wakeup_fd(speaks.fileno(), warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, _arrives_on_the_socket) for number in numbers}
        try:
            yield hears
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)


def _arrives_on_the_socket(number: int, frame: FrameType | None) -> None:
    """Be there: without a Python handler the interpreter would not write the byte."""
