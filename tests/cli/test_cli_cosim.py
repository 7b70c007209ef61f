"""`pems run --house cosim`: an outside plant in the place of the house."""

import os
import sys

import pytest

from pems_actors.cli import launch, processes, run_file
from pems_actors.cli.launch import Broker, Order, Origin
from pems_actors.cosimulation import server
from tests.cli.conftest import Pems
from tests.cli.told import AT


@pytest.fixture
def becomes(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stop where this process would become the guardian, and keep its command line."""
    found: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, argv: found.append(argv))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # so that it is as before after the test
    return found


def test_it_is_a_broker_and_the_appliance_in_step(pems: Pems, becomes, tmp_path) -> None:
    state = tmp_path / "state"
    said = pems("run", "--house", "cosim", "--config", "flat3", "--seed", "7", "--state", state)
    assert said.code == 0
    assert "This is a CO-SIMULATION" in said.out
    facts = run_file.of_state(state)
    assert [child.name for child in facts.children] == ["broker", "cosim"]
    assert f"pems_actors.examples.plant 127.0.0.1 {facts.broker_port}" in said.out
    assert facts.children[-1].significant
    assert facts.demo
    heard = server.arguments(facts.children[-1].argv[3:])
    assert (heard.state, heard.seed) == (state, 7)
    assert heard.broker == f"127.0.0.1:{facts.broker_port}"
    assert becomes == [[sys.executable, "-m", "pems_actors.cli.guard", str(state / run_file.NAME)]]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--speed", "60"), "the plant sets the time"),
        (("--start", "2023-01-16T05:00:00Z"), "leave it out"),
        (("--advisory",), "leave --advisory and --drills out"),
        (("--drills",), "leave --advisory and --drills out"),
    ],
)
def test_what_makes_no_sense_with_a_plant_is_refused(pems: Pems, tmp_path, option, words) -> None:
    said = pems("run", "--house", "cosim", *option, "--state", tmp_path / "state")
    assert said.code == 2
    assert words in said.err
    assert not (tmp_path / "state" / run_file.NAME).exists()


def test_a_broker_of_yours_is_used_only_when_named_for_this_start() -> None:
    from config import Settings

    settings = Settings(mqtt_broker="192.168.1.5")
    for sources, own in (({}, True), ({"MQTT_BROKER": "environment"}, False)):
        chosen = launch.choose_broker(settings, sources, "cosim", None)
        assert chosen.own is own
    assert chosen.host == "192.168.1.5"  # a plant may be on another machine


def test_a_broker_of_yours_is_not_started(tmp_path) -> None:
    order, yours = Order("cosim", 1.0), Broker("192.168.1.5", 1883, own=False)
    children = processes.children(order, Origin(AT, AT), yours, tmp_path, tmp_path / "house.json")
    assert [child.name for child in children] == ["cosim"]
