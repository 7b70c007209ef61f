"""Without its core each device comes into its safe state, by one writer and with no other byte."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pems_actors import safe_state
from pems_actors.domain.house import BatteryMode, House, Native
from pems_actors.gateways import safe_conversation, safe_plan
from pems_actors.gateways.devices_lock import DevicesLock
from pems_actors.gateways.growatt import Growatt, cleanup_of, cleanup_of_unknown, plan_writes
from pems_actors.gateways.growatt_journal import NAME as NOTE
from pems_actors.gateways.growatt_journal import GrowattJournal
from pems_actors.gateways.growatt_registers import COMMANDS, OFF, Registers, Slot, Write
from pems_actors.gateways.growatt_twin import FACTORY, SimulatedGrowatt
from pems_actors.gateways.loxone import (
    RelayStatus,
    heating_message,
    read_heating,
    relay_status_message,
    status_message,
)
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.safe_plan import RelayFallback, SafePlan, plan_of
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.twin_voice import result_message
from pems_actors.safe_state import relay_order, relay_words, writes_due
from tests.gateways.brokers import RealBroker, wait
from tests.gateways.houses import NOW_S, battery, reading, two_rooms

THERMOSTAT = RelayFallback("obyvak", Native.THERMOSTAT, "as found", 60.0)
GOES_OFF = RelayFallback("obyvak", Native.OFF, None)
NEVER_FORGETS = RelayFallback("obyvak", Native.KEEP, "off", 60.0)
CHARGING = replace(FACTORY, battery_slot=Slot(600, 720, enabled=True), ac_charge=True)
ALL = safe_plan.SafePlan(battery=True, inverter=True)


def house_of(*natives: Native) -> House:
    house = two_rooms()
    relays = zip(house.relays, natives, strict=True)
    return replace(house, relays=tuple(replace(r, native=native) for r, native in relays))


# -- the plan --------------------------------------------------------------------------------------


def test_the_plan_names_armed_devices_only() -> None:
    plan = plan_of(two_rooms(), frozenset({"relay/loznice", "battery"}), "pems")
    assert [relay.relay for relay in plan.relays] == ["loznice"]
    assert (plan.battery, plan.inverter, plan.empty) == (True, False, False)


def test_an_advisory_house_has_an_empty_plan() -> None:
    assert plan_of(two_rooms(), frozenset(), "pems").empty


def test_what_is_held_and_may_not_be_touched_is_told_with_a_way_out() -> None:
    noted = cleanup_of(replace(CHARGING, export=False))
    assert safe_plan.held_words(ALL, noted) == ""
    assert safe_plan.held_words(SafePlan(inverter=True), noted) == (
        "it still holds battery_slot, ac_charge of ours, but is not armed; "
        "see to it by hand, or by `pems arm devices/battery`"
    )
    assert safe_plan.held_words(SafePlan(), noted).endswith(
        "`pems arm devices/battery` and `pems arm devices/inverter`"
    )


def test_leases_of_thermostats_end_one_after_the_other() -> None:
    plan = plan_of(house_of(Native.THERMOSTAT, Native.THERMOSTAT), None, "pems")
    assert [relay.lease_s for relay in plan.relays] == [60.0, 210.0]


def test_a_plan_reads_back_as_it_was_written(tmp_path: Path) -> None:
    plan = plan_of(house_of(Native.OFF, Native.KEEP), None, "home")
    safe_plan.write(tmp_path, plan)
    assert safe_plan.read(tmp_path) == plan


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"version": 2}',
    ],
)
def test_a_plan_that_cannot_be_trusted_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / safe_plan.NAME).write_text(text)
    assert safe_plan.read(tmp_path) is None


def test_a_plan_that_would_leave_a_relay_on_is_none(tmp_path: Path) -> None:
    safe_plan.write(tmp_path, plan_of(house_of(Native.KEEP, Native.KEEP), None, "pems"))
    file = tmp_path / safe_plan.NAME
    file.write_text(file.read_text().replace('"off"', '"on"'))
    assert safe_plan.read(tmp_path) is None


def test_a_plan_that_stands_needs_no_room_on_the_disk(tmp_path: Path) -> None:
    plan = plan_of(two_rooms(), None, "pems")
    safe_plan.write(tmp_path, plan)
    (tmp_path / f"{safe_plan.NAME}.new").symlink_to("/dev/full")
    safe_plan.write(tmp_path, plan)
    with pytest.raises(OSError, match="No space left"):
        safe_plan.write(tmp_path, plan_of(two_rooms(), frozenset(), "pems"))
    assert safe_plan.read(tmp_path) == plan


def test_a_forgotten_plan_is_none(tmp_path: Path) -> None:
    safe_plan.write(tmp_path, ALL)
    safe_plan.forget(tmp_path)
    safe_plan.forget(tmp_path)
    assert safe_plan.read(tmp_path) is None


# -- what is due -----------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [True, False])
def test_a_thermostat_takes_over_without_a_click(found: bool) -> None:
    order = relay_order(THERMOSTAT, found, NOW_S)
    assert order is not None
    assert (order.on, order.lease_until_s) == (found, NOW_S + 60.0)
    assert "then its thermostat decides" in relay_words(THERMOSTAT, order, found)


def test_a_relay_of_unknown_state_is_left_to_its_lease() -> None:
    assert relay_order(THERMOSTAT, None, NOW_S) is None
    assert "its lease runs out" in relay_words(THERMOSTAT, None, None)


@pytest.mark.parametrize("found", [True, False, None])
def test_a_relay_that_goes_off_by_itself_heats_as_long_as_its_lease_lasts(found: bool) -> None:
    assert relay_order(GOES_OFF, found, NOW_S) is None
    assert "keeps its lease" in relay_words(GOES_OFF, None, found)


@pytest.mark.parametrize("found", [True, None])
def test_a_relay_that_never_forgets_is_switched_off(found: bool | None) -> None:
    order = relay_order(NEVER_FORGETS, found, NOW_S)
    assert order is not None
    assert not order.on
    assert "is switched off" in relay_words(NEVER_FORGETS, order, found)


def test_a_relay_that_never_forgets_and_is_off_is_left_alone() -> None:
    assert relay_order(NEVER_FORGETS, False, NOW_S) is None
    assert "is off and stays so" in relay_words(NEVER_FORGETS, None, False)


NOTED = cleanup_of_unknown()


def test_only_armed_registers_are_written() -> None:
    assert writes_due(SafePlan(battery=True), NOTED, ever=True) == NOTED[:3]
    assert [w.register for w in writes_due(SafePlan(inverter=True), NOTED, ever=True)] == ["export"]
    assert writes_due(SafePlan(), NOTED, ever=True) == ()


def test_a_note_that_cannot_be_read_means_everything_and_none_at_all_means_nothing() -> None:
    assert writes_due(ALL, None, ever=True) == NOTED
    assert writes_due(ALL, None, ever=False) == ()
    assert writes_due(ALL, (), ever=True) == ()


def test_without_a_plan_only_what_was_noted_is_undone() -> None:
    assert writes_due(None, NOTED[:1], ever=True) == NOTED[:1]
    assert writes_due(None, None, ever=True) == ()


# -- with devices on a real broker -------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inverter that needs no pauses, and a short patience."""
    monkeypatch.setattr(safe_conversation, "GAP_S", 0.01)
    monkeypatch.setattr(safe_conversation, "ANSWER_S", 0.4)
    monkeypatch.setattr(safe_state, "LOCK_WAIT_S", 0.1)


