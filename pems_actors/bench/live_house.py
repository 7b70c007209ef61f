"""A whole appliance in processes of its own, to be killed and watched from outside.

It runs as a person would run it: `pems run` on a simulated house with its own broker. What is
seen of it comes through its doors only: its output, its control socket, its broker, its files.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pems_actors.domain.units import seconds
from pems_actors.gateways.control_client import NotRunningError, call
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.wire import read_object

OURS = ("MQTT_", "PEMS_", "INFLUX", "NOTIFY_", "WATCHDOG_")
LOOK_EVERY_S = 0.02
STOP_WITHIN_S = 40.0
KEPT_TAIL = 100


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the appliance's output, and when it came (monotonic)."""

    at_s: float
    text: str


class LiveHouse:
    """One `pems run`. `argv` and `env` are added to those of a demo; `guard` is another program.

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
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        program = ("-m", "pems_actors", "run", "--house", "twin", "--state", str(state), *argv)
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, "-P", *(program if guard is None else guard)),
            env={**clean, "OMP_NUM_THREADS": "1", **(env or {})},
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
        return self.wait_for(lambda s: s["plan_age_s"] is not None, within_s, 5 * LOOK_EVERY_S)

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


# -- its files -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rows:
    """What the history has committed: counts, and its newest records as they are."""

    samples: int
    records: int
    newest: tuple[tuple[int, str], ...]


def committed_rows(state: Path, newest: int = 50) -> Rows:
    """Read what another process would find committed. Raises: sqlite3.Error."""
    database = sqlite3.connect(f"file:{state / 'history.sqlite'}?mode=ro", uri=True, timeout=5.0)
    try:
        samples, records = (
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("sample", "record")
        )
        tail = database.execute("SELECT id, body FROM record ORDER BY id DESC LIMIT ?", (newest,))
        return Rows(samples, records, tuple(tail.fetchall()))
    finally:
        database.close()


def lost_rows(state: Path, before: Rows) -> int:
    """Count the rows that had been committed and are not there any more."""
    after = committed_rows(state, newest=100_000)
    there = set(after.newest)
    gone = sum(row not in there for row in before.newest)
    fewer = max(0, before.samples - after.samples) + max(0, before.records - after.records)
    return max(gone, fewer)


def history_is_whole(state: Path) -> bool:
    """Ask SQLite itself whether the file is sound."""
    database = sqlite3.connect(f"file:{state / 'history.sqlite'}?mode=ro", uri=True, timeout=5.0)
    try:
        return bool(database.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    finally:
        database.close()


def torn_files(state: Path) -> list[str]:
    """Name the state files that cannot be read: JSON, some of it below a checksum of its own."""
    torn = []
    for file in sorted(state.rglob("*.json")):
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:  # replaced in this moment
            continue
        head, _, body = text.partition("\n")
        try:
            json.loads(body if re.fullmatch(r"[0-9a-f]{64}", head) else text)
        except ValueError:
            torn.append(str(file.relative_to(state)))
    return torn


def cpu_s(pid: int) -> float | None:
    """Read the processor time a process has used [s]; None if the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- its orders to relays ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RelayOrder:
    """One order as it stood on the broker; times are house time."""

    relay: str
    on: bool
    at_s: float
    reason: str


class OrderTap:
    """Listens to all orders to relays, in the order in which the broker gives them."""

    def __init__(self, port: int, prefix: str = "pems") -> None:
        self.orders: list[RelayOrder] = []
        settings = MqttSettings(
            port=port, client_id="order-tap", status_topic=f"{prefix}/order-tap/status"
        )
        self._client = MqttClient(settings, (f"{prefix}/heating/+/set",), self._hear)
        self._client.start()

    def _hear(self, message: Incoming) -> None:
        body = read_object(message.payload)
        if isinstance(body, dict):
            at_s = seconds(str(body["timestamp"]))
            order = RelayOrder(str(body["room"]), body["state"] == "on", at_s, str(body["reason"]))
            self.orders.append(order)

    def close(self) -> None:
        """Stop listening."""
        self._client.close()
