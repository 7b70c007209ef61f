"""The co-simulation as a process: the plant speaks over MQTT, people over MQTT and the socket.

`python -m pems_actors.cosimulation.server --state DIR --broker 127.0.0.1:1883` hears
`<prefix>/cosim/step` and answers on `<prefix>/cosim/commands`. Everything that comes in from a
connection's thread waits in one queue and is done by the main thread, one after the other: virtual
time has one thread only.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

import config
from config import LoadedConfig
from pems_actors.actors.control import Reply, Server
from pems_actors.actors.mqtt import Link
from pems_actors.cosimulation.observation import ObservationError
from pems_actors.cosimulation.stepping import CoSimulation, Doors
from pems_actors.domain.units import MINUTE_S
from pems_actors.gateways.control_socket import AlreadyRunningError, ControlSocket
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings, OnMessage
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message, Rejected, json_text, read_object
from supervision.guardian_link import GuardianLink

PING_S = 1.0
STEP_BYTES = 8 * 1024 * 1024  # two days of weather and prices by the minute have half of one
Jobs = SimpleQueue[Callable[[], object]]
OnRequest = Callable[[dict[str, Any], Reply], None]


def step_topic(prefix: str) -> str:
    """Where the plant says what it sees."""
    return f"{prefix}/cosim/step"


def commands_topic(prefix: str) -> str:
    """Where it hears what to do, or what was wrong."""
    return f"{prefix}/cosim/commands"


def replied(step: Callable[[Mapping[str, Any]], dict[str, Any]], payload: bytes) -> dict[str, Any]:
    """Answer one message of the plant: with commands, or with `{seq, error}` in one sentence."""
    body = read_object(payload, STEP_BYTES, nan_is_unknown=True)
    if isinstance(body, Rejected):
        return {"seq": None, "error": body.reason}
    try:
        return step(body)
    except ObservationError as problem:
        return {"seq": body.get("seq"), "error": str(problem)}


class WaitingSocket:
    """The control socket of a house that does not live until its plant has spoken."""

    def __init__(self, socket: Server, jobs: Jobs, step_topic: str) -> None:
        self._socket, self._jobs = socket, jobs
        self._waits = f"the plant has not spoken yet; it publishes on {step_topic}"
        socket.start(self._not_yet)

    def start(self, on_request: OnRequest) -> None:
        """Hand requests to the house from now on, each in its turn."""
        self._socket.start(lambda body, reply: self._jobs.put(partial(on_request, body, reply)))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def _not_yet(self, body: dict[str, Any], reply: Reply) -> None:
        reply({"id": body.get("id"), "outcome": "failed", "reason": self._waits})


class CosimServer:
    """One co-simulated house between a broker, a control socket and its plant."""

    def __init__(self, loaded: LoadedConfig, state: Path, broker: str, seed: int = 0) -> None:
        """Take the state directory. Raises: AlreadyRunningError if another core holds it."""
        self.jobs: Jobs = SimpleQueue()
        self.topics = Topics(loaded.system.topics.prefix)
        self._loaded, self._broker = loaded, broker
        self._socket = ControlSocket(state)
        waiting = WaitingSocket(self._socket, self.jobs, step_topic(self.topics.prefix))
        doors = Doors(connect=self._connect, server=waiting, heartbeat_s=MINUTE_S)
        self.house = CoSimulation(loaded, seed=seed, doors=doors)
        heard = (step_topic(self.topics.prefix),)
        status = f"{self.topics.prefix}/cosim/status"
        settings = replace(self._settings("cosim", status), largest_bytes=STEP_BYTES)
        self.plant = MqttClient(settings, heard, self._hear)

    def work(self, wait_s: float) -> None:
        """Do the next thing that waits, or wait a while for one."""
        try:
            job = self.jobs.get(timeout=wait_s)
        except Empty:
            return
        self.house.between(job)

    def close(self) -> None:
        """Stop the house and let go of everything."""
        self.plant.close()
        self.house.close()
        self._socket.release()

    def _hear(self, message: Incoming) -> None:
        """Queue what the plant says; a step that was kept by the broker is of another time."""
        if not message.retained:
            self.jobs.put(partial(self._answer, message.payload))

    def _answer(self, payload: bytes) -> None:
        text = json_text(replied(self.house.step, payload))
        self.plant.publish(Message(commands_topic(self.topics.prefix), text), keep=False)

    def _connect(self, on_message: OnMessage) -> Link:
        """Join the broker for the house's own voice; orders wait their turn."""
        return MqttClient(
            self._settings("core", self.topics.status),
            (self.topics.control,),
            lambda message: self.jobs.put(partial(on_message, message)),
        )

    def _settings(self, role: str, status_topic: str) -> MqttSettings:
        host, _, port = self._broker.rpartition(":")
        settings = self._loaded.settings
        secret = settings.mqtt_password
        return MqttSettings(
            host=host or "127.0.0.1",
            port=int(port),
            client_id=f"{settings.mqtt_client_id or self.topics.prefix}-{role}",
            username=settings.mqtt_username,
            password=None if secret is None else secret.get_secret_value(),
            status_topic=status_topic,
        )


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="cosimulation.server", description="Step by step.")
    parser.add_argument("--config")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--broker", default="127.0.0.1:1883", help="host:port")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve a plant until SIGTERM or SIGINT.

    Returns: 0 after an order to stop, 2 when it could not begin.
    """
    guardian = GuardianLink.from_env()
    given = arguments(sys.argv[1:] if argv is None else argv)
    try:
        loaded = config.load(given.config)
        server = CosimServer(loaded, given.state, given.broker, given.seed)
    except (config.ConfigError, AlreadyRunningError, OSError) as problem:
        print(problem, file=sys.stderr)
        guardian.bye()
        return 2
    serve(server, guardian)
    return 0


def serve(server: CosimServer, guardian: GuardianLink) -> None:
    """Work until a signal comes or the guardian is gone."""
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.plant.start()
    guardian.ready()
    prefix = server.topics.prefix
    print(f"pems: waiting for the plant on {step_topic(prefix)}", flush=True)
    while not stopped and not guardian.parent_is_gone():
        server.work(PING_S)
        guardian.ping()
    server.close()
    guardian.bye()


if __name__ == "__main__":
    sys.exit(main())
