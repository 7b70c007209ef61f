"""`pems check`, `pems doctor`, `pems version`, and what is common to all commands."""

import json
import socket
import subprocess
import sys

import pytest

from pems_actors.cli import doctor, launch
from tests.cli.conftest import Pems

HEAVY = {"casadi", "pandas", "pvlib", "xgboost", "numpy", "scipy"}


def test_a_good_configuration_is_told_in_a_few_lines(pems: Pems) -> None:
    said = pems("check", "--config", "flat3")
    assert said.code == 0
    assert "flat3.json is good" in said.out


def test_what_is_in_force_is_one_object_without_secrets(
    pems: Pems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MQTT_PASSWORD", "hush-hush")
    said = pems("check", "--config", "flat3", "--json")
    body = json.loads(said.out)
    assert set(body) == {"ok", "effective", "problems"}
    assert body["ok"]
    assert "rooms" in body["effective"]
    assert "hush-hush" not in said.out


def test_problems_are_sentences_and_exit_with_two(
    pems: Pems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEMS_BATTERY__CAPACITY_KWH", "-1")
    said = pems("check", "--config", "flat3")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("pems: environment: PEMS_BATTERY__CAPACITY_KWH")
    said = pems("check", "--config", "flat3", "--json")
    body = json.loads(said.out)
    assert (said.code, body["ok"], body["effective"]) == (2, False, None)
    assert body["problems"][0]["severity"] == "error"


def test_the_doctor_finds_a_healthy_machine(pems: Pems, tmp_path) -> None:
    said = pems("doctor", "--state", tmp_path / "state", "--config", "flat3")
    assert said.code == 0
    assert "ok    appliance      none runs with this state" in said.out
    assert not (tmp_path / "state").exists()


def test_the_doctor_names_who_runs(pems: Pems, tmp_path) -> None:
    lock = launch.take_state(tmp_path)
    said = pems("doctor", "--state", tmp_path, "--config", "flat3", "--json")
    lock.close()
    found = {each["name"]: each for each in json.loads(said.out)["findings"]}
    assert "runs as process" in found["appliance"]["says"]


def test_the_doctor_fails_on_a_broken_configuration(pems: Pems, tmp_path) -> None:
    said = pems("doctor", "--state", tmp_path, "--config", tmp_path / "none.json")
    assert said.code == 1
    assert "FAIL  configuration" in said.out


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (doctor.python((3, 10, 0)), "fail"),
        (doctor.python((3, 11, 2)), "ok"),
        (doctor.clock(0.0), "fail"),
        (doctor.disk(50.0), "fail"),
        (doctor.disk(200.0), "warn"),
        (doctor.disk(5000.0), "ok"),
        (doctor.broker(None, 1883, lambda *_: False), "ok"),
        (doctor.broker("10.0.0.5", 1883, lambda *_: False), "fail"),
        (doctor.broker("10.0.0.5", 1883, lambda *_: True), "ok"),
    ],
)
def test_each_finding_has_its_verdict(finding: doctor.Finding, verdict: str) -> None:
    assert finding.verdict == verdict


def test_a_broker_is_reachable_if_it_listens() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert doctor.reachable("127.0.0.1", port)
    assert not doctor.reachable("127.0.0.1", port)


def test_the_version_is_a_line(pems: Pems) -> None:
    said = pems("version")
    assert said.out.startswith("pems 0.")
    assert said.out.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("runn",), "Did you mean 'run'?"),
        (("run", "--hosue", "twin"), "No such option: --hosue"),
        (("run", "--house", "castle"), "'castle' is not one of 'twin', 'mqtt'"),
        (("tell",), "Missing argument 'path'"),
        (("bench", "everything"), "No such command 'everything'"),
    ],
)
def test_bad_usage_is_one_sentence_with_a_way_out(pems: Pems, typed, words: str) -> None:
    said = pems(*typed)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert "--help`" in said.err
    assert said.err.count("\n") == 1


def test_help_lists_every_command(pems: Pems) -> None:
    said = pems("--help")
    assert said.code == 0
    asked = ("run", "status", "plan", "explain", "tell", "ask", "drill", "arm", "disarm")
    for name in (*asked, "boost", "away", "undo", "logs"):
        assert f" {name} " in said.out


def test_the_quick_commands_load_nothing_heavy() -> None:
    """Neither the start of the program nor a question to the house imports the big libraries."""
    program = (
        "import sys; from pems_actors.cli.main import main; main(['status', '--state', '/nobody']);"
        "print(sorted(name for name in sys.modules if '.' not in name))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(eval(said.stdout))


@pytest.mark.parametrize("typed", [(), ("bench",), ("report",)])
def test_without_arguments_the_help_is_all_that_is_said(pems: Pems, typed: tuple[str, ...]) -> None:
    said = pems(*typed)
    assert said.code == 2
    assert "Usage: pems" in said.out
    assert said.err == ""
