"""`pems run`: everything is decided and refused before anything starts."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Settings, keep, last_good, load
from pems_actors.cli import guard, launch, processes, run_file
from pems_actors.cli.launch import Broker, Order, Origin
from pems_actors.cli.output import Refusal
from pems_actors.cli.run_file import Child, RunFile
from tests.cli.conftest import Pems
from tests.cli.told import AT, NOON_S

ENV = {"MQTT_BROKER": "environment"}


@pytest.fixture
def becomes(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stop where this process would become the guardian, and keep its command line."""
    found: list[list[str]] = []

    def execv(_program: str, argv: list[str]) -> None:
        found.append(argv)

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # so that it is as before after the test
    return found


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def words_of(child: Child) -> str:
    return " ".join(child.argv[1:])


def test_the_demo_says_what_runs_and_where_to_look(pems: Pems, becomes, tmp_path) -> None:
    state = tmp_path / "state"
    said = pems("run", "--drills", "--state", state)
    assert said.code == 0
    for words in (
        "This is a DEMO",
        "begins at Mon 16 Jan 2023 06:00 (Europe/Prague) and runs 60 times as fast",
        "status --watch",
        "drill crash rooms/obyvak",
        f"export PEMS_STATE_DIR={state}",
        "Ctrl-C",
    ):
        assert words in said.out
    assert becomes == [[sys.executable, "-m", "pems_actors.cli.guard", str(state / run_file.NAME)]]


def test_the_demo_is_broker_twin_and_core_with_one_clock(pems: Pems, becomes, tmp_path) -> None:
    pems("run", "--speed", "30", "--seed", "7", "--state", tmp_path / "state")
    facts = run_file.of_state(tmp_path / "state")
    assert facts is not None
    broker, twin, core = facts.children
    assert [each.name for each in facts.children] == ["broker", "twin", "core"]
    assert f"--port {facts.broker_port}" in words_of(broker)
    clock = f"--speed 30.0 --origin-wall {facts.origin_wall_s!r} --origin-house 1673845200.0"
    for child in (twin, core):
        assert clock in words_of(child)
        assert "--seed 7" in words_of(child)
    assert core.significant
    assert "--house twin" in words_of(core)
    assert "--drills" not in words_of(core)


def test_what_the_children_are_told_they_understand(pems: Pems, becomes, tmp_path) -> None:
    """The command lines go through the programs' own parsers."""
    from pems_actors import core
    from pems_actors.gateways import twin_server

    pems("run", "--advisory", "--drills", "--state", tmp_path / "state")
    facts = run_file.of_state(tmp_path / "state")
    _, twin, brain = facts.children
    heard = core.parse(brain.argv[4:])
    assert (heard.advisory, heard.drills, heard.house) == (True, True, "twin")
    assert heard.origin_house == facts.origin_house_s
    assert twin_server.arguments(twin.argv[3:]).port == facts.broker_port


def test_a_real_house_lives_in_real_time_and_has_no_twin(pems: Pems, becomes, tmp_path) -> None:
    said = pems("run", "--house", "mqtt", "--state", tmp_path / "state")
    facts = run_file.of_state(tmp_path / "state")
    assert [each.name for each in facts.children] == ["broker", "core"]
    assert facts.speed == 1.0
    assert "--origin-house" not in words_of(facts.children[-1])
    assert "This is a REAL house" in said.out
    assert "arm rooms/obyvak" in said.out


def test_a_broken_configuration_is_told_in_sentences(pems: Pems, tmp_path) -> None:
    said = pems("run", "--config", tmp_path / "no.json", "--state", tmp_path / "state")
    assert said.code == 2
    assert "no.json: is not at" in said.err
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("speed", ["181", "0", "-1"])
def test_a_speed_at_which_leases_cannot_be_renewed_is_refused(pems: Pems, speed: str) -> None:
    said = pems("run", "--speed", speed)
    assert said.code == 2
    assert "give --speed 180 or less" in said.err


@pytest.mark.parametrize("shift", ["1e9", "nan", "-41"])
def test_what_is_no_weather_is_refused(pems: Pems, tmp_path, shift: str) -> None:
    said = pems("run", f"--weather-shift-k={shift}", "--state", tmp_path)
    assert said.code == 2
    assert "weather-shift-k" in said.err
    assert not list(tmp_path.iterdir())


