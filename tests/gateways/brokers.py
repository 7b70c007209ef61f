"""A real mosquitto for tests, that can be killed and started again with nothing in its memory."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pems_actors.gateways.broker import find_mosquitto, free_port, wait_until_open

PATIENCE_S = 20.0


class RealBroker:
    """One mosquitto on one loopback port; `settings` are more lines of its configuration."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        if find_mosquitto() is None:
            pytest.skip("mosquitto is not installed; apt-get install mosquitto")
        self.folder, self.port, self.settings = folder, free_port(), settings
        self.start()

    def start(self) -> None:
        config = self.folder / "plain.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            f"persistence false\nlog_dest none\n{self.settings}"
        )
        argv = [str(find_mosquitto()), "-c", str(config)]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        wait_until_open(self.port, PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def pause(self) -> None:
        """Let it stand still: connections stay open and nothing moves."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def wait(come_true: Callable[[], bool], what: str = "it") -> None:
    """Wait for something that another thread does; fail when it does not happen."""
    until, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not come_true():
        assert time.monotonic() < until, f"{what} did not happen"
        pause.wait(0.005)
