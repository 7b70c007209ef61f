"""`pems drill`: what the events and the looks say becomes times, a level and violations."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.cli import drill as command
from pems_actors.cli.drill_view import Drill, Limits, Looks, broken_limits, report_lines
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems

TARGET = "rooms/obyvak"


def event(process_s: float, kind: str, path: str = TARGET) -> dict[str, Any]:
    return {"process_s": process_s, "path": path, "kind": kind, "line": f"{path} {kind}"}


def a_drill(*events: Mapping[str, Any], fault: str = "crash") -> Drill:
    drill = Drill(fault, TARGET, 100.0, Looks(Limits(), TARGET))
    drill.hear(events)
    return drill


class Turned:
    """A clock that only the pauses of the drill move on, and a house that goes along."""

    def __init__(self, house: CannedHouse, script: Mapping[float, Mapping[str, Any]]) -> None:
        self.now_s, self.house, self.script = 0.0, house, dict(script)
        self.events: list[Mapping[str, Any]] = []
        house.results |= {
            "drill": {"injected_process_s": 100.0},
            "status": told.status(),
            "events": lambda _request: {"events": self.events},
        }

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += max(seconds, 0.25)
        for at_s in [at_s for at_s in self.script if at_s <= self.now_s]:
            self.events.append(self.script.pop(at_s))


def watched(house: CannedHouse, fault: str, script: Mapping[float, Mapping[str, Any]]) -> Drill:
    clock = Turned(house, script)
    return command.watch(house.state, fault, TARGET, Limits(), clock, clock.pause)


def test_a_crash_is_detected_and_recovered() -> None:
    seen = a_drill(event(100.002, "ChildFailed"), event(100.005, "ChildRestarted"))
    assert (seen.detect_s, seen.recover_s) == (0.002, 0.005)


def test_what_was_before_or_elsewhere_does_not_count() -> None:
    seen = a_drill(
        event(99.0, "ChildFailed"),
        event(100.1, "ChildFailed", "rooms/loznice"),
        event(100.2, "HealthChanged"),
    )
    assert (seen.detect_s, seen.recover_s) == (None, None)


def test_the_last_of_several_returns_counts() -> None:
    """Poison crashes its reader twice; it is over after the second restart."""
    seen = a_drill(
        event(100.1, "ChildFailed"),
        event(100.2, "ChildRestarted"),
        event(100.3, "ChildFailed"),
        event(100.5, "ChildRestarted"),
        event(100.6, "Quarantined"),
    )
    assert (seen.detect_s, seen.recover_s) == (0.1, 0.5)


def test_a_failure_after_the_last_return_is_not_recovered() -> None:
    seen = a_drill(
        event(100.1, "ChildFailed"), event(100.2, "ChildRestarted"), event(100.3, "ChildFailed")
    )
    assert seen.recover_s is None
    assert not seen.outcome().well


def test_a_full_mailbox_recovers_by_itself() -> None:
    outcome = a_drill(event(100.25, "MailboxOverflow"), fault="flood").outcome()
    assert (outcome.detect_s, outcome.recover_s, outcome.well) == (0.25, 0.25, True)


def test_a_core_that_started_anew_does_not_lose_what_was_heard() -> None:
    seen = a_drill(event(100.1, "ChildFailed"))
    assert not seen.hear([event(100.1, "ChildFailed")])
    assert seen.hear([event(103.0, "ChildReady")])
    assert (seen.detect_s, seen.recover_s) == (0.1, 3.0)


def test_a_core_that_ended_over_it_was_noticed_and_is_back() -> None:
    seen = a_drill(event(103.5, "DeadLetter"), event(103.6, "ChildReady"), fault="hang")
    assert (seen.detect_s, seen.recover_s) == (3.6, 3.6)
    assert "           the core ended over it; the guardian started another" in report_lines(seen)


@given(st.lists(st.tuples(st.floats(90, 110), st.sampled_from(["ChildFailed", "ChildRestarted"]))))
def test_recovery_is_never_before_detection(script: list[tuple[float, str]]) -> None:
    seen = a_drill(*(event(at_s, kind) for at_s, kind in sorted(script)))
    if seen.recover_s is not None:
        assert seen.detect_s is not None
        assert seen.recover_s >= seen.detect_s


def test_limits_are_broken_only_where_the_house_does_the_wrong_thing() -> None:
    devices = {
        "rooms/cold": told.device("rooms/cold", temp_c=6.0, relay_on=False),
        "rooms/cold_heated": told.device("rooms/cold_heated", temp_c=6.0, relay_on=True),
        "rooms/hot": told.device("rooms/hot", temp_c=28.0, relay_on=True),
        "rooms/unknown": told.device("rooms/unknown", temp_c=None, relay_on=True),
        "devices/meter": told.device("devices/meter", grid_kw=21.0),
    }
    assert broken_limits({"devices": devices}, Limits()) == [
        "rooms/cold is below 7 °C and not heated",
        "rooms/hot is above 27 °C and heated",
        "the house takes more than 20 kW",
    ]


def test_a_violation_counts_once_however_often_it_is_seen() -> None:
    looks = Looks(Limits(import_kw=3.0), TARGET)
    looks.take(told.status())
    looks.take(told.status())
    assert (looks.count, len(looks.broken), looks.level) == (2, 1, 3)


def test_the_drill_ends_soon_after_the_recovery(house: CannedHouse) -> None:
    script = {1.0: event(100.1, "ChildFailed"), 1.5: event(100.6, "ChildRestarted")}
    seen = watched(house, "crash", script)
    assert (seen.detect_s, seen.recover_s) == (0.1, 0.6)
    assert seen.looks.count == 9  # 1.5 s until the news, 0.5 s of quiet, a look each 0.25 s


def test_a_slow_actor_is_ridden_out(house: CannedHouse) -> None:
    seen = watched(house, "slow", {})
    assert seen.outcome().well
    assert seen.looks.count == 21
    assert "ridden out" in "\n".join(report_lines(seen))


def test_a_hang_is_waited_for_and_a_house_that_never_returns_has_its_minute(
    house: CannedHouse,
) -> None:
    seen = watched(house, "hang", {20.0: event(120.0, "ChildHung")})
    assert (seen.detect_s, seen.recover_s) == (20.0, None)
    assert seen.looks.count == 240
    assert "NOT within a minute" in "\n".join(report_lines(seen))


def test_a_house_that_is_away_for_a_moment_is_looked_at_again(house: CannedHouse) -> None:
    script = {1.0: event(100.1, "ChildFailed"), 2.0: event(101.0, "ChildRestarted")}
    clock = Turned(house, script)

    def pause(seconds: float) -> None:
        clock.pause(seconds)
        away = clock.now_s < 3.0
        house.results["status"] = ("failed", "nobody is there") if away else told.status()

    seen = command.watch(house.state, "crash", TARGET, Limits(), clock, pause)
    assert seen.recover_s == 1.0


def test_a_crash_at_start_needs_a_start(house: CannedHouse) -> None:
    house.results["restart"] = ("done", "starting afresh")
    watched(house, "crash-start", {0.5: event(100.1, "ChildFailed")})
    assert [each["verb"] for each in house.heard[:2]] == ["drill", "restart"]


def test_the_report_as_json(house: CannedHouse, pems: Pems) -> None:
    house.results |= {
        "drill": {"injected_process_s": 100.0},
        "events": {"events": [event(100.1, "ChildFailed"), event(100.2, "ChildRestarted")]},
        "status": told.status(),
    }
    said = pems("drill", "crash", TARGET, "--json", "--state", house.state)
    body = json.loads(said.out)
    assert said.code == 0
    assert body.pop("looks") > 1
    assert body == {
        "fault": "crash",
        "target": TARGET,
        "detect_s": 0.1,
        "recover_s": 0.2,
        "level_reached": 3,
        "violations": 0,
    }


def test_a_fault_that_the_house_does_not_take_fails(house: CannedHouse, pems: Pems) -> None:
    house.reject("drill", "there is no actor rooms/attic")
    said = pems("drill", "crash", "rooms/attic", "--state", house.state)
    assert said.code == 1
    assert "there is no actor rooms/attic" in said.err


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("x", "there is no drill 'x'; give one of: crash,"), ("sensor-stuck", "played in `pems")],
)
def test_what_is_no_drill_is_refused_with_those_that_are(
    house: CannedHouse, pems: Pems, fault: str, reason: str
) -> None:
    said = pems("drill", fault, TARGET, "--state", house.state)
    assert said.code == 2
    assert reason in said.err
    assert not house.heard
