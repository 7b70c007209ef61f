"""What is decided before the house starts: speed, clock, broker, state. Refusals are sentences.

Its decisions become the command lines of `processes.py`; nothing is started here.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pems_actors.cli.output import BAD_USAGE, refuse
from pems_actors.domain.units import MINUTE_S, iso, seconds
from pems_actors.gateways.orders import duration_s

if TYPE_CHECKING:
    from config import Settings

LEASE_S = 15 * MINUTE_S
SHORTEST_LEASE_S = 5.0
DEMO_SPEED = 60.0
DEMO_START = "2023-01-16T05:00:00Z"  # a winter Monday of the reference scenario, before breakfast
TWIN_STATE = "twin.json"
LOCK = "run.lock"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOT_REAL = ("twin", "cosim")  # houses of which nothing may reach a real device


@dataclass(frozen=True, slots=True)
class Order:
    """What `pems run` was told, as far as the processes care."""

    house: str
    speed: float
    seed: int = 0
    weather_shift_k: float = 0.0
    advisory: bool = False
    drills: bool = False


@dataclass(frozen=True, slots=True)
class Broker:
    """Where MQTT is, and whether we bring it."""

    host: str
    port: int
    own: bool

    def __str__(self) -> str:
        """Write it as host:port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Origin:
    """House time at a wall time; `continued` if a simulated house goes on where it stopped."""

    wall_s: float
    house_s: float
    continued: bool = False


def checked_speed(house: str, speed: float | None) -> float:
    """Choose the speed of house time. A real house lives in real time, a plant brings its own.

    Raises: Refusal if a lease would not last long enough to be renewed.
    """
    if house == "cosim" and speed is not None:
        refuse("the plant sets the time; leave --speed out, or use --house twin", BAD_USAGE)
    if house != "twin":
        if speed not in {None, 1.0}:
            refuse("a real house lives at speed 1; leave --speed out, or use --house twin", 2)
        return 1.0
    chosen = DEMO_SPEED if speed is None else speed
    highest = LEASE_S / SHORTEST_LEASE_S
    if not 0.0 < chosen <= highest:
        refuse(
            f"at speed {chosen:g} a lease of {LEASE_S / MINUTE_S:g} min would not last the "
            f"{SHORTEST_LEASE_S:g} s that renewing it may take; give --speed {highest:g} or less",
            BAD_USAGE,
        )
    return chosen


def check_for_plant(order: Order) -> None:
    """Refuse what makes no sense with an outside plant. Raises: Refusal."""
    if order.house == "cosim" and (order.advisory or order.drills):
        refuse(
            "a plant may ignore what it is told, and its faults are its own; leave --advisory and "
            "--drills out",
            BAD_USAGE,
        )


def origin(house: str, state: Path, start: str | None, wall_s: float) -> Origin:
    """Find the time at which the house begins, or goes on.

    Raises: Refusal if `start` is no time, or lies before what this state has lived through.
    """
    if house != "twin":
        if start is not None:
            refuse("--start is for the simulated house; leave it out, or use --house twin", 2)
        return Origin(wall_s, wall_s)
    lived_s = _lived_until(state / TWIN_STATE)
    if start is None:
        begin_s = seconds(DEMO_START) if lived_s is None else lived_s
        return Origin(wall_s, begin_s, continued=lived_s is not None)
    begin_s = an_instant("--start", start)
    if lived_s is not None and begin_s < lived_s:
        refuse(
            f"the house of {state} has lived until {iso(lived_s)}, which is after --start; leave "
            "--start out to go on from there, or give another --state",
            BAD_USAGE,
        )
    return Origin(wall_s, begin_s)


def _lived_until(snapshot: Path) -> float | None:
    try:
        return float(json.loads(snapshot.read_text(encoding="utf-8"))["voice"]["at_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def an_instant(option: str, text: str) -> float:
    """Read an instant from the command line. Raises: Refusal."""
    try:
        return seconds(text)
    except (ValueError, OverflowError):
        refuse(f"{option} {text!r} is no time; write it like 2023-01-16T05:00:00Z", BAD_USAGE)


def stop_after_s(until: str | None, begin: Origin, speed: float) -> float | None:
    """Turn `--until`, an instant or a length of house time, into process time.

    Raises: Refusal if it is neither, or over already.
    """
    if until is None:
        return None
    try:
        left_s = duration_s(until)
    except ValueError:
        left_s = an_instant("--until", until) - begin.house_s
    if left_s <= 0.0:
        refuse(f"--until {until} is over: the house begins at {iso(begin.house_s)}", BAD_USAGE)
    return left_s / speed


def choose_broker(
    settings: Settings, sources: Mapping[str, str], house: str, port: int | None
) -> Broker:
    """Find the broker: the configured one, or our own on a free port.

    A simulated house must never speak to real devices: it uses a broker of this machine that was
    named for this very start, or its own.
    Raises: Refusal where that cannot be.
    """
    host = settings.mqtt_broker
    if house in NOT_REAL and (port is not None or sources.get("MQTT_BROKER") != "environment"):
        host = None
    if host is None:
        return Broker("127.0.0.1", _own_port(settings, sources, port), own=True)
    if port is not None:
        refuse(f"--port is for our own broker, but MQTT_BROKER is {host}; give MQTT_PORT", 2)
    if house == "twin" and host not in LOOPBACK:
        refuse(
            f"the simulated house would speak to the devices at {host}; give --port for a broker "
            "of its own, or name one on this machine in MQTT_BROKER",
            BAD_USAGE,
        )
    return Broker(host, settings.mqtt_port, own=False)


def _own_port(settings: Settings, sources: Mapping[str, str], asked: int | None) -> int:
    """Take the port that was asked for, else the usual one, else any that is free."""
    from pems_actors.gateways.broker import BrokerError, free_port, require_free  # noqa: PLC0415

    port = settings.mqtt_port if asked is None else asked
    try:
        require_free(port)
    except BrokerError as problem:
        if asked is not None:
            refuse(f"port {port} is in use; give another --port, or none to have one chosen")
        if "MQTT_PORT" in sources:
            refuse(str(problem))
        return free_port()
    return port


def take_state(state: Path) -> TextIO:
    """Make a state directory ours until this process and its successor by exec end.

    Raises: Refusal if it cannot be written, or is in use.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        file = (state / LOCK).open("a+", encoding="utf-8")
    except OSError as problem:
        why = problem.strerror
        refuse(f"{state} cannot be written ({why}); give a directory of yours with --state")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        refuse(
            f"an appliance runs with {state} already (process {owner}); look at it with "
            "`pems status`, stop it with Ctrl-C, or give another --state"
        )
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    os.set_inheritable(file.fileno(), True)  # the guardian that we become keeps the lock
    return file
