"""The core process: opens the doors of one house, runs its tree on threads, tells how it goes.

Started by the guardian; runs alone as well. Control is live before anything that may be slow:
broker, database, prices and weather are optional at the start. The main thread pings the guardian
only while the tree is sound. At an orderly end the devices are brought into their safe state; at
a restart (SIGUSR2) they keep their leases and the next core adopts them as it finds them.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import config
from config.loading import LoadedConfig
from pems_actors import safe_state
from pems_actors.actors.base import GATEWAY, PLAN_KEEPER
from pems_actors.actors.learner_school import Learning
from pems_actors.actors.mqtt import Link
from pems_actors.appliance import Appliance
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.ports import PriceSource, WeatherSource
from pems_actors.domain.units import seconds
from pems_actors.durable.background import Background
from pems_actors.durable.memory import Memory, Phase, StateProblem
from pems_actors.gateways import safe_plan
from pems_actors.gateways.control_socket import AlreadyRunningError, ControlSocket
from pems_actors.gateways.devices_lock import DevicesLock, DevicesTakenError
from pems_actors.gateways.disk_reserve import DiskReserve
from pems_actors.gateways.growatt_journal import GrowattJournal
from pems_actors.gateways.mqtt_client import MqttClient, MqttSettings
from pems_actors.gateways.mqtt_house import MqttHouse
from pems_actors.gateways.sqlite_history import SqliteHistory
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.write_budget import WriteBudget
from pems_actors.surroundings import SOLVER, Pace, Surroundings
from supervision import (
    AskTimeout,
    GetSnapshot,
    HouseClock,
    NobodyThere,
    ThreadRuntime,
)
from supervision.guardian_link import GuardianLink
from supervision.leak_watch import LeakWatch, MemoryLimits
from supervision.own_memory import rss_mb
from supervision.soundness import Soundness, Vital
from supervision.worker_spec import WorkerSpec

LOOK_EVERY_S = 0.25
SWITCH_INTERVAL_S = 0.001  # a busy thread must not keep a successor waiting for its turn
PING_EVERY_S = 2.0
SILENT_TICKS = 3.0  # the gateway beats by itself when the house says nothing for 2.5
SHORTEST_SILENCE_S = 10.0  # of process time, however fast house time runs
DEVICES_WAIT_S = 15.0  # a safe_state that is at work ends by itself before
STOP_WITHIN_S = 5.0
DEAF_S = 40.0  # a main thread that stands still for this long ends the process, guardian or not
MEMORY = MemoryLimits()
ARMED_FILE = "armed.json"
HISTORY_FILE = "history.sqlite"
RESERVE_FILE = "disk_reserve"
MODELS_FOLDER = "models"
SCENARIO_DAYS = 400.0
SANE_FROM_S = seconds("2023-01-01T00:00:00Z")  # a wall clock before this has lost its battery


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line that the guardian gives."""
    parser = argparse.ArgumentParser(prog="python -m pems_actors.core", description=__doc__)
    parser.add_argument("--config")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--house", choices=("twin", "mqtt"), default="mqtt")
    parser.add_argument("--broker", default="127.0.0.1:1883", help="host:port")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--origin-wall", type=float, default=0.0, help="wall time of the origin")
    parser.add_argument("--origin-house", type=float, help="house time of the origin")
    parser.add_argument("--start", help="where the twin's scenario begins, ISO 8601")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weather-shift-k", type=float, default=0.0)
    parser.add_argument("--advisory", action="store_true")
    parser.add_argument("--drills", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, solver: WorkerSpec = SOLVER) -> int:
    """Run the core until it is told to stop.

    Returns: 0 after an order to stop, 1 when the tree gave up, 2 when it could not begin.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    link = GuardianLink.from_env(parent_death_signal=signal.SIGTERM)  # it still has to tidy up
    options = parse(sys.argv[1:] if argv is None else argv)
    began_s = time.monotonic()
    try:
        loaded, problems = config.load_or_last_good(options.config, options.state)
        core = Core(options, loaded, solver)
        core.hear_signals()  # before `ready`: an order to stop may follow at once
        core.appliance.start()
        core.settle_configuration(problems)
    except DevicesTakenError as problem:  # that ends; the guardian tries again
        print(problem, file=sys.stderr)
        return 1
    except (config.ConfigError, AlreadyRunningError, OSError) as problem:
        print(problem, file=sys.stderr)
        link.bye()
        return 2
    say(f"control live after {time.monotonic() - began_s:.1f} s")
    link.ready()
    return core.run(link, began_s)


def say(line: str) -> None:
    """Print a line at once; a closed terminal ends nobody."""
    with contextlib.suppress(OSError, ValueError):
        print(f"pems: {line}", flush=True)


class Core:
    """The appliance with real doors, and the main thread that looks after it."""

    def __init__(
        self, options: argparse.Namespace, loaded: LoadedConfig, solver: WorkerSpec = SOLVER
    ) -> None:
        self.options, self.loaded = options, loaded
        options.state.mkdir(parents=True, exist_ok=True)
        self.house = house_from(loaded.system)
        self.tariff = tariff_from(loaded.system)
        self.clock = _clock(options)
        self.topics = Topics(loaded.system.topics.prefix)
        self.first_plan = False
        self.stop = threading.Event()
        self.restart = False
        self.memory, self._leaking = LeakWatch(MEMORY, time.monotonic()), False
        system = loaded.system.system
        surroundings = self._surroundings()
        self.appliance = Appliance(
            self.house,
            self.tariff,
            surroundings,
            Pace(
                control_tick_s=float(system.control_interval_seconds),
                plan_every_s=float(system.optimization_interval_seconds),
                horizon_s=loaded.system.optimization.horizon_hours * 3600.0,
                demo=options.house == "twin",
                solver=solver,
                learning=Learning(options.state / MODELS_FOLDER),
            ),
            ThreadRuntime(self.clock),
            topics=self.topics,
            drills=options.drills,
            first_epoch=self.devices.begin_life(self.clock.now_s()),
        )

    def run(self, link: GuardianLink, began_s: float) -> int:
        """Wait, ping the guardian while the tree is sound, and stop in order."""
        sound = Soundness(self.appliance.system, self._vital())
        looked_s, told = 0.0, None
        while not self.stop.wait(LOOK_EVERY_S) and not link.parent_is_gone():
            if self.appliance.system.verdict is not None:
                say(f"the tree gave up: {self.appliance.system.verdict}")
                return 1
            self._tell_first_plan(began_s)
            self._watch_memory(time.monotonic())
            if (now_s := time.monotonic()) - looked_s < PING_EVERY_S:
                continue
            looked_s = now_s
            faulthandler.dump_traceback_later(DEAF_S, exit=True)
            complaint = sound.complaint(now_s)
            if complaint is None:
                link.ping()
            elif told is None:
                say(f"not sound, no ping: {complaint}")
            told = complaint
        return self._end(link)

    def settle_configuration(self, problems: Sequence[config.Problem]) -> None:
        """Keep a good configuration for a worse day; where this is such a day, say so."""
        if not problems:
            with contextlib.suppress(OSError):  # a full disk is told by whoever must save
                config.keep(self.loaded, self.options.state)
            return
        said = f"the last good one is in force, the file is refused: {problems[0]}"
        say(f"configuration: {said}")
        self.appliance.record.state_problem(StateProblem("configuration", said, Phase.BEGINS))

    def hear_signals(self) -> None:
        """End on SIGTERM and SIGINT, restart on SIGUSR2, show all stacks on SIGUSR1."""

        def heard(number: int, _frame: object) -> None:
            self.restart = number == signal.SIGUSR2
            self.stop.set()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
            signal.signal(number, heard)
        faulthandler.register(signal.SIGUSR1)

    def _vital(self) -> Vital:
        """What must hold for a ping: the order to the guardian not to kill us."""
        tick_s = self.appliance.pace.control_tick_s / self.options.speed
        longest_s = max(SILENT_TICKS * tick_s, SHORTEST_SILENCE_S)
        return Vital(("root", "safety", "devices"), {GATEWAY: longest_s})

    def _end(self, link: GuardianLink) -> int:
        """Stop the tree; then hand the devices to themselves, or to the next core."""
        self.appliance.stop(STOP_WITHIN_S)
        self.devices.release()
        if self.restart:
            say("restart: all devices keep their leases, the next core adopts them")
            return 0
        safe_state.bring(self.options.state, self._mqtt("safe", ""), self.clock.now_s, say)
        link.bye()  # it has said what it could not do; the guardian could not do more
        return 0

    def _watch_memory(self, now_s: float) -> None:
        """Tell a leak as an incident; with too much memory start anew, all leases kept."""
        if not self.memory.is_due(now_s):
            return
        self.memory.look(now_s, rss_mb())
        if self.memory.leaks is not self._leaking:
            self._leaking = self.memory.leaks
            slope = self.memory.slope_mb_per_h
            said = f"the core's memory grows hour after hour, by {slope:.1f} MB"
            phase = Phase.BEGINS if self._leaking else Phase.OVER
            self.appliance.record.state_problem(StateProblem("memory", said, phase))
        if self.memory.is_too_much(now_s):
            say(f"memory: {self.memory.rss_mb:.0f} MB is too much")
            self.restart = True
            self.stop.set()

    def _tell_first_plan(self, began_s: float) -> None:
        """Look into the plan keeper until it has one; an edge may ask."""
        if self.first_plan:
            return
        try:
            held = self.appliance.system.ask(PLAN_KEEPER, GetSnapshot(), 1.0).state
        except (AskTimeout, NobodyThere):
            return
        if held is None or held.adopted is None:
            return
        self.first_plan, plan = True, held.adopted.plan
        cost = plan.totals.get("cost", 0.0)
        hours = sum(slot.duration_s for slot in plan.slots) / 3600.0
        say(
            f"first plan in force after {time.monotonic() - began_s:.1f} s: "
            f"{hours:.0f} h for {cost:.1f} {plan.currency}, solved in "
            f"{1000.0 * plan.solver.wall_s:.0f} ms"
        )

    def _surroundings(self) -> Surroundings:
        options, system = self.options, self.loaded.system
        server = ControlSocket(options.state)  # first: it takes the state directory, or refuses
        self.devices = DevicesLock.take(options.state, "the core", DEVICES_WAIT_S)
        armed = self._armed()
        self._plan_for_our_end(armed)
        prices, weather = self._feeds()
        has_influx = self.loaded.settings.influxdb_url is not None
        history = SqliteHistory(
            options.state / HISTORY_FILE,
            outbox=has_influx,
            reserve=DiskReserve(options.state / RESERVE_FILE),
        )
        port = MqttHouse(
            self.house,
            self._mqtt("devices", f"{self.topics.prefix}/devices/status"),
            self.clock.now_s,
            tick_s=float(system.system.control_interval_seconds),
            topics=self.topics,
            journal=GrowattJournal(options.state),
            budget=WriteBudget.on_disk(options.state, self.house.inverter.max_writes_per_day),
        )
        port.start()
        return Surroundings(
            port=port,
            prices=prices,
            weather=weather,
            store=history,
            connect=self._connect,
            server=server,
            exporter=self._exporter(),
            armed=armed,
            save_armed=self._save_armed,
            memory=self._memory(),
            clock_floor_s=SANE_FROM_S if options.house == "mqtt" else float("-inf"),
        )

    def _memory(self) -> Memory:
        """Open what outlives this process; its writing is done by a thread of its own."""
        relays = (f"relay/{relay.name}" for relay in self.house.relays)
        devices = (*relays, "battery", "inverter")
        return Memory.on_disk(self.options.state, devices, Background("snapshots"))

    def _feeds(self) -> tuple[PriceSource, WeatherSource]:
        """Prices and weather: the twin's scenario, or the market and the weather service."""
        if self.options.house == "twin":
            from pems_actors.simulation.scenario import Scenario  # noqa: PLC0415 - twin only

            start_s = seconds(self.options.start) if self.options.start else self.clock.now_s()
            scenario = Scenario.reference(
                self.house,
                start_s,
                SCENARIO_DAYS,
                weather_shift_k=self.options.weather_shift_k,
                seed=self.options.seed,
            )
            return scenario, scenario
        from pems_actors.gateways.prices import CachedPrices, OteClient  # noqa: PLC0415
        from pems_actors.gateways.weather import CachedWeather, OpenMeteoClient  # noqa: PLC0415

        return CachedPrices(OteClient()), CachedWeather(OpenMeteoClient(self.house.site))

    def _mqtt(self, role: str, status_topic: str) -> MqttSettings:
        host, _, port = self.options.broker.rpartition(":")
        settings = self.loaded.settings
        password = settings.mqtt_password
        return MqttSettings(
            host=host or "127.0.0.1",
            port=int(port),
            client_id=f"{settings.mqtt_client_id or self.topics.prefix}-{role}",
            username=settings.mqtt_username,
            password=password.get_secret_value() if password is not None else None,
            status_topic=status_topic,
        )

    def _connect(self, on_message: Callable[[Any], None]) -> Link:
        return MqttClient(
            self._mqtt("core", self.topics.status), (self.topics.control,), on_message
        )

    def _exporter(self) -> Any:
        settings = self.loaded.settings
        if settings.influxdb_url is None:
            return None
        from pems_actors.gateways.influx import (  # noqa: PLC0415 - only where there is a server
            InfluxExporter,
            InfluxTarget,
            InfluxWriter,
        )

        token = settings.influxdb_token
        target = InfluxTarget(
            url=str(settings.influxdb_url),
            org=settings.influxdb_org,
            bucket=self.loaded.system.influx.buckets.optimization,
            token=token.get_secret_value() if token is not None else "",
        )
        return InfluxExporter(self.options.state / HISTORY_FILE, InfluxWriter(target))

    # --- which devices may be written to

    def _armed(self) -> frozenset[str] | None:
        """A twin is armed unless told otherwise; a real house only device by device."""
        if self.options.advisory:
            return frozenset()
        if self.options.house == "twin":
            return None
        file = self.options.state / ARMED_FILE
        try:
            armed = json.loads(file.read_text())
        except (OSError, ValueError):
            return frozenset()
        return None if armed == "all" else frozenset(str(name) for name in armed)

    def _save_armed(self, armed: frozenset[str] | None) -> None:
        file = self.options.state / ARMED_FILE
        scratch = file.with_suffix(".tmp")
        scratch.write_text(json.dumps("all" if armed is None else sorted(armed)))
        scratch.replace(file)
        self._plan_for_our_end(armed)

    def _plan_for_our_end(self, armed: frozenset[str] | None) -> None:
        """Leave on disk what is to be done with the devices once this process is gone."""
        plan = safe_plan.plan_of(self.house, armed, self.topics.prefix)
        try:
            safe_plan.write(self.options.state, plan)
        except OSError as problem:  # an old plan might name devices that are disarmed now
            safe_plan.forget(self.options.state)
            say(f"no plan for our end on disk ({problem.strerror}): leases run out by themselves")


def _clock(options: argparse.Namespace) -> HouseClock:
    """House time: the wall's, or the twin's, which runs `speed` times as fast."""
    if options.origin_house is None:
        return HouseClock.wall()
    gone_s = time.time() - options.origin_wall
    return HouseClock(options.origin_house, time.monotonic() - gone_s, options.speed)


if __name__ == "__main__":
    sys.exit(main())
