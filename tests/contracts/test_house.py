"""The promises of a house, kept by the twin itself and by the twin heard over a real broker."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from pems_actors.domain.commands import DeviceCommand, SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode, House, Native
from pems_actors.domain.levels import Level
from pems_actors.domain.ports import House as HousePort
from pems_actors.domain.readings import HouseReading, RoomReading
from pems_actors.gateways.broker import BrokerSpec, find_mosquitto, free_port, wait_until_open
from pems_actors.gateways.growatt import Growatt
from pems_actors.gateways.loxone import STATUS
from pems_actors.gateways.mqtt_client import MqttClient, MqttSettings
from pems_actors.gateways.mqtt_house import MqttHouse
from pems_actors.gateways.twin_server import TwinServer
from pems_actors.gateways.twin_voice import TwinVoice
from pems_actors.gateways.wire import Message
from pems_actors.simulation.device_faults import DeviceFault, FaultKind
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin
from pems_actors.simulation.twin_house import TwinHouse
from tests.simulation.houses import reference_house

START_S = 1_768_435_200.0  # 2026-01-15 00:00 UTC
PATIENCE_S = 20.0
WARM = "hosti"


def make_twin(house: House) -> Twin:
    scenario = Scenario.reference(house, START_S, 2.0, seed=3)
    return Twin(house, true_model(house.model, 3), scenario, lambda _at_s: False, START_S, 3)


class Rig(Protocol):
    """A house with its time in the hand of the test."""

    @property
    def twin(self) -> Twin: ...
    @property
    def port(self) -> HousePort: ...

    def minute(self) -> HouseReading:
        """Let a minute pass and give the reading at its end."""

    def do(self, command: DeviceCommand) -> None:
        """Apply a command and let it reach its device."""


class TwinRig:
    """The twin behind its own door."""

    def __init__(self, house: House) -> None:
        self.twin = make_twin(house)
        self.port = TwinHouse(self.twin)
        self.heard: list[HouseReading] = []
        self.port.subscribe(self.heard.append)

    def minute(self) -> HouseReading:
        self.port.advance_to(self.twin.at_s + 60.0)
        return self.heard[-1]

    def do(self, command: DeviceCommand) -> None:
        self.port.apply(command)

    def close(self) -> None:
        self.port.close()


class MqttRig:
    """The same twin, heard and commanded over a broker."""

    def __init__(self, house: House, broker_port: int) -> None:
        self.now_s = START_S
        self.twin = make_twin(house)
        self.voice = TwinVoice.of(house, self.twin, START_S)
        said = MqttSettings(port=broker_port, client_id="twin", status_topic="twin/status")
        self.server = TwinServer(
            self.voice,
            lambda hear: MqttClient(said, self.voice.subscriptions, hear),
            lambda: self.now_s,
            lambda: None,
        )
        self.port = MqttHouse(
            house,
            replace(said, client_id="house", status_topic="house/status"),
            lambda: self.now_s,
            device=replace(Growatt.of(house), gap_s=0.01),
        )
        self.newest: HouseReading | None = None
        self.news = threading.Condition()
        self.port.subscribe(self._hear)
        self.server.link.start()
        self.port.start()
        self.wait(lambda: self.port.client.connected() and self.server.link.connected())  # type: ignore[attr-defined]  # a real client

    def _hear(self, reading: HouseReading) -> None:
        with self.news:
            self.newest = reading
            self.news.notify_all()

    def wait(self, come_true: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        with self.news:
            while not come_true():
                assert time.monotonic() < until, self.port.problem or "nothing happened"
                self.news.wait(0.01)

    def minute(self) -> HouseReading:
        self.now_s += 60.0
        self.server.step()
        now_s = self.now_s
        self.wait(lambda: self.newest is not None and _time_of(self.newest) >= now_s)
        assert self.newest is not None
        return self.newest

    def do(self, command: DeviceCommand) -> None:
        heard = self.twin.relays.commands
        self.port.apply(command)
        if isinstance(command, SetHeating):
            self.wait(lambda: self.twin.relays.commands > heard)
        else:
            self.wait(self.port.idle)

    def close(self) -> None:
        self.port.close()
        self.server.link.publish(Message(STATUS, "", retain=True))  # the next test begins anew
        self.server.link.close()


def _time_of(reading: HouseReading) -> float:
    """When the Miniserver said what this reading tells, as far as it tells."""
    return max((room.at_s for room in reading.rooms), default=0.0)


@pytest.fixture(scope="module")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed; apt-get install mosquitto")
    folder: Path = tmp_path_factory.mktemp("broker")
    spec = BrokerSpec(free_port(), folder, "mosquitto")
    process = subprocess.Popen(spec.argv, stdin=subprocess.DEVNULL)
    wait_until_open(spec.port, PATIENCE_S)
    yield spec.port
    process.terminate()
    process.wait(PATIENCE_S)


@pytest.fixture(params=["twin", pytest.param("mqtt", marks=pytest.mark.broker)])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    house = reference_house(native=Native.OFF)
    made: TwinRig | MqttRig = TwinRig(house)
    if request.param == "mqtt":
        made = MqttRig(house, request.getfixturevalue("broker_port"))
    yield made
    made.close()


def heat(at_s: float, *, on: bool = True, lease_s: float = 900.0) -> SetHeating:
    return SetHeating(WARM, on, "a test", Level.RULES, at_s, at_s + lease_s)


def room(reading: HouseReading, name: str) -> RoomReading:
    return next(each for each in reading.rooms if each.room == name)


def test_a_reading_tells_every_room_and_every_device(rig: Rig) -> None:
    reading = rig.minute()
    assert {each.room for each in reading.rooms} == {each.name for each in rig.twin.house.rooms}
    assert room(reading, "obyvak").temp_c == pytest.approx(20.0, abs=1.0)
    assert reading.battery is not None
    assert reading.battery.soc_frac == pytest.approx(0.5, abs=0.05)
    assert reading.outdoor is not None
    assert reading.outdoor.temp_c is not None
    assert reading.heating_blocked is False


def test_powers_of_one_reading_are_in_balance(rig: Rig) -> None:
    reading = rig.minute()
    assert reading.meter is not None
    assert reading.battery is not None
    assert reading.inverter is not None
    fed_kw = sum(
        power_kw or 0.0
        for power_kw in (reading.meter.grid_kw, reading.battery.power_kw, reading.inverter.pv_kw)
    )
    assert fed_kw == pytest.approx(reading.meter.load_kw, abs=0.01)
    assert reading.meter.phase_kw is not None
    assert sum(reading.meter.phase_kw) == pytest.approx(reading.meter.grid_kw, abs=0.01)


def test_a_heating_command_reaches_its_relay_and_is_read_back(rig: Rig) -> None:
    assert room(rig.minute(), WARM).relay_on is False
    rig.do(heat(rig.twin.at_s))
    assert room(rig.minute(), WARM).relay_on is True
    rig.do(heat(rig.twin.at_s, on=False))
    assert room(rig.minute(), WARM).relay_on is False


def test_a_lease_that_ends_gives_the_relay_back(rig: Rig) -> None:
    rig.minute()
    rig.do(heat(rig.twin.at_s, lease_s=300.0))
    states = [room(rig.minute(), WARM).relay_on for _ in range(7)]
    assert states[0] is True
    assert states[-1] is False


def test_a_missing_sensor_stays_unknown_and_the_others_go_on(rig: Rig) -> None:
    rig.minute()
    rig.twin.fault("rooms/loznice", DeviceFault(FaultKind.SENSOR_MISSING))
    reading = rig.minute()
    assert "loznice" not in {each.room for each in reading.rooms if each.temp_c is not None}
    assert room(reading, "obyvak").temp_c is not None


@pytest.mark.parametrize("mode", [BatteryMode.HOLD, BatteryMode.CHARGE_GRID, BatteryMode.SELL])
def test_a_battery_mode_arrives_and_is_read_back(rig: Rig, mode: BatteryMode) -> None:
    rig.minute()
    at_s = rig.twin.at_s
    rig.do(SetBatteryMode(mode, "a test", Level.PLAN, at_s, at_s + 900.0, 2.0, 0.6))
    rig.minute()
    reading = rig.minute()
    assert reading.battery is not None
    assert reading.battery.mode is mode
    assert rig.twin.inverter.mode is mode


def test_the_battery_goes_back_to_self_use_when_it_is_told(rig: Rig) -> None:
    rig.minute()
    at_s = rig.twin.at_s
    for mode in (BatteryMode.CHARGE_GRID, BatteryMode.SELF_USE):
        rig.do(SetBatteryMode(mode, "a test", Level.PLAN, at_s, at_s + 900.0, 2.0, 0.8))
        rig.minute()
    assert rig.twin.inverter.mode is BatteryMode.SELF_USE


def test_export_can_be_forbidden_and_allowed(rig: Rig) -> None:
    rig.minute()
    for allowed in (False, True):
        at_s = rig.twin.at_s
        rig.do(SetExport(allowed, "a test", Level.PLAN, at_s, at_s + 900.0))
        rig.minute()
        reading = rig.minute()
        assert reading.inverter is not None
        assert reading.inverter.export_allowed is allowed
        assert rig.twin.inverter.export_allowed is allowed