class Devices:
    """A Miniserver and an inverter on a broker, and everything that was written to them."""

    def __init__(self, port: int) -> None:
        self.inverter = SimulatedGrowatt(Growatt(), CHARGING)
        self.relays: dict[str, tuple[bool, float]] = {}
        self.written: list[str] = []
        self.asked_s: list[float] = []
        self.deaf = False
        self.stuck = False  # its relays stay on, whatever they are told
        settings = MqttSettings(port=port, client_id="devices", status_topic="devices/status")
        topics = (Topics().heating("+"), f"{COMMANDS}/#")
        self.client = MqttClient(settings, topics, self._hear)
        self.client.start()
        wait(self.client.connected, "a connection")
        self.client.publish(status_message(reading()))

    def _hear(self, message: Incoming) -> None:
        self.written.append(message.topic)
        if message.topic.startswith(COMMANDS):
            self.asked_s.append(time.monotonic())
            if not self.deaf:
                answer = self.inverter.apply(message.topic, message.payload, NOW_S)
                self.client.publish(result_message(answer))
            return
        order = read_heating(message.topic, message.payload, retained=False, now_s=NOW_S)
        on = order.on or self.stuck
        self.relays[order.relay] = on, order.lease_until_s
        self.client.publish(relay_status_message(RelayStatus(order.relay, on, NOW_S), NOW_S))

    @property
    def writes(self) -> list[str]:
        return [topic for topic in self.written if "/set/" in topic or "/export/" in topic]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path_factory.mktemp("broker"))
    yield made
    made.kill()


