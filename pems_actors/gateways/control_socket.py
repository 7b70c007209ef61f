"""The local way in: one Unix socket per state directory, JSON lines, no broker needed.

A request `{id, path, verb, args, timeout_s}` is answered by an optional line with outcome
`accepted` and exactly one final line; `watch` may stream lines before its final one. The socket
lies under the runtime directory with a short name made from the state directory, because a Unix
socket's path may have 107 bytes only. Who holds `STATE/core.lock` is the one core of that state.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from pems_actors.gateways.control_client import NotRunningError, call, socket_path, stream
from pems_actors.gateways.wire import MAX_BYTES, Rejected, json_text, read_object

__all__ = [
    "AlreadyRunningError",
    "ControlSocket",
    "NotRunningError",
    "call",
    "socket_path",
    "stream",
]

Reply = Callable[[Mapping[str, Any]], bool]  # False: the client is gone
OnRequest = Callable[[dict[str, Any], Reply], None]
LOCK = "core.lock"
WAITING_BYTES = 4 * 1024 * 1024  # answers that a slow reader may leave unread
CONNECTIONS = 64


class AlreadyRunningError(RuntimeError):
    """Another core holds this state directory."""


class ControlSocket:
    """Serves one state directory, which it holds from its making until `release`.

    It may be started again, with another callback: its owner may be replaced at any time. The
    callback is called from the server's thread with the request and a function that sends answers,
    from any thread, without blocking; both must return at once.
    Raises: AlreadyRunningError if another core holds the directory.
    """

    def __init__(self, state_dir: Path) -> None:
        self.path = socket_path(state_dir)
        self._held: TextIO | None = _hold(state_dir)
        self._lock = threading.Lock()
        self._on_request: OnRequest | None = None
        self._connections: dict[socket.socket, _Connection] = {}
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self, on_request: OnRequest) -> None:
        """Listen, or hand requests to a new owner if it listens already.

        Raises: OSError if there can be no socket.
        """
        self._on_request = on_request
        if self.alive():
            return
        listener = self._listener()
        self._closing = False
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for each in (listener, self._woken, self._waker):
            each.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, "listener")
        self._selector.register(self._woken, selectors.EVENT_READ, "wake")
        self._thread = threading.Thread(target=self._run, name="control-socket", daemon=True)
        self._thread.start()

    def _listener(self) -> socket.socket:
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        _check_folder(self.path.parent)
        self.path.unlink(missing_ok=True)  # a dead core's: the lock is ours
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.path))
        self.path.chmod(0o600)
        listener.listen(16)
        return listener

    def close(self) -> None:
        """Stop listening and drop all connections; the state directory stays ours."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        self._closing = True
        self._wake()
        if thread is not threading.current_thread():
            thread.join(2.0)
        self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Close, and let another core have the state directory."""
        self.close()
        if self._held is not None:
            self._held.close()
            self._held = None

    def alive(self) -> bool:
        """Tell if the server's thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def _run(self) -> None:
        try:
            while not self._closing:
                self._flush()
                for key, _ in self._selector.select(timeout=5.0):
                    self._handle(key)
        finally:
            for connection in list(self._connections.values()):
                self._drop(connection)
            for key in list(self._selector.get_map().values()):
                with contextlib.suppress(OSError):
                    key.fileobj.close()  # type: ignore[union-attr]  # all of ours are sockets
            self._waker.close()
            self._selector.close()

    def _handle(self, key: selectors.SelectorKey) -> None:
        if key.data == "wake":
            with contextlib.suppress(OSError):
                self._woken.recv(4096)
        elif key.data == "listener":
            self._accept(key.fileobj)  # type: ignore[arg-type]  # the listener is a socket
        else:
            self._receive(key.data)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            sock.setblocking(False)
            if len(self._connections) >= CONNECTIONS:
                sock.close()
                return
            connection = _Connection(sock)
            self._connections[sock] = connection
            self._selector.register(sock, selectors.EVENT_READ, connection)

    def _receive(self, connection: _Connection) -> None:
        try:
            data = connection.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        for line in connection.lines(data):
            self._request(connection, line)
        if len(connection.heard) > MAX_BYTES:
            self._answer(connection, _refusal("", "the request is longer than 64 kB"))
            connection.heard.clear()

    def _request(self, connection: _Connection, line: bytes) -> None:
        request = read_object(line)
        if isinstance(request, Rejected):
            self._answer(connection, _refusal("", request.reason))
            return
        request.setdefault("id", uuid.uuid4().hex)
        try:
            if self._on_request is not None:
                self._on_request(request, lambda body: self._answer(connection, body))
        except Exception as error:
            reason = f"the request could not be handed on: {error}"
            body = _refusal(str(request["id"]), reason) | {"outcome": "failed"}
            self._answer(connection, body)

    def _answer(self, connection: _Connection, body: Mapping[str, Any]) -> bool:
        """Queue one line for a connection; a reader that never reads is dropped."""
        line = json_text(body).encode("utf-8", "replace") + b"\n"
        with self._lock:
            if connection.gone:
                return False
            connection.unsent += line
        self._wake()
        return True

    def _flush(self) -> None:
        for connection in list(self._connections.values()):
            with self._lock:
                waiting = bytes(connection.unsent[:262144])
                too_much = len(connection.unsent) > WAITING_BYTES
            sent = connection.send(waiting)
            if sent is None or too_much:
                self._drop(connection)
                continue
            with self._lock:
                del connection.unsent[:sent]
                events = selectors.EVENT_READ
                if connection.unsent:
                    events |= selectors.EVENT_WRITE
            self._selector.modify(connection.sock, events, connection)

    def _drop(self, connection: _Connection) -> None:
        if self._connections.pop(connection.sock, None) is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        connection.sock.close()
        with self._lock:
            connection.gone = True


class _Connection:
    """One client's socket, with what was heard of it and what it has not read yet."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.heard = bytearray()
        self.unsent = bytearray()
        self.gone = False

    def lines(self, data: bytes) -> Iterator[bytes]:
        """Add what was received and give the lines that are whole."""
        self.heard += data
        while (end := self.heard.find(b"\n")) >= 0:
            line = bytes(self.heard[:end]).strip()
            del self.heard[: end + 1]
            if line:
                yield line

    def send(self, data: bytes) -> int | None:
        """Send what the socket takes now; None if the client is gone."""
        try:
            return self.sock.send(data) if data else 0
        except BlockingIOError:
            return 0
        except OSError:
            return None


def _refusal(request_id: str, reason: str) -> dict[str, Any]:
    return {"id": request_id, "outcome": "rejected", "reason": reason}


def _hold(state_dir: Path) -> TextIO:
    """Take the lock of a state directory for as long as the file stays open."""
    state_dir.mkdir(parents=True, exist_ok=True)
    file = (state_dir / LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise AlreadyRunningError(
            f"{state_dir} is in use by process {owner}; stop it, or give another --state"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _check_folder(folder: Path) -> None:
    """Refuse a folder that somebody else made or may write to.

    Raises: PermissionError with a sentence.
    """
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise PermissionError(f"{folder} must be yours alone; remove it and start again")
