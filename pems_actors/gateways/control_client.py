"""The client of the local control socket: ask the house that runs with a state directory.

Needs nothing but the standard library, so that the command line answers quickly. The protocol and
the server are in `control_socket.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pems_actors.gateways.wire import json_text

FINAL = frozenset({"done", "rejected", "failed", "timeout"})


class NotRunningError(RuntimeError):
    """There is nobody at the socket of this state directory."""


def socket_path(state_dir: Path) -> Path:
    """Name the socket of a state directory: short, however deep the directory lies."""
    name = hashlib.sha256(os.fsencode(state_dir.resolve())).hexdigest()[:16]
    base = os.environ.get("XDG_RUNTIME_DIR") or ""
    if not (base and os.access(base, os.W_OK)) or len(base) > 60:
        base = tempfile.gettempdir() if len(tempfile.gettempdir()) <= 60 else "/tmp"  # noqa: S108 - a socket's path must be short; the folder is ours alone
    return Path(base) / f"pems-{os.getuid()}" / f"{name}.sock"


def stream(
    state_dir: Path, request: Mapping[str, Any], timeout_s: float
) -> Iterator[dict[str, Any]]:
    """Send one request and give every line of the answer, the final one last.

    `timeout_s` bounds the wait for each line.
    Raises: NotRunningError if nobody answers at this state directory; TimeoutError.
    """
    path = socket_path(state_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_s)
        try:
            sock.connect(str(path))
            sock.sendall(json_text(request).encode("utf-8") + b"\n")
        except (FileNotFoundError, ConnectionError):
            raise NotRunningError(
                f"nothing runs with the state {state_dir}; start it with `pems run`, "
                "or give the right --state"
            ) from None
        yield from _answers(sock, timeout_s)


def _answers(sock: socket.socket, timeout_s: float) -> Iterator[dict[str, Any]]:
    with sock.makefile("r", encoding="utf-8") as lines:
        while True:
            try:
                text = lines.readline()
            except TimeoutError:
                raise TimeoutError(
                    f"no answer within {timeout_s:g} s; ask again with a longer --timeout"
                ) from None
            if not text:
                raise NotRunningError("the house stopped before it answered; see what the run says")
            answer: dict[str, Any] = json.loads(text)
            yield answer
            if answer.get("outcome") in FINAL:
                return


def call(state_dir: Path, request: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
    """Send one request and wait for its final answer.

    Raises: NotRunningError if nobody answers at this state directory; TimeoutError.
    """
    final: dict[str, Any] = {}
    for answer in stream(state_dir, request, timeout_s):
        final = answer
    return final
