"""`pems simulate` and `pems bench`: figures as data, targets, exit codes."""

import json

import pytest

from pems_actors.bench.report import Target, report
from pems_actors.cli import simulate
from pems_actors.cli.bench import measured
from tests.cli.conftest import Pems

FIGURES = {
    "cost": 12.5,
    "currency": "CZK",
    "energy_kwh": 40.0,
    "cold_kh": 1.0,
    "warm_kh": 0.0,
    "wall_s": 3.0,
    "plans": 96,
    "starts": 12.0,
    "level_h_0": 23.0,
    "level_h_3": 1.0,
    "log_sha256": "abc",
}


def test_a_report_holds_figures_against_targets() -> None:
    told = report(
        "bench", {"a_s": 2.0, "b": 1.0, "c": None}, {"a_s": Target("<=", 1.0), "b": Target(">=", 1)}
    )
    assert set(told) == {"name", "figures", "targets", "met", "machine", "versions"}
    assert told["met"] == {"a_s": False, "b": True}
    assert told["targets"]["a_s"] == {"op": "<=", "value": 1.0}
    assert json.loads(json.dumps(told)) == told


def test_an_unknown_figure_does_not_meet_its_target() -> None:
    assert not Target("<=", 1.0).met_by(None)


def test_a_target_without_a_figure_is_an_error() -> None:
    with pytest.raises(KeyError, match="no figure 'x'"):
        report("bench", {}, {"x": Target("<=", 1.0)})


def test_a_bench_is_told_line_by_line() -> None:
    told = report(
        "supervision",
        {"ready_ms": 4.5, "rss": {"core": 40.0}},
        {"ready_ms": Target("<=", 5.0)},
    )
    head, *rows = measured.lines(told)
    assert head.startswith("supervision on cpus ")
    assert rows == ["  ready_ms  4.5  <= 5  met", "  rss       core 40"]


def test_a_simulation_is_told_in_words() -> None:
    lines = "\n".join(simulate.lines(FIGURES, 1.0))
    for words in ("12.5 CZK", "40 kWh", "plan 23.0 h, rules 1.0 h", "plans 96", "abc"):
        assert words in lines


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("--start", "yesterday"), "write it like 2023-01-16"),
        (("--faults", "crash@nowhere"), "there is no 'nowhere'"),
        (("--faults", "explode@rooms/obyvak"), "is unknown; give one of"),
        (("--days", "0"), "'--days'"),
    ],
)
def test_a_story_that_cannot_be_told_is_refused(pems: Pems, typed, words: str) -> None:
    said = pems("simulate", *typed)
    assert said.code == 2
    assert words in said.err


def test_a_log_that_cannot_be_written_is_refused_before_the_work(pems: Pems, tmp_path) -> None:
    said = pems("simulate", "--days", "400", "--log", tmp_path / "none" / "log")
    assert said.code == 1
    assert "give another --log" in said.err


def test_a_rule_without_actors_has_nothing_that_could_fail(pems: Pems) -> None:
    said = pems("simulate", "--days", "0.1", "--controller", "v1", "--faults", "light")
    assert (said.code, said.out) == (2, "")
    assert "leave --faults out" in said.err


@pytest.mark.slow
@pytest.mark.parametrize("controller", ["v1", "day_ahead", "perfect"])
def test_others_run_the_same_house_and_are_told_by_the_same_figures(
    pems: Pems, controller: str
) -> None:
    typed = ("--days", "0.1", "--config", "flat3", "--json", "--controller")
    told, ours = (json.loads(pems("simulate", *typed, who).out) for who in (controller, "mpc"))
    assert told["figures"]["controller"] == controller
    assert set(ours["figures"]) <= set(told["figures"])
    assert told["figures"]["base_load_kwh"] == pytest.approx(ours["figures"]["base_load_kwh"])
    assert told["figures"]["log_sha256"] != ours["figures"]["log_sha256"]
    if controller == "day_ahead":
        assert told["figures"]["plans"] < ours["figures"]["plans"]


@pytest.mark.slow
def test_a_simulated_morning_gives_one_object_and_a_log(pems: Pems, tmp_path) -> None:
    log = tmp_path / "events.log"
    typed = ("--days", "0.1", "--controller", "thermostat", "--config", "flat3", "--json")
    first = pems("simulate", *typed, "--log", log)
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert (told["name"], told["figures"]["controller"]) == ("simulate", "thermostat")
    assert {"cost", "cold_kh", "level_h_0", "log_sha256"} <= set(told["figures"])
    assert log.read_text().count("\n") > 10
    again = json.loads(pems("simulate", *typed).out)
    assert again["figures"]["log_sha256"] == told["figures"]["log_sha256"]
