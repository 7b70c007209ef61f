"""`pems logs`: what happened in the house lately."""

from __future__ import annotations

import json

import pytest

from pems_actors.cli import logs
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems


def event(process_s: float, path: str, kind: str = "HealthChanged", rest: str = "") -> dict:
    line = f"{told.NOON_S + process_s:.3f} {path} {kind} {rest}"
    return {"process_s": process_s, "path": path, "kind": kind, "line": line}


EVENTS = [
    event(1.0, "rooms/obyvak", "ChildReady", "epoch=1"),
    event(2.0, "rooms/obyvak", rest="state='fallback' reason='planner away' level=3"),
    event(3.0, "planning/planner", "ChildFailed", "reason='RuntimeError: no'"),
]


def test_what_happened_is_told_by_the_clock_of_the_house(house: CannedHouse, pems: Pems):
    house.results["events"] = {"events": EVENTS}
    said = pems("logs", "--state", house.state)
    fell, failed = said.out.splitlines()
    assert fell.startswith("Mon 16 Jan 12:00:02  rooms/obyvak HealthChanged state='fallback'")
    assert failed == ("Mon 16 Jan 12:00:03  planning/planner ChildFailed reason='RuntimeError: no'")


def test_a_part_of_the_tree_the_newest_ones_or_every_event(house: CannedHouse, pems: Pems):
    house.results["events"] = {"events": EVENTS}

    def paths(*args: str) -> list[str]:
        said = pems("logs", *args, "--json", "--state", house.state)
        return [each["path"] for each in json.loads(said.out)]

    assert paths("planning") == ["planning/planner"]
    assert paths("plan") == []
    assert paths("-n", "1") == ["planning/planner"]
    assert len(paths("--all")) == 3
    assert pems("logs", "--follow", "--json", "--state", house.state).code == 2


def test_following_tells_each_event_once_and_outlasts_a_restart_until_it_is_left(
    house: CannedHouse, pems: Pems, monkeypatch: pytest.MonkeyPatch
):
    house.results["events"] = {"events": EVENTS[:2]}
    looks: list[float] = []

    def sleep(length_s: float) -> None:
        looks.append(length_s)
        if len(looks) == 1:
            house.reject("events", "just starting")
        else:
            house.results["events"] = {"events": EVENTS}
        if len(looks) > 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(logs.time, "sleep", sleep)
    said = pems("logs", "--follow", "--state", house.state)
    assert said.code == 0
    assert len(said.out.splitlines()) == 2
