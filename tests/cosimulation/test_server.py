"""The co-simulation over MQTT: answers by seq, errors in sentences, people who look on."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from config import load
from pems_actors.cosimulation import CoSimulation
from pems_actors.cosimulation.server import CosimServer, WaitingSocket, arguments, replied
from pems_actors.domain.units import iso
from pems_actors.examples import plant as example
from pems_actors.gateways.broker import BrokerSpec, free_port, wait_until_open
from pems_actors.gateways.control_client import NotRunningError, call
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.wire import Message
from tests.cosimulation.foreign_flat import START_S, ForeignFlat, flat
from tests.gateways.brokers import RealBroker, wait

STEP, COMMANDS = "pems/cosim/step", "pems/cosim/commands"


def said(seq: int, after_s: float = 0.0) -> bytes:
    return json.dumps({"seq": seq, "time": iso(START_S + after_s)}).encode()


@pytest.fixture
def house() -> CoSimulation:
    return CoSimulation(flat(), planning=False)


def test_a_good_message_is_answered_with_commands_and_its_seq(house) -> None:
    told = replied(house.step, said(7))
    assert told["seq"] == 7
    assert set(told["relays"]) == {"living", "bedroom", "bath"}


def test_a_message_said_twice_is_answered_twice_alike(house) -> None:
    assert replied(house.step, said(7)) == replied(house.step, said(7))


@pytest.mark.parametrize(
    ("seq", "after_s", "words"),
    [(6, 900.0, "it must rise"), (8, 0.0, "must rise with seq"), (8, 7200.0, "1 to 15 min")],
)
def test_what_does_not_follow_is_answered_with_an_error_and_its_seq(
    house, seq, after_s, words
) -> None:
    replied(house.step, said(7))
    told = replied(house.step, said(seq, after_s))
    assert set(told) == {"seq", "error"}
    assert told["seq"] == seq
    assert words in told["error"]
    assert "relays" in replied(house.step, said(8, 900.0))


def test_a_value_that_is_written_as_nan_is_missing(house) -> None:
    replied(house.step, said(7))
    seen = json.loads(said(8, 900.0)) | {"outdoor_c": math.nan}
    assert "relays" in replied(house.step, json.dumps(seen).encode())
    endless = json.loads(said(9, 1800.0)) | {"outdoor_c": math.inf}
    assert replied(house.step, json.dumps(endless).encode())["error"]


@pytest.mark.parametrize("junk", [b"", b"\xff", b"[1]", b"{", b'{"seq": NaN}', b"[" * 5000])
def test_junk_is_answered_with_one_sentence(house, junk) -> None:
    told = replied(house.step, junk)
    assert told["seq"] is None
    assert told["error"]
    assert not house.begun


class Socket:
    """A control socket that is driven by hand."""

    def __init__(self) -> None:
        self.on_request: Any = None

    def start(self, on_request: Any) -> None:
        self.on_request = on_request

    def close(self) -> None:
        self.on_request = None


def test_people_are_told_to_wait_until_the_plant_has_spoken() -> None:
    from queue import SimpleQueue

    jobs: Any = SimpleQueue()
    socket, answers, asked = Socket(), [], []
    waiting = WaitingSocket(socket, jobs, STEP)
    socket.on_request({"id": "a"}, answers.append)
    assert answers[0]["outcome"] == "failed"
    assert STEP in answers[0]["reason"]
    waiting.start(lambda body, _reply: asked.append(body))
    socket.on_request({"id": "b"}, answers.append)
    assert not asked  # not on the socket's own thread
    jobs.get_nowait()()
    assert asked == [{"id": "b"}]


# -- with a broker ---------------------------------------------------------------------------------


@pytest.fixture(params=["mosquitto", "iotcore"])
def port(request, tmp_path) -> Iterator[int]:
    """Two brokers: one as houses have it, and the one that comes with us."""
    if request.param == "mosquitto":
        broker = RealBroker(tmp_path)
        yield broker.port
        broker.kill()
        return
    own = BrokerSpec(free_port(), tmp_path / "broker", "iotcore")
    process = subprocess.Popen(own.argv, stdin=subprocess.DEVNULL)
    wait_until_open(own.port, 20.0)
    yield own.port
    process.kill()
    process.wait(10.0)


class Plant:
    """A plant's connection: says steps and keeps the answers."""

    def __init__(self, port: int) -> None:
        self.answers: Queue[dict[str, Any]] = Queue()
        settings = MqttSettings(port=port, client_id="plant", status_topic="plant/status")
        self.client = MqttClient(settings, (COMMANDS,), self._hear)
        self.client.start()
        wait(self.client.connected, "connection")

    def _hear(self, message: Incoming) -> None:
        self.answers.put(json.loads(message.payload))

    def say(self, body: dict[str, Any], *, retain: bool = False) -> None:
        self.client.publish(Message(STEP, json.dumps(body), retain=retain))

    def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        self.say(body)
        return self.answers.get(timeout=20.0)


