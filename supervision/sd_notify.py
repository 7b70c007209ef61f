"""What systemd wants to hear: READY, STATUS, WATCHDOG, STOPPING. Quiet without NOTIFY_SOCKET.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
from collections.abc import Mapping

PATIENCE_S = 1.0  # a manager that is busy must not miss READY; the rest is said again anyway


class SystemdNotifier:
    """Sends datagrams to the service manager, if there is one."""

    def __init__(self, address: str | None, watchdog_s: float = math.inf) -> None:
        """Remember where to send; `watchdog_s` is the manager's patience [s], inf for endless."""
        self._address = address
        self.interval_s = watchdog_s / 3.0  # two may be late before the manager acts

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> SystemdNotifier:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        ours = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = env.get("WATCHDOG_USEC", "") if ours else ""
        return cls(env.get("NOTIFY_SOCKET"), int(usec) / 1e6 if usec.isdigit() else math.inf)

    def ready(self) -> None:
        """Say that the service is up."""
        self._send("READY=1", PATIENCE_S)

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._send(f"STATUS={text}")

    def watchdog(self) -> None:
        """Say that the guardian's own loop turns."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service is being stopped."""
        self._send("STOPPING=1")

    def _send(self, text: str, within_s: float = 0.0) -> None:
        if not self._address:
            return
        # A leading @ means Linux' abstract namespace, written as a zero byte on the wire.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(within_s)
            sock.sendto(text.encode(), address)
