"""Each broker keeps the promises that the house relies on, in each protocol it speaks."""

import os
import queue
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pems_actors.gateways.broker import (
    BrokerError,
    BrokerSpec,
    find_mosquitto,
    free_port,
    iotcore_config,
    mosquitto_config,
    require_free,
    wait_until_open,
)

PATIENCE_S = 20.0
V311, V5 = mqtt.MQTTv311, mqtt.MQTTv5
needs_mosquitto = (
    pytest.mark.broker,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
)


@dataclass
class RunningBroker:
    spec: BrokerSpec
    process: subprocess.Popen

    def port(self, protocol):
        return self.spec.v5_port if protocol == V5 and self.spec.v5_port else self.spec.port

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def start(spec):
    process = subprocess.Popen(spec.argv, stdin=subprocess.DEVNULL)
    for port in filter(None, (spec.port, spec.v5_port)):
        wait_until_open(port, PATIENCE_S)
    return RunningBroker(spec, process)


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory):
    broker = start(BrokerSpec(free_port(), tmp_path_factory.mktemp("mosquitto"), "mosquitto"))
    yield broker
    broker.end()


@pytest.fixture(scope="module")
def iotcore(tmp_path_factory):
    spec = BrokerSpec(free_port(), tmp_path_factory.mktemp("iotcore"), "iotcore", free_port())
    broker = start(spec)
    yield broker
    broker.end()


@pytest.fixture(scope="module")
def lines():
    """All lines, kept until the end: iotcore may cut off who connects while another leaves."""
    lines = []
    yield lines
    for line in lines:
        line.hang_up()


@pytest.fixture(
    params=[
        pytest.param(("mosquitto", V311), id="mosquitto-3.1.1", marks=needs_mosquitto),
        pytest.param(("mosquitto", V5), id="mosquitto-5", marks=needs_mosquitto),
        pytest.param(("iotcore", V311), id="iotcore-3.1.1"),
        pytest.param(("iotcore", V5), id="iotcore-5"),
    ]
)
def line(request, lines):
    """Clients of one broker in one protocol; a topic of its own for each test."""
    name, protocol = request.param
    broker = request.getfixturevalue(name)
    lines.append(Line(broker.port(protocol), protocol, f"pems/{request.node.name}"))
    return lines[-1]


class Line:
    def __init__(self, port, protocol, topic):
        self.port, self.protocol, self.topic = port, protocol, topic
        self.clients = []

    def client(self, *, will=None):
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=self.protocol, reconnect_on_failure=False
        )
        client.arrived, client.acknowledged = queue.Queue(), queue.Queue()
        client.on_message = lambda _client, _data, message: client.arrived.put(message)
        client.on_connect = lambda *_: client.acknowledged.put(True)
        client.on_subscribe = lambda *_: client.acknowledged.put(True)
        if will is not None:
            client.will_set(self.topic, will, qos=1, retain=True)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        client.acknowledged.get(timeout=PATIENCE_S)
        self.clients.append(client)
        return client

    def listener(self):
        client = self.client()
        client.subscribe(self.topic, qos=1)
        client.acknowledged.get(timeout=PATIENCE_S)
        return client

    def publish(self, client, payload, **options):
        sent = client.publish(self.topic, payload, qos=1, **options)
        sent.wait_for_publish(PATIENCE_S)
        assert sent.is_published()

    def hang_up(self):
        for client in self.clients:
            client.disconnect()
            client.loop_stop()


def heard(client):
    return client.arrived.get(timeout=PATIENCE_S)


# --- promises of every broker --------------------------------------------------------------


def test_a_message_of_quality_1_arrives(line):
    listener = line.listener()
    line.publish(line.client(), "21.5")
    message = heard(listener)
    assert (message.payload, message.qos, message.retain) == (b"21.5", 1, False)


def test_a_retained_message_meets_who_comes_later(line):
    line.publish(line.client(), "online", retain=True)
    message = heard(line.listener())
    assert (message.payload, message.retain) == (b"online", True)


def test_the_last_will_is_told_when_a_client_is_cut_off(line):
    listener = line.listener()
    lost = line.client(will="offline")
    lost.socket().shutdown(socket.SHUT_RDWR)
    assert heard(listener).payload == b"offline"
    lost.disconnect()


def test_a_client_that_leaves_politely_has_no_last_will(line):
    listener, speaker, polite = line.listener(), line.client(), line.client(will="offline")
    polite.disconnect()
    polite.loop_stop()
    line.publish(speaker, "the next message")
    assert heard(listener).payload == b"the next message"


def test_a_plan_of_half_a_megabyte_passes_whole(line):
    listener = line.listener()
    plan = os.urandom(500_000)
    line.publish(line.client(), plan)
    assert heard(listener).payload == plan


def test_a_burst_arrives_complete_and_in_order(line):
    listener, speaker = line.listener(), line.client()
    for number in range(300):
        speaker.publish(line.topic, str(number), qos=1)
    assert [int(heard(listener).payload) for _ in range(300)] == list(range(300))


# --- one broker or the other ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [pytest.param("mosquitto", marks=needs_mosquitto), pytest.param("iotcore")]
)
def test_only_this_machine_can_connect(name, request):
    spec = request.getfixturevalue(name).spec
    for port in filter(None, (spec.port, spec.v5_port)):
        assert _listening_addresses(port) == {"127.0.0.1"}


