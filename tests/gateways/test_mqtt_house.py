"""The house over MQTT tells a picture per tick, writes without blocking, and undoes what it did."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading, InverterReading
from pems_actors.gateways import loxone
from pems_actors.gateways.growatt import Growatt, plan_writes
from pems_actors.gateways.growatt_journal import GrowattJournal
from pems_actors.gateways.growatt_registers import COMMANDS, RESULTS, TELEMETRY, Write
from pems_actors.gateways.growatt_twin import FACTORY, SimulatedGrowatt
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.mqtt_house import MqttHouse
from pems_actors.gateways.twin_voice import result_message
from pems_actors.gateways.wire import Message
from tests.gateways.brokers import RealBroker, wait
from tests.gateways.houses import NOW_S, battery, export, heat, reading, two_rooms

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path_factory.mktemp("broker"))
    yield made
    made.kill()


class Inverter:
    """A simulated inverter behind the broker that notes every byte it is told."""

    def __init__(self, port: int) -> None:
        self.heard: list[str] = []
        self.inverter = SimulatedGrowatt()
        settings = MqttSettings(port=port, client_id="inverter", status_topic="inverter/status")
        self.client = MqttClient(settings, (f"{COMMANDS}/#", "pems/heating/+/set"), self._hear)
        self.client.start()
        wait(self.client.connected)

    def _hear(self, message: Incoming) -> None:
        self.heard.append(message.topic)
        if message.topic.startswith(COMMANDS):
            answer = self.inverter.apply(message.topic, message.payload, NOW_S)
            self.client.publish(result_message(answer))


@pytest.fixture
def inverter(broker: RealBroker) -> Iterator[Inverter]:
    made = Inverter(broker.port)
    yield made
    made.client.close()


class Port:
    """One MqttHouse with its clock in hand."""

    def __init__(self, broker_port: int, state: Path) -> None:
        self.now_s = NOW_S
        self.readings: list[HouseReading] = []
        self.journal = GrowattJournal(state)
        self.house = MqttHouse(
            two_rooms(),
            MqttSettings(port=broker_port, client_id="house", status_topic="house/status"),
            lambda: self.now_s,
            journal=self.journal,
            device=replace(Growatt(), gap_s=0.01),
        )
        self.house.subscribe(self.readings.append)
        self.house.start()
        wait(self.house.client.connected)


@pytest.fixture
def port(broker: RealBroker, tmp_path: Path) -> Iterator[Port]:
    made = Port(broker.port, tmp_path)
    yield made
    made.house.close()


def test_a_house_that_is_only_watched_sends_no_byte_to_any_device(
    inverter: Inverter, port: Port
) -> None:
    status = loxone.status_message(reading())
    inverter.client.publish(replace(status, retain=False))
    wait(lambda: len(port.readings) == 1, "a reading")
    assert port.readings[0].rooms[0].temp_c == 21.4
    assert inverter.heard == []


def test_the_first_picture_waits_for_whoever_starts_to_listen(
    inverter: Inverter, broker: RealBroker, tmp_path: Path
) -> None:
    """A core connects before its actors are up; the status that the broker keeps comes at once."""
    inverter.client.publish(loxone.status_message(reading()))
    settings = MqttSettings(port=broker.port, client_id="early", status_topic="early/status")
    house, readings = MqttHouse(two_rooms(), settings, lambda: NOW_S), []
    house.start()
    wait(lambda: house.client.counters["received"] >= 1, "the kept status")
    house.subscribe(readings.append)
    wait(lambda: len(readings) == 1, "the first picture")
    house.close()
    inverter.client.publish(Message(loxone.STATUS, "", retain=True))
    assert readings[0].rooms[0].temp_c == 21.4


def test_a_silent_house_still_gives_a_picture_after_a_tick_and_a_half(port: Port) -> None:
    port.now_s += 91.0
    wait(lambda: len(port.readings) == 1, "a reading")
    assert port.readings[0] == HouseReading(port.now_s)


def test_the_clean_up_is_on_disk_before_the_first_write_and_gone_after_the_last(
    inverter: Inverter, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[Write, ...]] = []
    plain = port.journal.note

    def note(cleanup: tuple[Write, ...]) -> None:
        if not any("/set/" in topic for topic in inverter.heard):
            noted.append(cleanup)
        plain(cleanup)

    monkeypatch.setattr(port.journal, "note", note)
    port.house.apply(battery(BatteryMode.SELL))
    wait(port.house.idle, "the writes")
    assert noted
    assert noted[0]
    held = port.journal.read()
    assert held is not None
    for write in held:
        inverter.inverter.apply(write.topic, write.payload.encode(), NOW_S)
    assert inverter.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELF_USE
    port.house.apply(battery(BatteryMode.SELF_USE))
    wait(lambda: port.journal.read() == (), "an empty clean-up")


def test_a_disk_that_takes_no_note_lets_no_write_out(
    inverter: Inverter, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(_cleanup: tuple[Write, ...]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(port.journal, "note", note)
    port.house.apply(export(allowed=False))
    wait(lambda: "cannot be noted" in port.house.problem)
    assert not any("export" in topic for topic in inverter.heard)


def test_applying_never_blocks_even_without_a_broker() -> None:
    nobody = MqttSettings(port=9, client_id="alone", status_topic="alone/status")
    house = MqttHouse(two_rooms(), nobody, lambda: NOW_S)
    house.start()
    began = time.perf_counter()
    for _ in range(200):
        house.apply(heat("obyvak"))
        house.apply(battery(BatteryMode.HOLD))
        house.apply(export(allowed=False))
    assert time.perf_counter() - began < 5.0
    assert "broker" in house.problem
    assert house.counters()["dropped_out"] == 200
    house.close()


def test_only_the_last_order_to_a_relay_waits_for_the_broker() -> None:
    nobody = MqttSettings(port=9, client_id="alone", status_topic="alone/status")
    house = MqttHouse(two_rooms(), nobody, lambda: NOW_S)
    house.start()
    house.apply(heat("obyvak"))
    house.apply(heat("loznice", on=False)._replace(level=Level.NATIVE))
    assert house.counters()["dropped_out"] == 1
    house.close()


def test_a_listener_that_fails_is_counted_and_hears_the_next_picture(port: Port) -> None:
    heard: list[HouseReading] = []

    def fragile(reading: HouseReading) -> None:
        heard.append(reading)
        if len(heard) == 1:
            raise RuntimeError("boom")

    port.house.subscribe(fragile)
    port.now_s += 91.0
    wait(lambda: len(heard) == 1)
    port.now_s += 91.0
    wait(lambda: len(heard) == 2)
    assert port.house.alive()
    assert port.house.counters()["errors"] == 1
    assert port.readings == []  # a second listener replaces the first


def test_after_a_broker_s_restart_the_inverter_is_read_again(
    inverter: Inverter, port: Port, broker: RealBroker
) -> None:
    port.house.apply(battery(BatteryMode.SELL))
    wait(port.house.idle)
    broker.kill()
    wait(lambda: not port.house.client.connected())
    inverter.inverter.held = FACTORY  # somebody reset it meanwhile
    broker.start()
    wait(lambda: port.house.client.connected() and inverter.client.connected())
    inverter.heard.clear()
    port.house.apply(battery(BatteryMode.SELL))
    wait(port.house.idle)
    assert f"{COMMANDS}/batteryfirst/get" in inverter.heard
    assert inverter.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELL


def test_forged_answers_do_not_confirm_what_was_not_asked(port: Port, inverter: Inverter) -> None:
    for forged in ('{"command":"export/enable","success":true}', "nonsense"):
        inverter.client.publish(Message(RESULTS, forged))
    inverter.client.publish(Message(TELEMETRY, '{"InputPower": 1500}'))
    received = port.house.client.counters
    wait(lambda: received["received"] >= 3)
    port.now_s += 91.0
    wait(lambda: bool(port.readings))
    assert port.readings[-1].inverter == InverterReading(NOW_S, 1.5, export_allowed=None)


def test_a_journal_that_cannot_be_read_is_unknown_and_not_empty(tmp_path: Path) -> None:
    journal = GrowattJournal(tmp_path)
    assert journal.read() is None
    plan = plan_writes(battery(BatteryMode.SELL), FACTORY, NOW_S)
    journal.note(plan.cleanup)
    assert GrowattJournal(tmp_path).read() == plan.cleanup
    (tmp_path / "inverter_cleanup.json").write_text('[{"topic": "x", "payload": "y"}]')
    assert journal.read() is None
