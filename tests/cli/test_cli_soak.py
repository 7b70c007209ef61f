"""`pems soak` and `pems replay`: what they refuse, how they tell, and that stdout is the report."""

import json
import os
from pathlib import Path

import pytest

import config
from pems_actors.cli import replay, soak
from pems_actors.cli.output import native_noise_apart
from pems_actors.domain.units import iso
from pems_actors.simulation.invariants import Violation
from pems_actors.soak.figures import Sums
from pems_actors.soak.stories import Tale
from pems_actors.soak.telling import Told
from tests.cli.conftest import Pems

PRESETS = Path(config.__file__).with_name("presets")
VIOLATION = Violation(0.0, "dwell", "relay/bath was on for 60 s of 600 s")
TOLD = Told(Tale(3, "light"), "crash@rooms/bath:60/0", 0.5, 1, (), 2, (), 0.2, "", 0.4, 90)
GUILTY = Told(Tale(4, "light"), "hang@rooms/bath:60/0", 0.5, 1, (VIOLATION,), 2, (), 0.2, "")


def test_one_story_is_told_as_one_object(pems: Pems) -> None:
    said = pems("soak", "--stories", 1, "--seed", 40, "--faults", "none", "--workers", 1, "--json")
    told = json.loads(said.out)
    assert said.code == 0
    assert told["name"] == "soak"
    assert {"days", "stories", "faults", "violations", "incidents", "detect_s_p99"} <= set(
        told["figures"]
    )
    assert {"recover_s_p99", "cold_kh", "rss_slope_mb_per_day", "wall_s", "replay"} <= set(
        told["figures"]
    )
    assert told["met"]["violations"] is True


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--stories", 1, "--faults", "explode@rooms/bath"), "give one of"),
        (("--stories", 1, "--faults", "crash@rooms/attic"), "there is no 'rooms/attic'"),
        (("--each", 1, "--days", 1), "a run of its own"),
        (("--each", 1, "--faults", "pairs"), "a run of its own"),
        (("--stories", 1, "--house", "nowhere.json"), "nowhere.json"),
        (("--each", 1, "--house", "nowhere.json"), "nowhere.json"),
    ],
)
def test_a_soak_that_means_nothing_is_refused(pems: Pems, words, reason) -> None:
    said = pems("soak", *words)
    assert said.code == 2
    assert reason in said.err


def test_a_story_is_as_long_as_is_said_and_tells_its_faults_one_by_one(pems: Pems) -> None:
    words = ("--stories", 1, "--days", 0.05, "--seed", 41, "--faults", "crash:600/0")
    told = json.loads(pems("soak", *words, "--workers", 1, "--json").out)
    assert told["figures"]["days"] == 0.05
    assert told["faults"]["crash"]["stories"] == told["faults"]["crash"]["noticed"] == 1
    assert told["run"] == "pems soak --stories 1 --days 0.05 --seed 41 --faults crash:600/0"


def test_stories_are_told_in_the_house_that_is_given(pems: Pems, tmp_path) -> None:
    house = json.loads((PRESETS / "flat3.json").read_text(encoding="utf-8"))
    house["loads"] = {"boiler": {"kind": "boiler", "power_kw": 2.0, "phase": "L1"}}
    file = tmp_path / "my flat.json"
    file.write_text(json.dumps(house), encoding="utf-8")
    words = ("--stories", 1, "--days", 0.02, "--faults", "crash@loads/boiler:600/0")
    told = json.loads(pems("soak", *words, "--house", file, "--workers", 1, "--json").out)
    assert told["figures"]["violations"] == 0
    assert told["faults"]["crash"]["noticed"] == 1
    assert f"--house '{file}'" in told["run"]


def test_a_programme_is_told_as_far_as_wanted(pems: Pems) -> None:
    said = pems("soak", "--each", 1, "--stories", 2, "--workers", 1, "--json")
    told = json.loads(said.out)
    assert told["figures"]["stories"] == 2
    assert set(told["faults"]) == {"crash", "crash-base"}
    assert told["run"] == "pems soak --each 1 --stories 2 --seed 0"


def test_what_failed_is_told_with_the_command_that_shows_it_again() -> None:
    sums = Sums()
    for told in (TOLD, GUILTY):
        sums.add(1, told)
    text = "\n".join((*soak.lines(sums.figures(2.0, "")), *soak.broken_lines(sums.failing)))
    assert "violations  1 in 1 stories" in text
    assert "relay/bath was on for 60 s" in text
    assert f", at {iso(GUILTY.violations[0].at_s)}" in text
    assert 'pems soak --stories 1 --seed 4 --faults "hang@rooms/bath:60/0"' in text


def test_a_flood_of_failures_is_not_told_in_full() -> None:
    assert soak.broken_lines([GUILTY] * 9)[-1] == "  and 4 stories more"


def test_what_native_code_prints_is_no_part_of_the_report(capfd) -> None:
    with native_noise_apart():
        os.write(1, b"noise of a library\n")
    print("report")
    heard = capfd.readouterr()
    assert (heard.out, heard.err) == ("report\n", "noise of a library\n")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--from", "yesterday", "--to", "2026-01-02"), "is no time"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "must be after"),
    ],
)
def test_a_replay_of_no_time_is_refused(pems: Pems, words, reason) -> None:
    said = pems("replay", *words)
    assert said.code == 2
    assert reason in said.err


def test_a_replay_needs_a_house_that_has_run(pems: Pems, tmp_path) -> None:
    said = pems("replay", "--from", "2026-01-01", "--to", "2026-01-02", "--state", tmp_path)
    assert said.code == 1
    assert "no history" in said.err


def test_a_replay_is_told_in_words() -> None:
    figures = {
        "hours": 24.0,
        "recorded_frac": 0.35,
        "compared": 4000,
        "relays_equal_frac": 0.93,
        "battery_equal_frac": None,
        "least_alike": "bath",
        "least_alike_frac": 0.81,
        "faults": 1,
        "restarts": 2,
        "wall_s": 1.5,
    }
    text = "\n".join(replay.lines(figures))
    for words in ("93.0 % of 4000", "nothing to compare", "bath, 81.0 %", "1 faults, 2 restarts"):
        assert words in text
    assert "35.0 % of the time; the rest was decided without a picture" in text
    assert "without a picture" not in "\n".join(replay.lines({**figures, "recorded_frac": 1.0}))
