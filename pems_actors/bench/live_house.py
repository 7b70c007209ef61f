"""A whole appliance in processes of its own, to be killed and watched from outside.

It runs as a person would run it: `pems run` on a simulated house with its own broker. What is
seen of it comes through its doors only: its output, its control socket, its broker, its files.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pems_actors.gateways.control_client import NotRunningError, call

# Nothing of this machine's settings; compiled files are kept, as wherever it is installed.
NOT_PASSED_ON = ("MQTT_", "PEMS_", "INFLUX", "NOTIFY_", "WATCHDOG_", "PYTHONDONTWRITEBYTECODE")
LEASH = """
import os, signal, sys
from supervision.parent_death import die_with_parent
die_with_parent(int(sys.argv[1]), signal.SIGTERM)
os.execv(sys.executable, [sys.executable, "-P", *sys.argv[2:]])
"""
LOOK_EVERY_S = 0.05  # each look costs the house some milliseconds
STOP_WITHIN_S = 40.0
KEPT_TAIL = 100


def run_command(state: Path, argv: Sequence[str]) -> tuple[str, ...]:
    """Give what follows `python` to run a demo house."""
    return ("-m", "pems_actors", "run", "--house", "twin", "--state", str(state), *argv)


def clean_environment() -> dict[str, str]:
    """Give an environment without anything that this machine's owner has set for a house."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(NOT_PASSED_ON)}
    return {**kept, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the appliance's output, and when it came (monotonic)."""

    at_s: float
    text: str


class LiveHouse:
    """One `pems run`, which stops when the thread that started it is gone.

    `argv` and `env` are added to those of a demo; `guard` is another program.

    Raises: TimeoutError where something that is waited for does not happen.
    """

    def __init__(
        self,
        state: Path,
        argv: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        guard: Sequence[str] | None = None,
    ) -> None:
        self.state = state
        self.lines: list[Said] = []
        self._told = threading.Condition()
        program = guard or run_command(state, argv)
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, "-P", "-c", LEASH, str(os.getpid()), *program),
            env={**clean_environment(), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, name="live-house", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self._told:
                    self.lines.append(Said(time.monotonic(), line.rstrip()))
                    self._told.notify_all()

    # -- what it says ------------------------------------------------------------------------------

    def until(self, pattern: str, within_s: float, since: int = 0) -> tuple[int, Said]:
        """Wait for a line from number `since` on; gives the number after it, and the line."""
        due_s = time.monotonic() + within_s
        with self._told:
            while True:
                for number, said in enumerate(self.lines[since:], start=since):
                    if re.search(pattern, said.text):
                        return number + 1, said
                left_s = due_s - time.monotonic()
                if left_s <= 0.0:
                    raise TimeoutError(f"no {pattern!r} within {within_s:g} s in:\n{self.output()}")
                self._told.wait(left_s)

    def count(self, pattern: str, since: int = 0) -> int:
        """Count the lines with a pattern from number `since` on."""
        return sum(re.search(pattern, said.text) is not None for said in self.lines[since:])

    def output(self) -> str:
        """Give the last lines that it said."""
        return "\n".join(said.text for said in self.lines[-KEPT_TAIL:])

    def pid_of(self, child: str) -> int:
        """Name the newest process of a child of the guardian."""
        found = re.findall(
            rf"{child}: started \(pid (\d+)\)", "\n".join(s.text for s in self.lines)
        )
        return int(found[-1])

    @property
    def run_file(self) -> dict[str, Any]:
        """What `pems run` wrote down."""
        return dict(json.loads((self.state / "run.json").read_text(encoding="utf-8")))

    def house_s(self) -> float:
        """Tell house time."""
        facts = self.run_file
        gone_s = time.time() - facts["origin_wall_s"]
        return float(facts["origin_house_s"] + gone_s * facts["speed"])

    # -- what it answers ---------------------------------------------------------------------------

    def ask(
        self,
        verb: str,
        args: Mapping[str, object] | None = None,
        path: str = "",
        timeout_s: float = 1.0,
    ) -> dict[str, Any] | None:
        """Ask at the control socket; None if nobody can answer just now."""
        request = {"path": path, "verb": verb, "args": dict(args or {})}
        try:
            final = call(self.state, request, timeout_s)
        except (NotRunningError, TimeoutError, OSError, ValueError):
            return None
        return dict(final.get("result") or {}) if final.get("outcome") == "done" else None

    def wait_for(
        self, true_of: Callable[[dict[str, Any]], bool], within_s: float, every_s: float
    ) -> float:
        """Look at the status until something is true of it; gives when (monotonic)."""
        due_s = time.monotonic() + within_s
        while time.monotonic() < due_s:
            status = self.ask("status")
            if status is not None and true_of(status):
                return time.monotonic()
            time.sleep(every_s)  # the house is looked at, as a person does; it tells nobody
        raise TimeoutError(f"not within {within_s:g} s; the house said:\n{self.output()}")

    def rules_live(self, within_s: float = 60.0) -> float:
        """Wait until the socket answers and every room has handled a tick."""
        rooms = {f"rooms/{name}" for name in self.rooms()}
        return self.wait_for(lambda s: rooms <= set(s["devices"]), within_s, LOOK_EVERY_S)

    def plan_in_force(self, within_s: float = 60.0) -> float:
        """Wait until there is a plan."""
        return self.wait_for(lambda s: s["plan_age_s"] is not None, within_s, 2 * LOOK_EVERY_S)

    def new_plan(self, after_s: float, within_s: float = 60.0) -> float:
        """Wait until there is a plan that was made after an instant (monotonic)."""
        speed = self.run_file["speed"]

        def is_new(status: dict[str, Any]) -> bool:
            age_s = status["plan_age_s"]
            return age_s is not None and age_s / speed < time.monotonic() - after_s

        return self.wait_for(is_new, within_s, 2 * LOOK_EVERY_S)

    def rooms(self) -> tuple[str, ...]:
        """Name the rooms of its house."""
        import config  # noqa: PLC0415 - only a measurement reads it

        return tuple(config.load(self.run_file["config"]).system.rooms)

    # -- its end -----------------------------------------------------------------------------------

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as Ctrl-C would; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._listener.join(STOP_WITHIN_S)  # until the last of its children is gone
        return code
