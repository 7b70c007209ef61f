"""A party lets the day go on; an empty house saves a kelvin until somebody comes home."""

from __future__ import annotations

import pytest

from pems_actors.actors.base import PLANNER
from pems_actors.control.presence import LEFT_AFTER_S
from pems_actors.domain.events import HouseMode, ModeChanged, Outcome, Request
from pems_actors.domain.units import iso
from tests.actors.desk import Desk
from tests.actors.kit import HOUSE, NOON
from tests.actors.test_room_wishes import ask

HOUR_S = 3600.0
LATE = iso(NOON + 14 * HOUR_S)


def modes(desk: Desk) -> list[HouseMode]:
    return [news.mode for news in desk.stage.all_heard(PLANNER, ModeChanged)]


def test_a_party_in_a_room_keeps_its_day_set_point() -> None:
    stage, outcome = ask("party", until_s=NOON + 14 * HOUR_S)
    assert (outcome.outcome, outcome.reason) == ("done", "living aims at 22 °C")
    assert stage.state.override.until_s == NOON + 14 * HOUR_S


def test_a_party_in_the_house_is_told_to_the_rooms_where_people_stay_up() -> None:
    desk = Desk()
    said = desk.says("house", "party", args={"until": LATE})
    up = [room.name for room in HOUSE.rooms if room.zone == "living"]
    assert said["outcome"] == "done"
    assert up
    for name in up:
        heard = desk.stage.last(f"rooms/{name}", Request)
        assert (heard.verb, heard.args) == ("party", {"until_s": NOON + 14 * HOUR_S})
    answer = Outcome(f"{heard.id}", heard.path, "party", "done", "", NOON)
    desk.stage.tell(answer)  # which nobody waits for
    assert len(desk.replies) == 1


def test_an_empty_house_saves_after_half_an_hour_until_somebody_comes_home() -> None:
    desk = Desk()
    assert desk.says("house", "presence", args={"home": False})["outcome"] == "done"
    desk.stage.run(LEFT_AFTER_S - 1.0)
    assert HouseMode.ECONOMY not in modes(desk)
    desk.stage.run(2.0)
    assert modes(desk)[-1] is HouseMode.ECONOMY
    desk.says("house", "presence", args={"home": True})
    assert modes(desk)[-1] is HouseMode.NORMAL


def test_a_person_who_chooses_the_mode_of_an_empty_house_keeps_it() -> None:
    desk = Desk()
    desk.says("house", "presence", args={"home": False})
    desk.stage.run(LEFT_AFTER_S + 1.0)
    desk.says("house", "mode", args={"mode": "economy"})
    desk.says("house", "presence", args={"home": True})
    assert modes(desk)[-1] is HouseMode.ECONOMY


def test_a_house_in_emergency_stays_so_whoever_is_home() -> None:
    desk = Desk()
    desk.says("house", "mode", args={"mode": "emergency"})
    desk.says("house", "presence", args={"home": False})
    desk.stage.run(LEFT_AFTER_S + 1.0)
    assert modes(desk)[-1] is HouseMode.EMERGENCY


def test_an_absence_goes_on_over_a_crash_of_its_actor() -> None:
    desk = Desk()
    desk.says("house", "presence", args={"home": False})
    desk.stage.run(60.0)
    desk.stage.crash()
    desk.stage.run(LEFT_AFTER_S)
    assert modes(desk)[-1] is HouseMode.ECONOMY


@pytest.mark.parametrize(
    ("verb", "args"),
    [("party", {}), ("presence", {}), ("presence", {"home": "yes"}), ("party", {"until": "late"})],
)
def test_what_is_not_said_whole_is_rejected(verb, args) -> None:
    assert Desk().says("house", verb, args=args)["outcome"] == "rejected"
