"""The appliance's own MQTT broker, for a house that has none: a child process on loopback.

`BrokerSpec.argv` starts this module, which becomes mosquitto where that is installed, else iotcore
(from pip; in memory only, and MQTT 5 needs a second port there). It dies with its parent, says
`ready` to its guardian once the port is open, and is watched from then on. What it kept of an
earlier life and cannot read is put aside. Knows no topic and no client.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pems_actors.gateways.broker_watch import LOOPBACK, watch
from supervision.guardian_link import GuardianLink
from supervision.parent_death import die_with_parent

Kind = Literal["auto", "mosquitto", "iotcore"]
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")  # often not on a user's PATH
_OPEN_WITHIN_S = 30.0
_KEPT, _STARTING = "mosquitto.db", "starting"
LARGEST_BYTES = 10 * 1024 * 1024  # a plan of 48 h has some 100 kB; nobody sends us a gigabyte


class BrokerError(Exception):
    """The broker cannot be started; the text says what to do."""


@dataclass(frozen=True, slots=True)
class BrokerSpec:
    """A broker as data: its port, where it may write, which program.

    mosquitto serves MQTT 3.1.1 and 5 on `port`. iotcore serves 3.1.1 there, and 5 on `v5_port` if
    one is given; it forgets retained messages at its end, gives messages of quality 0 and 1 to a
    subscriber of quality 2 as 2, and may cut off a client that connects in the very moment in
    which another leaves (1 in 400, measured). So clients reconnect, subscribe and send again.
    """

    port: int
    state_dir: Path
    kind: Kind = "auto"
    v5_port: int | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that runs this broker in the foreground."""
        command = (sys.executable, "-m", "pems_actors.gateways.broker")
        options = ("--port", str(self.port), "--state-dir", str(self.state_dir))
        v5 = () if self.v5_port is None else ("--v5-port", str(self.v5_port))
        return (*command, *options, "--kind", self.kind, *v5)


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program, None where it is not installed."""
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *_SBIN)))


def free_port() -> int:
    """Return a TCP port that was free on loopback a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    """Raise BrokerError if somebody listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a past broker's is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise BrokerError(
                f"port {port} on {LOOPBACK} cannot be used ({error.strerror}): set MQTT_PORT in "
                f".env to a free port, or MQTT_BROKER={LOOPBACK} to use the broker that is there"
            ) from error


def wait_until_open(port: int, timeout_s: float) -> None:
    """Wait until something listens on this port of loopback. Raises TimeoutError."""
    due_s = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1.0):
            return
        if time.monotonic() >= due_s:
            raise TimeoutError(f"nothing listens on {LOOPBACK}:{port} after {timeout_s:g} s")
        time.sleep(0.01)  # a port does not tell when it opens


def mosquitto_config(spec: BrokerSpec) -> str:
    """Return the text of a mosquitto.conf: loopback, both protocols, retained state on disk."""
    lines = (
        f"listener {spec.port} {LOOPBACK}",
        "allow_anonymous true",
        "set_tcp_nodelay true",
        "max_queued_messages 10000",
        f"message_size_limit {LARGEST_BYTES}",
        "persistence true",
        f"persistence_location {spec.state_dir}/",
        "autosave_interval 30",  # autosave_on_changes would cost seconds of latency
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        # Started by root it would become another user, who may not write to our directory.
        *(("user root",) if os.geteuid() == 0 else ()),
    )
    return "\n".join(lines) + "\n"


def iotcore_config(spec: BrokerSpec) -> str:
    """Return the text of a rumqttd TOML file: loopback, bounded memory per topic filter."""
    router = (
        "id = 0",
        "[router]",
        "id = 0",
        "max_connections = 1000",
        "max_outgoing_packet_count = 200",
        # 8 MB per subscription: as much as memory may grow, and as far as a reader may lag.
        "max_segment_size = 2097152",
        "max_segment_count = 4",
    )
    listeners = _iotcore_listener("v4", spec.port)
    if spec.v5_port is not None:
        listeners += _iotcore_listener("v5", spec.v5_port)
    return "\n".join((*router, *listeners)) + "\n"


def _iotcore_listener(version: str, port: int) -> tuple[str, ...]:
    return (
        f"[{version}.1]",
        f'name = "{version}"',
        f'listen = "{LOOPBACK}:{port}"',
        "next_connection_delay_ms = 1",
        f"[{version}.1.connections]",
        "connection_timeout_ms = 60000",
        f"max_payload_size = {LARGEST_BYTES}",
        "max_inflight_count = 500",
        "dynamic_filters = true",
    )


def run(spec: BrokerSpec, link: GuardianLink) -> None:
    """Become the broker; returns only if it is interrupted. Raises BrokerError."""
    for port in filter(None, (spec.port, spec.v5_port)):
        require_free(port)
    spec.state_dir.mkdir(parents=True, exist_ok=True)
    program = None if spec.kind == "iotcore" else find_mosquitto()
    if program is None and spec.kind == "mosquitto":
        raise BrokerError("mosquitto is not installed: install it, or leave the choice to us")
    if program is not None:
        put_aside_what_is_refused(spec.state_dir)
    _leave_a_watch(spec, link)
    if program is not None:
        _become_mosquitto(program, spec)
    _run_iotcore(spec)


def _become_mosquitto(program: str, spec: BrokerSpec) -> None:
    config = spec.state_dir / "mosquitto.conf"
    config.write_text(mosquitto_config(spec))
    os.execv(program, (program, "-c", str(config)))  # noqa: S606  # no shell wanted


def _run_iotcore(spec: BrokerSpec) -> None:
    from iotcore import IotCoreBroker  # noqa: PLC0415  # only this child loads the broker

    # It reports every packet as an error record.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    config = spec.state_dir / "iotcore.toml"
    config.write_text(iotcore_config(spec))
    IotCoreBroker(config_path=str(config)).run_forever()


def put_aside_what_is_refused(state_dir: Path) -> None:
    """Let mosquitto begin with an empty memory where its last start came to nothing.

    It ends at once for ever where it cannot read what it kept, as after a loss of power. Whoever
    speaks to it says everything again.
    """
    starting, kept = state_dir / _STARTING, state_dir / _KEPT
    if starting.exists() and kept.exists():
        with contextlib.suppress(OSError):
            kept.replace(f"{kept}.refused")
            print(f"broker: {kept} is put aside, with it there was no start", file=sys.stderr)


def _leave_a_watch(spec: BrokerSpec, link: GuardianLink) -> None:
    """Leave a process behind that waits for the port, says ready, and stays as the watch.

    This process is about to become the broker and cannot. The other is an orphan at once, so that
    nobody has to reap it, and stays in our process group, so that it ends with us.
    """
    if link.fileno() < 0:
        return
    starting = spec.state_dir / _STARTING
    with contextlib.suppress(OSError):  # on a full disk nothing is put aside
        starting.touch()
    middle = os.fork()  # one thread so far, so this is safe
    if middle:
        os.waitpid(middle, 0)
        return
    if os.fork() == 0:
        with contextlib.suppress(TimeoutError):
            wait_until_open(spec.port, _OPEN_WITHIN_S)
            with contextlib.suppress(OSError):
                starting.unlink()
            link.ready()
            watch(spec.port, link)
    os._exit(0)


def _arguments(argv: list[str]) -> BrokerSpec:
    parser = argparse.ArgumentParser(prog="pems_actors.gateways.broker", description=__doc__)
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--v5-port", type=int)
    parser.add_argument("--state-dir", type=Path, default=Path("state/broker"))
    parser.add_argument("--kind", choices=("auto", "mosquitto", "iotcore"), default="auto")
    options = parser.parse_args(argv)
    return BrokerSpec(options.port, options.state_dir.absolute(), options.kind, options.v5_port)


def main(argv: list[str]) -> int:
    """Run a broker until it is told to end, or until its parent is gone."""
    spec = _arguments(argv)
    link = GuardianLink.from_env(parent_death_signal=signal.SIGTERM)  # time to save its state
    die_with_parent(sig=signal.SIGTERM)
    try:
        run(spec, link)
    except (BrokerError, OSError) as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
