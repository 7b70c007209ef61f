"""`pems doctor`: can this machine run the house, and what is in the way. Changes nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer

from pems_actors.cli import run_file
from pems_actors.cli.launch import LOCK
from pems_actors.cli.options import AsJson, Config, State, state_dir
from pems_actors.cli.output import say_json
from pems_actors.domain.units import seconds

ENOUGH_MB = 500.0
LITTLE_MB = 100.0
RELEASED = "2025-01-01T00:00:00Z"  # a clock before this was never set
SIGNS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `says` ends with a way out unless all is well."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    says: str


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("doctor", rich_help_panel="Help")(doctor)


def doctor(config: Config = None, state: State = None, as_json: AsJson = False) -> None:
    """Look at Python, disk, clock, configuration, broker and the running appliance."""
    found = list(examine(state_dir(state), config))
    well = all(finding.verdict != "fail" for finding in found)
    if as_json:
        say_json({"ok": well, "findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            print(f"{SIGNS[finding.verdict]}  {finding.name:<14} {finding.says}")
    if not well:
        raise typer.Exit(1)


def examine(state: Path, config: str | None) -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    yield python(sys.version_info[:3])
    yield clock(time.time())
    yield writable(state)
    yield disk(_free_mb(state))
    yield running(state)
    yield from configured(config)


def python(version: tuple[int, ...]) -> Finding:
    """Look at the interpreter."""
    text = ".".join(map(str, version))
    if version < (3, 11):
        return Finding("python", "fail", f"{text} is too old; install Python 3.11")
    return Finding("python", "ok", text)


def clock(now_s: float) -> Finding:
    """Look at the system clock: prices and leases hang on it."""
    if now_s < seconds(RELEASED):
        return Finding("clock", "fail", "it is in the past; set it, or switch on time by network")
    return Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s)))


def writable(state: Path) -> Finding:
    """Look if the state directory, or its nearest existing parent, can be written to."""
    nearest = _existing(state)
    if not os.access(nearest, os.W_OK | os.X_OK):
        says = f"{nearest} cannot be written; give a directory of yours with --state"
        return Finding("state", "fail", says)
    return Finding("state", "ok", str(state) if nearest == state else f"{state} (to be made)")


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _free_mb(state: Path) -> float:
    return shutil.disk_usage(_existing(state)).free / 1e6


def disk(free_mb: float) -> Finding:
    """Look at the room left for the history, some 5 MB a day."""
    if free_mb < LITTLE_MB:
        says = f"{free_mb:.0f} MB free; make room, or the history cannot be kept"
        return Finding("disk", "fail", says)
    if free_mb < ENOUGH_MB:
        return Finding("disk", "warn", f"{free_mb:.0f} MB free; that is little, make room soon")
    return Finding("disk", "ok", f"{free_mb / 1000:.1f} GB free")


def running(state: Path) -> Finding:
    """Look who holds the state directory."""
    lock = state / LOCK
    if not lock.exists():
        return Finding("appliance", "ok", "none runs with this state")
    owner = _holder(lock)
    if owner is None:
        return Finding("appliance", "ok", "none runs with this state just now")
    facts = run_file.of_state(state)
    kind = "" if facts is None else ", a demo" if facts.demo else ", a real house"
    return Finding("appliance", "ok", f"runs as process {owner}{kind}; see `pems status`")


def _holder(lock: Path) -> str | None:
    """Read who holds a lock; None if nobody does."""
    try:
        with lock.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return file.read().strip() or "unknown"
    except OSError:
        return None
    return None


def configured(config: str | None) -> Iterator[Finding]:
    """Look at the configuration, and at the broker it names."""
    from config import ConfigError, load  # noqa: PLC0415 - half of a second of its own

    try:
        loaded = load(config)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("configuration", "fail", str(problem))
        return
    yield Finding("configuration", "ok", str(loaded.path))
    for warning in loaded.warnings:
        yield Finding("configuration", "warn", str(warning))
    yield broker(loaded.settings.mqtt_broker, loaded.settings.mqtt_port, reachable)


def broker(host: str | None, port: int, can_reach: Callable[[str, int], bool]) -> Finding:
    """Look if the configured broker answers; without one we bring our own."""
    if host is None:
        return Finding("broker", "ok", "none configured; `pems run` brings its own")
    if can_reach(host, port):
        return Finding("broker", "ok", f"{host}:{port} answers")
    says = f"{host}:{port} does not answer; start it, or correct MQTT_BROKER and MQTT_PORT"
    return Finding("broker", "fail", says)


def reachable(host: str, port: int, timeout_s: float = 2.0) -> bool:
    """Try to connect."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