@pytest.fixture
def devices(broker: RealBroker, hasty: None) -> Iterator[Devices]:
    made = Devices(broker.port)
    yield made
    made.client.close()


def note_for(held: Registers, state: Path) -> tuple[Write, ...]:
    """Note on disk what takes this state of the inverter back."""
    plan = plan_writes(battery(BatteryMode.SELF_USE), held, NOW_S)
    GrowattJournal(state).note(plan.cleanup)
    return plan.cleanup


def bring(state: Path, port: int, deadline_s: float = 8.0) -> tuple[bool, list[str]]:
    said: list[str] = []
    settings = MqttSettings(port=port, client_id="safe")
    safe = safe_state.bring(state, settings, lambda: NOW_S, said.append, deadline_s)
    return safe, said


@pytest.mark.broker
def test_each_device_gets_what_it_needs_and_a_sentence(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    safe_plan.write(tmp_path, plan_of(house_of(Native.THERMOSTAT, Native.KEEP), None, "pems"))
    note_for(CHARGING, tmp_path)
    safe, said = bring(tmp_path, broker.port)
    assert safe, said
    assert devices.relays == {"obyvak": (True, NOW_S + 60.0)}  # loznice was off already
    assert devices.inverter.held == replace(CHARGING, battery_slot=OFF, ac_charge=False)
    assert [line.split(":")[0] for line in said] == ["relay obyvak", "relay loznice", "inverter"]
    assert "on its own again (battery_slot, ac_charge)" in said[-1]
    assert GrowattJournal(tmp_path).read() == ()


@pytest.mark.broker
@pytest.mark.parametrize("stuck", [False, True])
def test_a_relay_that_never_forgets_is_read_back(
    devices: Devices, broker: RealBroker, tmp_path: Path, stuck: bool
) -> None:
    devices.stuck = stuck
    safe_plan.write(tmp_path, plan_of(house_of(Native.KEEP, Native.KEEP), None, "pems"))
    safe, said = bring(tmp_path, broker.port)
    assert devices.relays["obyvak"][0] is stuck
    assert safe is not stuck
    complaint = "relay obyvak: it does not confirm that it is off; see to it by hand"
    assert (complaint in said) is stuck


@pytest.mark.broker
def test_a_second_run_writes_nothing_to_the_inverter(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    safe_plan.write(tmp_path, SafePlan(battery=True, inverter=True))
    note_for(CHARGING, tmp_path)
    assert bring(tmp_path, broker.port)[0]
    once = len(devices.writes)
    assert once == 2
    assert bring(tmp_path, broker.port) == (True, [])
    assert len(devices.writes) == once


@pytest.mark.broker
@pytest.mark.slow
def test_the_inverter_has_a_second_for_each_command(
    devices: Devices, broker: RealBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_conversation, "GAP_S", 1.0)
    safe_plan.write(tmp_path, SafePlan(battery=True))
    note_for(CHARGING, tmp_path)
    assert bring(tmp_path, broker.port)[0]
    assert len(devices.asked_s) == 6  # read both sides, write twice, read them back
    assert min(after - before for before, after in pairwise(devices.asked_s)) > 0.9


@pytest.mark.broker
def test_what_is_native_already_is_read_and_not_written(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    devices.inverter.held = FACTORY
    safe_plan.write(tmp_path, SafePlan(battery=True))
    note_for(CHARGING, tmp_path)
    assert bring(tmp_path, broker.port)[0]
    assert devices.writes == []
    assert GrowattJournal(tmp_path).read() == ()


@pytest.mark.broker
def test_advisory_means_not_a_byte_and_what_stands_is_told(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    safe_plan.write(tmp_path, SafePlan())
    noted = note_for(CHARGING, tmp_path)
    safe, said = bring(tmp_path, broker.port)
    assert safe
    assert said[0] == "advisory: nothing is written to any device"
    assert "still holds battery_slot, ac_charge of ours" in said[1]
    assert devices.written == []
    assert GrowattJournal(tmp_path).read() == noted


@pytest.mark.broker
def test_an_inverter_that_gives_no_answer_is_told_and_its_note_is_kept(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    devices.deaf = True
    safe_plan.write(tmp_path, SafePlan(battery=True))
    noted = note_for(CHARGING, tmp_path)
    safe, said = bring(tmp_path, broker.port)
    assert not safe
    assert said == ["inverter: it still holds battery_slot, ac_charge of ours: it gives no answer"]
    assert GrowattJournal(tmp_path).read() == noted
    assert len(devices.writes) == 1  # not the same again and again


@pytest.mark.broker
def test_without_a_plan_relays_are_left_and_the_inverter_is_cleaned(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    note_for(CHARGING, tmp_path)
    safe, said = bring(tmp_path, broker.port)
    assert safe
    assert "no plan of the core" in said[0]
    assert devices.relays == {}
    assert devices.inverter.held.battery_slot == OFF


@pytest.mark.broker
def test_while_the_core_lives_nothing_is_written(
    devices: Devices, broker: RealBroker, tmp_path: Path
) -> None:
    safe_plan.write(tmp_path, plan_of(two_rooms(), None, "pems"))
    core = DevicesLock.take(tmp_path, "the core")
    safe, said = bring(tmp_path, broker.port)
    core.release()
    assert not safe
    assert "in the hands of the core" in said[0]
    assert devices.written == []


def test_a_broker_that_is_away_is_told_within_the_deadline(tmp_path: Path) -> None:
    safe_plan.write(tmp_path, plan_of(two_rooms(), None, "pems"))
    began_s = time.monotonic()
    safe, said = bring(tmp_path, 9, deadline_s=0.5)
    assert not safe
    assert "127.0.0.1:9 cannot be used (Connection refused)" in said[0]
    assert time.monotonic() - began_s < 10.0


@pytest.mark.broker
def test_the_program_takes_house_time_from_its_command_line(
    devices: Devices, broker: RealBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    safe_plan.write(tmp_path, plan_of(two_rooms(), frozenset({"relay/obyvak"}), "pems"))
    argv = ["--state", str(tmp_path), "--broker", f"127.0.0.1:{broker.port}", "--speed", "60"]
    argv += ["--origin-wall", repr(time.time()), "--origin-house", repr(NOW_S + 100.0)]
    assert safe_state.main(argv) == 0
    assert "pems: relay obyvak: stays on for 1 min" in capsys.readouterr().out
    wait(lambda: "obyvak" in devices.relays, "the order")
    _, until_s = devices.relays["obyvak"]
    assert NOW_S + 160.0 <= until_s < NOW_S + 160.0 + 60.0 * 10.0


def test_who_we_are_comes_from_the_environment_then_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert safe_state.credentials({}, tmp_path) == (None, None)
    (tmp_path / ".env").write_text("MQTT_USERNAME=house\nMQTT_PASSWORD=secret\n")
    assert safe_state.credentials({}, tmp_path) == ("house", "secret")
    assert safe_state.credentials({"MQTT_USERNAME": "other"}, tmp_path) == ("other", "secret")


def test_a_torn_note_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(json.dumps([{"topic": "no"}]))
    journal = GrowattJournal(tmp_path)
    assert journal.exists
    assert journal.read() is None


def test_it_loads_neither_numpy_nor_an_actor() -> None:
    import subprocess
    import sys

    program = "import sys, pems_actors.safe_state; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.decode().split()}
    assert not {"numpy", "pykka", "pydantic", "config", "sqlite3"} & loaded


def test_the_last_order_is_one_that_a_miniserver_takes() -> None:
    order = relay_order(THERMOSTAT, True, NOW_S)
    message = heating_message(order)
    heard = read_heating(message.topic, message.payload.encode(), retained=False, now_s=NOW_S)
    assert (heard.on, heard.lease_until_s) == (True, NOW_S + 60.0)


@pytest.mark.parametrize(
    ("state", "broker", "words"),
    [
        ("nowhere", "127.0.0.1:1883", "there is no directory nowhere"),
        (".", "nonsense", "'nonsense' is no broker; give it like 127.0.0.1:1883"),
        (".", "127.0.0.1:99999", "is no broker"),
    ],
)
def test_a_wrong_command_line_is_refused_in_a_sentence(capsys, state, broker, words) -> None:
    with pytest.raises(SystemExit) as refused:
        safe_state.main(["--state", state, "--broker", broker])
    assert refused.value.code == 2
    assert words in capsys.readouterr().err
