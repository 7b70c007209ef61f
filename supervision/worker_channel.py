"""Plain data over one socket between a worker process and its owner.

A frame is its length (8 bytes, big endian) and a pickle of (version, verb, ticket, body, rss_mb).
The owner's side never blocks: a frozen child must not be able to freeze the thread that would kill
it, neither by not reading an order nor by stopping in the middle of an answer.
"""

from __future__ import annotations

import pickle
import socket
import struct
from dataclasses import dataclass
from typing import Any

WIRE_VERSION = 1
_LENGTH = struct.Struct(">Q")
_CHUNK_BYTES = 1 << 20


class WireVersionError(Exception):
    """The two sides were installed at different times and do not speak the same language."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message on the wire: ready, broken, job, done or failed."""

    verb: str
    ticket: int | None = None
    body: Any = None
    rss_mb: float | None = None


def encode(frame: Frame) -> bytes:
    """Turn a frame into bytes. Raises whatever pickle raises for a body that is not plain data."""
    row = (WIRE_VERSION, frame.verb, frame.ticket, frame.body, frame.rss_mb)
    payload = pickle.dumps(row, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(payload)) + payload


def decode(payload: bytes | bytearray) -> Frame:
    """Read a frame's payload back. Raises WireVersionError, or whatever pickle raises."""
    row = pickle.loads(payload)  # noqa: S301  # from our own child, over our own socket
    if row[0] != WIRE_VERSION:
        raise WireVersionError(
            f"the worker speaks version {row[0]}, its owner {WIRE_VERSION}: "
            "the program was updated while it ran, restart it"
        )
    return Frame(*row[1:])


def read_frame(sock: socket.socket) -> Frame:
    """Wait for one frame on a blocking socket (the child's side). Raises EOFError at the end."""
    (length,) = _LENGTH.unpack(_read_exactly(sock, _LENGTH.size))
    return decode(_read_exactly(sock, length))


def _read_exactly(sock: socket.socket, size: int) -> bytearray:
    data = bytearray()
    while len(data) < size:
        part = sock.recv(min(size - len(data), _CHUNK_BYTES))
        if not part:
            raise EOFError
        data += part
    return data


class OwnerChannel:
    """The owner's end: buffers both ways and returns at once from every call."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0.0)
        self._sock = sock
        self._inbox = bytearray()
        self._outbox = memoryview(b"")
        self.ended = False

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._sock.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether part of an order still waits for room in the socket."""
        return len(self._outbox) > 0

    def send(self, data: bytes) -> None:
        """Queue the bytes of one frame and send what fits now."""
        self._outbox = memoryview(bytes(self._outbox) + data)
        self.flush()

    def flush(self) -> None:
        """Send what fits now; the other side's end shows in `ended`."""
        try:
            while self._outbox:
                self._outbox = self._outbox[self._sock.send(self._outbox) :]
        except BlockingIOError:
            return
        except OSError:
            # The answers that arrived before the end are still to be read: `take` sees the end.
            self._outbox = memoryview(b"")

    def take(self) -> list[bytearray]:
        """Return the payloads that have arrived whole; sets `ended` at the end of the stream."""
        self._fill()
        payloads = []
        while (size := self._next_size()) is not None:
            payloads.append(self._inbox[_LENGTH.size : size])
            del self._inbox[:size]
        return payloads

    def close(self) -> None:
        """Close this end; a living child sees the end of the stream."""
        self._sock.close()

    def _fill(self) -> None:
        try:
            while part := self._sock.recv(_CHUNK_BYTES):
                self._inbox += part
        except BlockingIOError:
            return
        except OSError:
            pass
        self.ended = True

    def _next_size(self) -> int | None:
        if len(self._inbox) < _LENGTH.size:
            return None
        size = _LENGTH.size + int(_LENGTH.unpack_from(self._inbox)[0])
        return size if len(self._inbox) >= size else None