def _listening_addresses(port):
    found = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, _, hex_port = row.split()[1].rpartition(":")
            if int(hex_port, 16) == port and row.split()[3] == "0A":  # listening
                octets = bytes.fromhex(address)[::-1]
                found.add(socket.inet_ntoa(octets) if len(octets) == 4 else address)
    return found


@pytest.mark.broker
@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_mosquitto_keeps_retained_messages_over_a_restart(tmp_path):
    spec = BrokerSpec(free_port(), tmp_path / "new" / "place", "mosquitto")
    broker = start(spec)
    line = Line(spec.port, V311, "pems/status")
    line.publish(line.client(), "online", retain=True)
    line.hang_up()
    assert broker.end() == 0
    broker = start(spec)
    try:
        assert heard(line.listener()).payload == b"online"
        line.hang_up()
    finally:
        broker.end()


def told_to_guardian(spec):
    """Start a broker and kill it; what its guardian heard of it first, nothing if it ended."""
    ours, theirs = socket.socketpair()
    env = {**os.environ, "GUARDIAN_FD": str(theirs.fileno())}
    with ours, theirs:
        process = subprocess.Popen(spec.argv, env=env, pass_fds=(theirs.fileno(),), process_group=0)
        ended = os.pidfd_open(process.pid)
        try:
            speaks = ours in select.select([ours, ended], [], [], PATIENCE_S)[0]
            return ours.recv(100) if speaks else b""
        finally:
            os.close(ended)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.broker
@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
@pytest.mark.parametrize("kept", [b"\0" * 4096, b"what a power cut has left"])
def test_a_memory_that_mosquitto_refuses_is_put_aside_at_its_second_start(kept, tmp_path):
    spec = BrokerSpec(free_port(), tmp_path, "mosquitto")
    (tmp_path / "mosquitto.db").write_bytes(kept)
    assert told_to_guardian(spec) == b""
    assert told_to_guardian(spec).startswith(b"ready\n")
    assert (tmp_path / "mosquitto.db.refused").read_bytes() == kept


@pytest.mark.broker
@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_a_memory_that_mosquitto_can_read_stays_however_often_it_is_killed(tmp_path):
    spec = BrokerSpec(free_port(), tmp_path, "mosquitto")
    assert [told_to_guardian(spec)[:6] for _ in range(3)] == [b"ready\n"] * 3
    assert not (tmp_path / "mosquitto.db.refused").exists()


@pytest.mark.parametrize(
    "kind", [pytest.param("mosquitto", marks=needs_mosquitto), pytest.param("iotcore")]
)
def test_a_broker_says_ready_once_its_port_is_open(kind, tmp_path):
    spec = BrokerSpec(free_port(), tmp_path, kind)
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    env = {**os.environ, "GUARDIAN_FD": str(theirs.fileno())}
    with ours, theirs:
        process = subprocess.Popen(spec.argv, env=env, pass_fds=(theirs.fileno(),))
        theirs.close()
        try:
            assert ours.recv(6) == b"ready\n"
            wait_until_open(spec.port, 0.0)
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "kind", [pytest.param("mosquitto", marks=needs_mosquitto), pytest.param("iotcore")]
)
def test_a_broker_dies_with_its_parent(kind, tmp_path):
    spec = BrokerSpec(free_port(), tmp_path, kind)
    code = (
        "import subprocess, sys; child = subprocess.Popen(sys.argv[1:]);"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, *spec.argv], stdout=subprocess.PIPE)
    with parent:
        handle = os.pidfd_open(int(parent.stdout.readline()))
        wait_until_open(spec.port, PATIENCE_S)
        parent.kill()
        assert select.select([handle], [], [], PATIENCE_S)[0]
        os.close(handle)


def test_a_port_in_use_is_told_with_the_setting_to_change(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        argv = BrokerSpec(port, tmp_path).argv
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"broker: port {port} on 127.0.0.1 cannot be used (Address")
    assert "set MQTT_PORT in .env" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_a_past_broker_used_is_free(tmp_path):
    broker = start(BrokerSpec(free_port(), tmp_path, "iotcore"))
    with socket.create_connection(("127.0.0.1", broker.spec.port)):
        broker.end()
    require_free(broker.spec.port)


def test_a_missing_mosquitto_is_an_error_only_if_it_is_demanded(tmp_path, monkeypatch):
    from pems_actors.gateways import broker

    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    with pytest.raises(BrokerError, match="not installed"):
        broker.run(BrokerSpec(free_port(), tmp_path, "mosquitto"), broker.GuardianLink())


def test_waiting_for_a_port_that_stays_shut_ends_in_time():
    began_s = time.monotonic()
    port = free_port()
    with pytest.raises(TimeoutError, match=f"127.0.0.1:{port} after 0.05 s"):
        wait_until_open(port, 0.05)
    assert time.monotonic() - began_s < 10.0


def test_both_configurations_bind_loopback_only(tmp_path):
    spec = BrokerSpec(1883, tmp_path, v5_port=1884)
    assert "listener 1883 127.0.0.1\n" in mosquitto_config(spec)
    assert "persistence true\n" in mosquitto_config(spec)
    assert "autosave_on_changes" not in mosquitto_config(spec)
    assert iotcore_config(spec).count('listen = "127.0.0.1:') == 2
