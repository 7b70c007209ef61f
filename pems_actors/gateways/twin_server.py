"""The simulated house as a process of its own: it outlives a killed core, as a real house does.

`python -m pems_actors.gateways.twin_server --port 1883 --speed 60 --state DIR` publishes what a
real Miniserver and inverter publish, each house minute, and hears what they hear. What it says is
in `twin_voice.py`; here are the connection, the clock and the snapshot it continues from.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pems_actors.domain.units import seconds
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings, OnMessage
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.twin_voice import MINUTE_S, TwinVoice
from pems_actors.gateways.wire import Message
from supervision.guardian_link import GuardianLink

if TYPE_CHECKING:
    from config import LoadedConfig

SNAPSHOT_S = 10.0
PING_S = 1.0
LONGEST_ABSENCE_S = 14 * 86400.0  # house time that is caught up with after a restart
NAME = "twin.json"
VERSION = 1


class Link(Protocol):
    """The connection to the broker."""

    def start(self) -> None:
        """Begin to connect."""

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Hand a message over; False if it was dropped."""

    def close(self) -> None:
        """Say offline and let go."""


@dataclass(frozen=True, slots=True)
class HouseClock:
    """House time: `origin_house_s` when the wall said `origin_wall_s`, running at `speed`."""

    origin_wall_s: float
    origin_house_s: float
    speed: float = 1.0

    def now_s(self) -> float:
        """Tell house time."""
        return self.origin_house_s + (time.time() - self.origin_wall_s) * self.speed

    def until_s(self, house_s: float) -> float:
        """Tell how many real seconds are left until a house time."""
        return max(0.0, (house_s - self.now_s()) / self.speed)


class TwinServer:
    """One voice, spoken over one link. `step` does what is due; `run` does so until stopped."""

    def __init__(
        self,
        voice: TwinVoice,
        connect: Callable[[OnMessage], Link],
        now_s: Callable[[], float],
        save: Callable[[], None],
    ) -> None:
        self._voice, self._now_s, self._save = voice, now_s, save
        self.link = connect(self.hear)
        self._lock = threading.Lock()
        self._told_minute = -1.0
        self._saved_at = time.monotonic()

    def hear(self, message: Incoming) -> None:
        """Carry out one command; called from the link's thread."""
        with self._lock:
            answers = self._voice.hear(
                message.topic, message.payload, retained=message.retained, at_s=self._now_s()
            )
        for answer in answers:
            self.link.publish(answer, keep=False)

    def step(self) -> float:
        """Tell the house if a new minute has begun; gives the house time of the next one."""
        now_s = self._now_s()
        minute = now_s // MINUTE_S
        if minute != self._told_minute:
            self._told_minute = minute
            with self._lock:
                self._voice.advance(now_s)
                messages = self._voice.tell()
            for message in messages:
                self.link.publish(message, keep=False)
        if time.monotonic() - self._saved_at >= SNAPSHOT_S:
            self.save()
        return (minute + 1.0) * MINUTE_S

    def save(self) -> None:
        """Write the snapshot; a disk that does not take it costs only the way back."""
        self._saved_at = time.monotonic()
        with self._lock, contextlib.suppress(OSError):
            self._save()


# -- snapshots ---------------------------------------------------------------------------------


class Kept(Protocol):
    """A plant that can be put down and taken up again."""

    def snapshot(self) -> Any:
        """Give its state as plain data."""

    def restore(self, body: Any) -> None:
        """Take a state up."""


def save_snapshot(path: Path, voice: TwinVoice, plant: Kept) -> None:
    """Replace the snapshot as a whole.

    Raises: OSError if the disk does not take it.
    """
    body = {"version": VERSION, "voice": voice.snapshot(), "plant": plant.snapshot()}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(body), encoding="utf-8")
    fresh.replace(path)