def test_a_real_house_cannot_be_hurried(pems: Pems) -> None:
    assert pems("run", "--house", "mqtt", "--speed", "2").code == 2
    assert pems("run", "--house", "mqtt", "--start", AT).code == 2


def test_one_state_directory_has_one_appliance(pems: Pems, tmp_path) -> None:
    lock = launch.take_state(tmp_path / "state")
    said = pems("run", "--state", tmp_path / "state")
    lock.close()
    assert said.code == 1
    assert f"process {os.getpid()}" in said.err
    assert "another --state" in said.err


def test_a_state_directory_is_free_again_when_its_holder_is_gone(tmp_path) -> None:
    launch.take_state(tmp_path).close()
    launch.take_state(tmp_path).close()


def test_a_state_directory_that_cannot_be_made_is_refused(pems: Pems, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    said = pems("run", "--state", tmp_path / "file" / "state")
    assert said.code == 1
    assert "cannot be written (Not a directory)" in said.err


def test_a_port_that_was_asked_for_and_is_in_use_is_refused(
    pems: Pems, busy_port: int, tmp_path
) -> None:
    said = pems("run", "--port", busy_port, "--state", tmp_path / "state")
    assert said.code == 1
    assert f"port {busy_port} is in use" in said.err


def test_the_usual_port_in_use_means_another_one(busy_port: int) -> None:
    broker = launch.choose_broker(Settings(mqtt_port=busy_port), {}, "twin", None)
    assert broker.own
    assert broker.port != busy_port


def test_a_port_named_in_the_settings_is_not_changed_silently(busy_port: int) -> None:
    settings = Settings(mqtt_port=busy_port)
    with pytest.raises(Refusal, match="MQTT_PORT"):
        launch.choose_broker(settings, {"MQTT_PORT": ".env"}, "twin", None)


def test_a_real_house_uses_the_configured_broker() -> None:
    settings = Settings(mqtt_broker="10.0.0.5", mqtt_port=1884)
    broker = launch.choose_broker(settings, {"MQTT_BROKER": ".env"}, "mqtt", None)
    assert broker == Broker("10.0.0.5", 1884, own=False)
    with pytest.raises(Refusal, match="give MQTT_PORT"):
        launch.choose_broker(settings, {}, "mqtt", 1999)


def test_a_simulated_house_never_speaks_to_the_devices_of_a_real_one() -> None:
    house = Settings(mqtt_broker="10.0.0.5")
    with pytest.raises(Refusal, match="simulated house would speak to the devices"):
        launch.choose_broker(house, ENV, "twin", None)
    assert launch.choose_broker(house, {"MQTT_BROKER": ".env"}, "twin", None).own
    here = Settings(mqtt_broker="127.0.0.1", mqtt_port=1999)
    assert launch.choose_broker(here, {"MQTT_BROKER": ".env"}, "twin", None).own
    assert launch.choose_broker(here, ENV, "twin", None) == Broker("127.0.0.1", 1999, own=False)


def test_a_simulated_house_goes_on_where_it_stopped(tmp_path) -> None:
    (tmp_path / launch.TWIN_STATE).write_text(json.dumps({"voice": {"at_s": NOON_S}}))
    assert launch.origin("twin", tmp_path, None, 5.0) == Origin(5.0, NOON_S, continued=True)
    with pytest.raises(Refusal, match="has lived until 2023-01-16T12:00:00Z"):
        launch.origin("twin", tmp_path, "2023-01-16T11:00:00Z", 5.0)
    later = launch.origin("twin", tmp_path, "2023-02-01T00:00:00Z", 5.0)
    assert not later.continued


def test_a_broken_snapshot_of_the_twin_is_no_past(tmp_path) -> None:
    (tmp_path / launch.TWIN_STATE).write_text("[]")
    assert not launch.origin("twin", tmp_path, None, 5.0).continued


def test_until_is_house_time() -> None:
    begin = Origin(0.0, NOON_S)
    assert launch.stop_after_s("2h", begin, 60.0) == 120.0
    assert launch.stop_after_s("2023-01-16T12:30:00Z", begin, 60.0) == 30.0
    assert launch.stop_after_s(None, begin, 60.0) is None
    with pytest.raises(Refusal, match="is over"):
        launch.stop_after_s("2023-01-16T11:00:00Z", begin, 60.0)
    with pytest.raises(Refusal, match="is no time"):
        launch.stop_after_s("soon", begin, 60.0)


def test_a_run_file_reads_back_as_it_was_written(tmp_path) -> None:
    facts = _facts(_child("one", "x"), stop_after_s=3.0)
    assert run_file.read(run_file.write(tmp_path, facts)) == facts
    (tmp_path / run_file.NAME).write_text('{"children": [], "house": "twin"}')
    assert run_file.of_state(tmp_path) is None


def test_the_order_of_processes_is_the_order_of_their_start(tmp_path) -> None:
    order = Order("twin", 60.0)
    broker = Broker("127.0.0.1", 1883, own=False)
    origin = Origin(0.0, NOON_S)
    names = [c.name for c in processes.children(order, origin, broker, tmp_path, tmp_path)]
    assert names == ["twin", "core"]


WAITS = """
import signal, sys
from supervision.guardian_link import GuardianLink
link = GuardianLink.from_env()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
link.ready()
signal.pause()
"""


def _child(name: str, program: str) -> Child:
    argv = (sys.executable, "-c", program)
    return Child(name, argv, ready_timeout_s=10.0, ping_timeout_s=None)


def _facts(*children: Child, stop_after_s: float | None) -> RunFile:
    return RunFile(
        house="twin",
        speed=60.0,
        config="house17",
        broker_host="127.0.0.1",
        broker_port=1883,
        own_broker=True,
        origin_wall_s=0.0,
        origin_house_s=NOON_S,
        timezone="Europe/Prague",
        drills=True,
        advisory=False,
        frost_c=7.0,
        ceiling_c=27.0,
        import_kw=20.0,
        stop_after_s=stop_after_s,
        children=children,
    )


def _guardian(state: Path, facts: RunFile) -> subprocess.Popen[str]:
    file = run_file.write(state, facts)
    argv = (sys.executable, "-m", "pems_actors.cli.guard", str(file))
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_ctrl_c_stops_all_children_in_reverse_order(tmp_path) -> None:
    children = (_child("first", WAITS), _child("second", WAITS))
    with _guardian(tmp_path, _facts(*children, stop_after_s=None)) as process:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if "second: ready" in line:
                process.send_signal(signal.SIGINT)
    stopped = [line for line in lines if "stopped" in line]
    assert [line.split()[1] for line in stopped] == ["second:", "first:"]
    assert process.returncode == 0


@pytest.mark.slow
def test_until_ends_the_guardian_in_good_order(tmp_path) -> None:
    with _guardian(tmp_path, _facts(_child("only", WAITS), stop_after_s=0.8)) as process:
        said, _ = process.communicate(timeout=20)
    assert "SIGTERM received, stopping" in said
    assert process.returncode == 0


def test_the_guardian_gets_the_children_as_they_were_written() -> None:
    (process,) = guard.children_of(_facts(_child("core", WAITS), stop_after_s=None))
    assert (process.name, process.restart, process.ping_timeout_s) == ("core", True, None)


def test_a_person_with_a_broken_file_is_told_and_nothing_starts(
    pems: Pems, becomes, tmp_path: Path
) -> None:
    broken = _broken_house(tmp_path)
    said = pems("run", "--config", broken, "--state", tmp_path / "state")
    assert said.code == 2
    assert "is no valid JSON" in said.err
    assert becomes == []


def test_a_service_with_a_broken_file_starts_with_the_last_good_one_and_says_so(
    pems: Pems, becomes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/nobody")
    broken = _broken_house(tmp_path)
    said = pems("run", "--config", broken, "--state", tmp_path / "state")
    assert said.code == 0
    assert "The last good configuration is in force." in said.err
    assert "3 rooms" in said.out
    assert len(becomes) == 1
    facts = run_file.of_state(tmp_path / "state")
    assert facts is not None
    assert facts.config == str(broken)  # looked at again by the next core
    (tmp_path / "state" / last_good.NAME).unlink()
    assert pems("run", "--config", broken, "--state", tmp_path / "other").code == 2


def _broken_house(folder: Path) -> Path:
    (folder / "state").mkdir()
    keep(load("flat3", {}), folder / "state")
    broken = folder / "house.json"
    broken.write_text('{"rooms": ')
    return broken
