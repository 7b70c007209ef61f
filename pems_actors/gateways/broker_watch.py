"""The broker's heartbeat: a small process beside it asks it, and tells the guardian of each answer.

A port stays open when the program behind it stands still, so only an answer counts. One connection
is kept; where it breaks, a new one is made. Ends when the guardian is gone.
"""

from __future__ import annotations

import contextlib
import select
import socket

from supervision.guardian_link import GuardianLink

LOOPBACK = "127.0.0.1"
EVERY_S = 5.0
PATIENCE_S = 10.0  # with one answer
CLIENT_ID = b"pems-broker-watch"
PING, PONG = b"\xc0\x00", b"\xd0\x00"
WELCOME = b"\x20\x02"  # and two bytes more: no session, and 0 for accepted


def greeting() -> bytes:
    """Make the packet that opens an MQTT 3.1.1 connection without a session or a keep-alive."""
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(CLIENT_ID).to_bytes(2, "big") + CLIENT_ID
    return bytes((0x10, len(body))) + body


def watch(port: int, link: GuardianLink) -> None:
    """Ping the guardian as often as the broker answers; returns once there is no guardian."""
    while not link.parent_is_gone():
        with contextlib.suppress(OSError):
            _ask(port, link)
        _rest(link)


def _ask(port: int, link: GuardianLink) -> None:
    """Ask on one connection for as long as it lasts. Raises OSError when it does not."""
    with socket.create_connection((LOOPBACK, port), PATIENCE_S) as line:
        line.sendall(greeting())
        if not _read(line, 4).startswith(WELCOME):
            raise ConnectionRefusedError("this is no broker, or it wants nobody")
        while not link.parent_is_gone():
            line.sendall(PING)
            if _read(line, len(PONG)) != PONG:
                raise ConnectionAbortedError("no answer to a ping")
            link.ping()
            _rest(link)


def _read(line: socket.socket, size: int) -> bytes:
    """Read so many bytes. Raises OSError where they do not come."""
    heard = b""
    while len(heard) < size:
        piece = line.recv(size - len(heard))
        if not piece:
            raise ConnectionResetError("the broker has hung up")
        heard += piece
    return heard


def _rest(link: GuardianLink) -> None:
    """Wait a while, or until the guardian is gone."""
    select.select([link.fileno()], [], [], EVERY_S)
