"""The inside of a worker process: `python -m supervision.worker_child FD CHARGE`.

Loads the target once, says ready, then answers one job after the other. It knows no deadline (its
owner kills it) and outlives nobody: it ends with its owner's thread or at the end of its socket.
An error of a job is an answer; only what native code does to the process is a death.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import resource
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from supervision.own_memory import rss_mb
from supervision.parent_death import die_with_parent
from supervision.worker_channel import Frame, encode, read_frame

Handle = Callable[[Any], Any]


def load_target(target: str, preload: Iterable[str] = ()) -> Handle:
    """Import `preload`, then call the factory named "package.module:factory" once.

    Raises: ValueError for a target without a colon, and whatever import or factory raise.
    """
    module_name, colon, factory_name = target.partition(":")
    if not colon:
        raise ValueError(f'worker target "{target}" needs the form "package.module:factory"')
    for name in preload:
        importlib.import_module(name)
    factory = getattr(importlib.import_module(module_name), factory_name)
    handle: Handle = factory()
    return handle


def sentence(error: BaseException) -> str:
    """Return an error as one line: its type and what it says."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def main(arguments: list[str]) -> int:
    """Serve jobs until the owner closes the socket."""
    sock = socket.socket(fileno=int(arguments[0]))
    sock.set_inheritable(False)
    charge = json.loads(arguments[1])
    _settle_in(charge)
    try:
        handle = load_target(charge["target"], charge["preload"])
    except BaseException as error:
        sock.sendall(encode(Frame("broken", body=sentence(error))))
        return 1
    sock.sendall(encode(Frame("ready", rss_mb=rss_mb())))
    try:
        while True:
            sock.sendall(_answer(handle, read_frame(sock)))
    except (EOFError, OSError):
        return 0


def _settle_in(charge: dict[str, Any]) -> None:
    die_with_parent(charge["owner_pid"])
    faulthandler.enable()
    os.dup2(2, 1)  # what a solver prints must not mix with the program's own output
    own = os.getpriority(os.PRIO_PROCESS, 0)  # an owner that comes first does not lend that
    os.setpriority(os.PRIO_PROCESS, 0, max(own, charge["nice"]))
    if charge["memory_limit_mb"] is not None:
        limit = int(charge["memory_limit_mb"] * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _answer(handle: Handle, job: Frame) -> bytes:
    try:
        return encode(Frame("done", job.ticket, handle(job.body), rss_mb()))
    except MemoryError as error:
        kind, reason = "memory", sentence(error)
    except BaseException as error:
        traceback.print_exc()  # the answer carries one sentence, the log the whole story
        kind, reason = "error", sentence(error)
    return encode(Frame("failed", job.ticket, (kind, reason), rss_mb()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