@pytest.fixture
def served(port, tmp_path) -> Iterator[tuple[Plant, CosimServer]]:
    """A plant, and a server that does its work whenever the test lets it."""
    server = CosimServer(load("flat3"), tmp_path / "state", f"127.0.0.1:{port}")
    server.plant.start()
    wait(server.plant.connected, "connection")
    plant = Plant(port)
    yield plant, server
    plant.client.close()
    server.close()


@pytest.mark.broker
@pytest.mark.slow
def test_a_plant_and_the_house_go_step_by_step_over_a_broker(served) -> None:
    plant, server = served
    flat_ = ForeignFlat()
    for seq in range(2):
        plant.say(flat_.observation(seq))
        plant.say(flat_.observation(seq))  # it is impatient
        server.work(20.0)
        server.work(20.0)
        one, other = (plant.answers.get(timeout=20.0) for _ in range(2))
        assert one == other
        assert one["seq"] == seq
        flat_.live(one)
    assert set(one["levels"].values()) == {0}


@pytest.mark.broker
def test_a_step_with_two_days_by_the_minute_is_heard_and_answered(served) -> None:
    plant, server = served
    columns = {name: [-12.345678] * 2880 for name in ("outdoor_c", "ghi_w_m2")}
    start = iso(START_S)
    weather = {"start": start, "step_s": 60, **columns}
    plant.say({"seq": 0, "time": start, "weather_forecast": weather})
    server.work(20.0)
    assert plant.answers.get(timeout=20.0)["seq"] == 0


@pytest.mark.broker
def test_a_step_that_the_broker_kept_is_of_another_time(port, tmp_path) -> None:
    early = Plant(port)
    early.say({"seq": 0, "time": "2020-01-01T00:00:00Z"}, retain=True)
    early.client.close()
    server = CosimServer(load("flat3"), tmp_path / "state", f"127.0.0.1:{port}")
    server.plant.start()
    wait(lambda: server.plant.counters["received"] > 0, "the retained step")
    assert server.jobs.empty()
    server.close()


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(90)
def test_the_example_plant_lives_beside_the_program(port, tmp_path, capsys) -> None:
    state = tmp_path / "state"
    argv = ["--config", "flat3", "--state", str(state), "--broker", f"127.0.0.1:{port}"]
    assert arguments(argv).state == state
    program = subprocess.Popen([sys.executable, "-m", "pems_actors.cosimulation.server", *argv])
    try:
        example.main("127.0.0.1", port, steps=3)
        lines = capsys.readouterr().out.splitlines()
        assert [line[:5] for line in lines] == ["00:00", "00:15", "00:30"]
        assert _status(state)["time"] == "2023-01-16T00:30:00Z"
    finally:
        program.terminate()
        assert program.wait(20.0) == 0
    with pytest.raises(NotRunningError):
        _status(state)


def _status(state: Path) -> dict[str, Any]:
    return dict(call(state, {"path": "", "verb": "status", "args": {}}, 20.0)["result"])
