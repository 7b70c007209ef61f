"""The real doors of one house: devices, broker, prices and weather, history, whatever is on disk.

The core opens them before its tree starts, and that must be quick: nothing here waits for a
network. Opening also takes the state directory and the devices, so that a second core is refused;
and it leaves on disk what is to be done with the devices once this process is gone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from config.loading import LoadedConfig
from pems_actors.actors.mqtt import Link
from pems_actors.domain.house import House
from pems_actors.domain.ports import PriceSource, WeatherSource
from pems_actors.domain.units import seconds
from pems_actors.durable.background import Background
from pems_actors.durable.memory import Memory, StateProblem
from pems_actors.gateways import arming, devices_lock, safe_plan, write_budget
from pems_actors.gateways.control_socket import ControlSocket
from pems_actors.gateways.devices_lock import DevicesLock
from pems_actors.gateways.disk_reserve import DiskReserve
from pems_actors.gateways.growatt_journal import GrowattJournal
from pems_actors.gateways.mqtt_client import MqttClient, MqttSettings
from pems_actors.gateways.mqtt_house import MqttHouse
from pems_actors.gateways.sqlite_history import SqliteHistory
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.write_budget import WriteBudget
from pems_actors.surroundings import Surroundings
from supervision import HouseClock

DEVICES_WAIT_S = 15.0  # a safe_state that is at work ends by itself before
HISTORY_FILE = "history.sqlite"
RESERVE_FILE = "disk_reserve"
SCENARIO_DAYS = 400.0
SANE_FROM_S = seconds("2023-01-01T00:00:00Z")  # a wall clock before this has lost its battery


class Doors:
    """What the appliance of this process speaks through; `open` may be called once."""

    def __init__(
        self,
        options: argparse.Namespace,
        loaded: LoadedConfig,
        house: House,
        clock: HouseClock,
        say: Callable[[str], None],
    ) -> None:
        self.options, self.loaded = options, loaded
        self.house, self.clock, self._say = house, clock, say
        self.topics = Topics(loaded.system.topics.prefix)

    def open(self) -> Surroundings:
        """Take the state directory and the devices, and open everything else.

        Raises: AlreadyRunningError, DevicesTakenError where another process has them.
        """
        options, system = self.options, self.loaded.system
        server = ControlSocket(options.state)  # first: it takes the state directory, or refuses
        self.devices = DevicesLock.take(options.state, "the core", DEVICES_WAIT_S)
        self._memory = self._open_memory()
        armed = self._armed()
        self._plan_for_our_end(armed)
        self._tell_what_is_held(armed)
        prices, weather = self._feeds()
        has_influx = self.loaded.settings.influxdb_url is not None
        history = SqliteHistory(
            options.state / HISTORY_FILE,
            outbox=has_influx,
            reserve=DiskReserve(options.state / RESERVE_FILE),
            on_lost=lambda said: self._tell("history", said),
        )
        port = MqttHouse(
            self.house,
            self.mqtt("devices", f"{self.topics.prefix}/devices/status"),
            self.clock.now_s,
            tick_s=float(system.system.control_interval_seconds),
            topics=self.topics,
            journal=GrowattJournal(options.state),
            budget=self._budget(),
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
            memory=self._memory,
            clock_floor_s=SANE_FROM_S if options.house == "mqtt" else float("-inf"),
        )

    def begin_life(self) -> int:
        """Count this life of the core; returns its first epoch."""
        epoch = self.devices.begin_life(self.clock.now_s())
        self._tell(devices_lock.LIVES, self.devices.problem)
        return epoch

    def _open_memory(self) -> Memory:
        """Open what outlives this process; its writing is done by a thread of its own."""
        relays = (f"relay/{relay.name}" for relay in self.house.relays)
        loads = (f"load/{load.name}" for load in self.house.loads)
        devices = (*relays, *loads, "battery", "inverter")
        return Memory.on_disk(self.options.state, devices, Background("snapshots"))

    def _budget(self) -> WriteBudget:
        budget = WriteBudget.on_disk(self.options.state, self.house.inverter.max_writes_per_day)
        self._tell(write_budget.NAME, budget.problem)
        return budget

    def _tell(self, name: str, problem: str) -> None:
        """Tell what is wrong with something that was kept, if anything is."""
        if problem:
            self._memory.tell(StateProblem(name, problem))

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

    def mqtt(self, role: str, status_topic: str) -> MqttSettings:
        """Say how one client of this process meets the broker."""
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
        return MqttClient(self.mqtt("core", self.topics.status), (self.topics.control,), on_message)

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
        found = arming.load(self.options.state)
        self._tell(arming.NAME, found.problem)
        return found.armed

    def _save_armed(self, armed: frozenset[str] | None) -> None:
        arming.save(self.options.state, armed, self.clock.now_s())
        self._plan_for_our_end(armed)

    def _plan_for_our_end(self, armed: frozenset[str] | None) -> None:
        """Leave on disk what is to be done with the devices once this process is gone."""
        plan = safe_plan.plan_of(self.house, armed, self.topics.prefix)
        try:
            safe_plan.write(self.options.state, plan)
        except OSError as problem:  # an old plan might name devices that are disarmed now
            safe_plan.forget(self.options.state)
            self._say(
                f"no plan for our end on disk ({problem.strerror}): leases run out by themselves"
            )

    def _tell_what_is_held(self, armed: frozenset[str] | None) -> None:
        """Say what an earlier life left in the inverter that may not be touched now."""
        noted = GrowattJournal(self.options.state).read() or ()
        held = safe_plan.held_words(safe_plan.plan_of(self.house, armed, ""), noted)
        self._tell("inverter", held)
        if held:
            self._say(f"inverter: {held}")
