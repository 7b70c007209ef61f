"""The simulated house sounds like a real one, and goes on where it was after a restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pems_actors.domain.house import BatteryMode, House, Native
from pems_actors.gateways import loxone
from pems_actors.gateways.growatt import plan_writes
from pems_actors.gateways.growatt_registers import COMMANDS, RESULTS, TELEMETRY
from pems_actors.gateways.loxone import LoxoneStatus, heating_message
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.twin_server import (
    NAME,
    TwinServer,
    arguments,
    clock_of,
    read_snapshot,
    resumed,
    save_snapshot,
)
from pems_actors.gateways.twin_voice import TwinVoice
from pems_actors.gateways.wire import Message
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin
from tests.gateways.brokers import RealBroker, wait
from tests.gateways.houses import NOW_S, battery, heat
from tests.simulation.houses import reference_house

SELL = BatteryMode.SELL
HOUSE = reference_house(native=Native.OFF)


def make(house: House = HOUSE, at_s: float = NOW_S) -> tuple[TwinVoice, Twin]:
    scenario = Scenario.reference(house, at_s, 2.0, seed=1)
    twin = Twin(house, true_model(house.model, 1), scenario, lambda _at_s: False, at_s, 1)
    return TwinVoice.of(house, twin, at_s), twin


def say(
    voice: TwinVoice, message: Message, at_s: float, *, retained: bool = False
) -> list[Message]:
    return list(voice.hear(message.topic, message.payload.encode(), retained=retained, at_s=at_s))


def status_of(voice: TwinVoice) -> LoxoneStatus:
    found = [m for m in voice.tell() if m.topic == loxone.STATUS]
    status = loxone.read_status(found[0].payload.encode())
    assert isinstance(status, LoxoneStatus)
    return status


def test_each_minute_tells_the_house_the_inverter_and_the_weather() -> None:
    voice, _ = make()
    messages = {message.topic: message for message in voice.tell()}
    assert set(messages) == {loxone.STATUS, TELEMETRY, loxone.OUTDOOR}
    assert messages[loxone.STATUS].retain
    assert not messages[TELEMETRY].retain
    assert len(json.loads(messages[TELEMETRY].payload)) == 39


def test_a_heating_order_switches_the_relay_and_is_confirmed_at_once() -> None:
    voice, _ = make()
    (answer,) = say(voice, heating_message(heat("hosti")), NOW_S + 5.0)
    confirmed = loxone.read_relay_status(answer.topic, answer.payload.encode())
    assert isinstance(confirmed, loxone.RelayStatus)
    assert (confirmed.relay, confirmed.on) == ("hosti", True)
    assert confirmed.power_kw == pytest.approx(1.93)
    voice.advance(NOW_S + 60.0)
    assert status_of(voice).relays["hosti"]


def test_a_relay_is_free_again_when_its_lease_has_ended() -> None:
    voice, _ = make()
    say(voice, heating_message(heat("hosti", lease_s=120.0)), NOW_S)
    voice.advance(NOW_S + 240.0)
    assert not status_of(voice).relays["hosti"]


@pytest.mark.parametrize(
    ("message", "retained"),
    [
        (heating_message(heat("hosti")), True),
        (heating_message(heat("sklep")), False),
        (heating_message(heat("hosti", NOW_S - 7200.0)), False),
        (Message("pems/heating/hosti/set", "on"), False),
        (Message(f"{COMMANDS}/export/disable", "{}"), True),
    ],
)
def test_orders_that_are_kept_late_or_not_meant_are_not_obeyed(
    message: Message, retained: bool
) -> None:
    voice, twin = make()
    assert say(voice, message, NOW_S + 1.0, retained=retained) == []
    assert voice.rejected
    assert not status_of(voice).relays["hosti"]
    assert twin.inverter.export_allowed


def test_register_writes_change_the_mode_and_are_answered() -> None:
    voice, twin = make()
    plan = plan_writes(
        battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.9), voice.inverter.held, NOW_S
    )
    for write in plan.writes:
        (answer,) = say(voice, Message(write.topic, write.payload), NOW_S)
        assert answer.topic == RESULTS
        assert json.loads(answer.payload)["success"] is True
    assert twin.inverter.mode is BatteryMode.CHARGE_GRID
    voice.advance(NOW_S + 1800.0)
    assert twin.inverter.soc_frac > 0.58


def test_a_slot_nobody_clears_ends_by_itself_and_comes_back_the_next_day() -> None:
    voice, twin = make()
    for write in plan_writes(battery(BatteryMode.SELL), voice.inverter.held, NOW_S).writes:
        say(voice, Message(write.topic, write.payload), NOW_S)
    seen = {}
    for hours in (1.0, 2.02, 24.05):
        voice.advance(NOW_S + hours * 3600.0)
        seen[hours] = twin.inverter.mode
    assert seen == {1.0: SELL, 2.02: BatteryMode.SELF_USE, 24.05: SELL}


def test_a_server_speaks_once_a_minute_of_its_house() -> None:
    voice, _ = make()
    broker, now = MemoryMqtt(), [NOW_S]
    server = TwinServer(voice, broker.connect, lambda: now[0], lambda: None)
    assert server.step() == NOW_S + 60.0
    server.step()
    assert broker.count(TELEMETRY) == 1
    now[0] += 61.0
    assert server.step() == NOW_S + 120.0
    assert broker.count(TELEMETRY) == 2
    order = heating_message(heat("hosti", now[0]))
    broker.say(order.topic, order.payload.encode())
    assert broker.count(loxone.heating_status_topic("hosti")) == 1


def test_a_restarted_house_goes_on_with_relays_registers_and_counters(tmp_path: Path) -> None:
    voice, twin = make()
    say(voice, heating_message(heat("hosti", lease_s=3600.0)), NOW_S)
    for write in plan_writes(battery(BatteryMode.SELL), voice.inverter.held, NOW_S).writes:
        say(voice, Message(write.topic, write.payload), NOW_S)
    voice.advance(NOW_S + 600.0)
    voice.tell()
    save_snapshot(tmp_path / NAME, voice, twin)
    found = read_snapshot(tmp_path / NAME)
    assert found is not None
    again, plant = make()
    assert resumed(again, plant, found, NOW_S + 1200.0)
    for one in (voice, again):
        one.advance(NOW_S + 1200.0)
    assert again.tell() == voice.tell()
    assert plant.inverter.mode is BatteryMode.SELL
    assert status_of(again).relays["hosti"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1}'])
def test_an_unusable_snapshot_is_no_snapshot(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    voice, twin = make()
    found = read_snapshot(tmp_path / NAME)
    assert found is None or not resumed(voice, twin, found, NOW_S)


def test_a_snapshot_of_the_future_or_of_long_ago_is_not_taken_up(tmp_path: Path) -> None:
    voice, twin = make()
    save_snapshot(tmp_path / NAME, voice, twin)
    found = read_snapshot(tmp_path / NAME)
    assert found is not None
    assert not resumed(*make(), found, NOW_S - 60.0)
    assert not resumed(*make(), found, NOW_S + 30 * 86400.0)


def test_the_clock_runs_from_its_origin_at_its_speed() -> None:
    wall = time.time()
    given = arguments(
        ["--state", "x", "--speed", "60", "--origin-wall", str(wall), "--origin-house", "1000"]
    )
    clock = clock_of(given)
    assert clock.now_s() == pytest.approx(1000.0, abs=600.0)
    assert clock.until_s(clock.now_s() + 120.0) == pytest.approx(2.0, abs=1.0)
    started = clock_of(arguments(["--state", "x", "--start", "2026-01-15T11:00:00Z"]))
    assert started.now_s() == pytest.approx(NOW_S, abs=5.0)


# -- the process -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path_factory.mktemp("broker"))
    yield made
    made.kill()


@pytest.fixture
def start(broker: RealBroker, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    wall = time.time()

    def one() -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "pems_actors.gateways.twin_server"]
        argv += ["--port", str(broker.port), "--speed", "600", "--state", str(tmp_path)]
        argv += ["--origin-wall", str(wall), "--origin-house", str(NOW_S), "--seed", "1"]
        running.append(subprocess.Popen(argv, env={**os.environ, "OMP_NUM_THREADS": "1"}))
        return running[-1]

    yield one
    for process in running:
        process.kill()
        process.wait(10.0)


@pytest.mark.broker
@pytest.mark.slow
def test_the_process_outlives_its_broker_and_itself(
    broker: RealBroker, start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    heard: list[Incoming] = []
    settings = MqttSettings(port=broker.port, client_id="ear", status_topic="ear/status")
    ear = MqttClient(settings, ("energy/solar", "loxone/#"), heard.append)
    ear.start()
    first = start()
    wait(lambda: len(heard) > 3, "a first minute")
    broker.kill()
    broker.start()
    wait(ear.connected, "reconnection")
    heard.clear()
    wait(lambda: any(m.topic == TELEMETRY for m in heard), "telemetry after the broker's restart")
    first.send_signal(signal.SIGTERM)
    assert first.wait(20.0) == 0
    before = read_snapshot(tmp_path / NAME)
    assert before is not None
    heard.clear()
    start()
    wait(lambda: any(m.topic == TELEMETRY for m in heard), "telemetry after its own restart")
    solar = [json.loads(m.payload) for m in heard if m.topic == TELEMETRY][-1]
    assert solar["LocalLoadEnergyTotal"] >= round(before["voice"]["counters"]["total"]["Load"], 3)
    ear.close()