def read_snapshot(path: Path) -> dict[str, Any] | None:
    """Read the snapshot; None if there is none that can be read."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) and body.get("version") == VERSION else None


# -- the process -------------------------------------------------------------------------------


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="twin_server", description="The simulated house.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--origin-wall", type=float, help="wall time of the origin [s since 1970]")
    parser.add_argument("--origin-house", type=float, help="house time of the origin")
    parser.add_argument("--start", help="house time now, like 2026-01-15T00:00:00Z")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weather-shift-k", type=float, default=0.0)
    parser.add_argument("--config", help="system configuration file or preset")
    parser.add_argument("--state", type=Path, required=True)
    return parser.parse_args(argv)


def clock_of(given: argparse.Namespace) -> HouseClock:
    """Make the house's clock from the command line: origins, else a start, else the wall's."""
    wall_s = time.time() if given.origin_wall is None else given.origin_wall
    if given.origin_house is not None:
        house_s = given.origin_house
    else:
        house_s = wall_s if given.start is None else seconds(given.start)
    return HouseClock(wall_s, house_s, given.speed)


def build(
    given: argparse.Namespace, loaded: LoadedConfig, start_s: float
) -> tuple[TwinVoice, Kept]:
    """Make the house of a configuration; only here the twin's own parts are known."""
    from pems_actors import blueprint  # noqa: PLC0415 - the composition of this process alone
    from pems_actors.simulation.scenario import Scenario  # noqa: PLC0415
    from pems_actors.simulation.truth import true_model  # noqa: PLC0415
    from pems_actors.simulation.twin import Twin  # noqa: PLC0415

    system = loaded.system
    house, tariff = blueprint.house_from(system), blueprint.tariff_from(system)
    scenario = Scenario.reference(house, start_s, 365.0, given.weather_shift_k, given.seed)
    model = true_model(house.model, given.seed)
    twin = Twin(house, model, scenario, tariff.blocked, start_s, given.seed)
    return TwinVoice.of(house, twin, start_s, Topics(system.topics.prefix)), twin


def main(argv: Sequence[str] | None = None) -> int:
    """Run the simulated house until SIGTERM or SIGINT.

    Raises: ConfigError if the configuration is not usable.
    """
    from config import load  # noqa: PLC0415 - the composition of this process alone

    guardian = GuardianLink.from_env()
    given = arguments(sys.argv[1:] if argv is None else argv)
    given.state.mkdir(parents=True, exist_ok=True)
    clock, kept = clock_of(given), given.state / NAME
    loaded = load(given.config)
    voice, plant = build(given, loaded, clock.now_s())
    found = read_snapshot(kept)
    if found is not None and not resumed(voice, plant, found, clock.now_s()):
        print(f"{kept} is of no use here; the simulated house starts anew", file=sys.stderr)
        voice, plant = build(given, loaded, clock.now_s())
    settings = broker_of(given, loaded)
    server = TwinServer(
        voice,
        lambda hear: MqttClient(settings, voice.subscriptions, hear),
        clock.now_s,
        lambda: save_snapshot(kept, voice, plant),
    )
    serve(server, clock, guardian)
    return 0


def broker_of(given: argparse.Namespace, loaded: LoadedConfig) -> MqttSettings:
    """Find the broker: its address on the command line, who we are there in the settings."""
    prefix, settings = loaded.system.topics.prefix, loaded.settings
    secret = settings.mqtt_password
    return MqttSettings(
        given.host,
        given.port,
        client_id=f"{settings.mqtt_client_id or prefix}-twin",
        username=settings.mqtt_username,
        password=None if secret is None else secret.get_secret_value(),
        status_topic=f"{prefix}/twin/status",
    )


def resumed(voice: TwinVoice, plant: Kept, found: Mapping[str, Any], now_s: float) -> bool:
    """Take a snapshot up, unless it is of another house, of the future or of long ago."""
    try:
        at_s = float(found["voice"]["at_s"])
        if not now_s - LONGEST_ABSENCE_S <= at_s <= now_s:
            return False
        plant.restore(found["plant"])
        voice.restore(found["voice"])
    except (KeyError, TypeError, ValueError):
        return False
    return True


def serve(server: TwinServer, clock: HouseClock, guardian: GuardianLink) -> None:
    """Speak each minute until a signal comes; then keep the state and say goodbye."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server.step()
    server.link.start()
    guardian.ready()
    while not stopped.is_set() and not guardian.parent_is_gone():
        next_s = server.step()
        guardian.ping()
        stopped.wait(min(PING_S, clock.until_s(next_s)))
    server.save()
    server.link.close()


if __name__ == "__main__":
    sys.exit(main())
