"""`pems boost`, `away`, `undo`: the orders of every day, in a word."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pems_actors.cli.output import Refusal
from pems_actors.cli.times import time_to_come
from pems_actors.cli.undo import taking_back
from pems_actors.cli.words import arguments_told
from pems_actors.domain.units import HOUR_S, iso
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems

PRAGUE = ZoneInfo("Europe/Prague")
EVENING = datetime(2026, 3, 28, 19, 0, tzinfo=UTC)  # the night in which clocks are set forward


def order(path, verb, ago_h=0.1, outcome="done", **args) -> dict:
    at = iso(told.NOON_S - ago_h * HOUR_S)
    return {"at": at, "path": path, "verb": verb, "outcome": outcome, "args": args}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("21:00", "2026-03-28T20:00:00+00:00"),
        ("06:30", "2026-03-29T04:30:00+00:00"),
        ("2026-03-30", "2026-03-29T22:00:00+00:00"),
        ("2026-03-30T18:00", "2026-03-30T16:00:00+00:00"),
        ("2026-03-30T18:00:00Z", "2026-03-30T18:00:00+00:00"),
        ("90m", "2026-03-28T20:30:00+00:00"),
        ("3d", "2026-03-31T19:00:00+00:00"),
    ],
)
def test_times_are_those_of_the_house_over_a_change_of_the_clock_too(text, at):
    assert time_to_come(text, lambda: EVENING, PRAGUE).isoformat() == at


def test_an_order_is_told_as_it_is_typed():
    args = {"until_s": EVENING.timestamp(), "for_s": 5400.0, "temp_c": 22}
    assert arguments_told(args, PRAGUE) == ["until=2026-03-28T20:00", "for=1h30min", "temp_c=22"]


@pytest.mark.parametrize("text", ["", "tomorrow", "25:00", "9", "-2h", "2026-13-01", "400d"])
def test_what_is_no_time_is_refused_with_a_way_out(text):
    with pytest.raises(Refusal, match="write it like 18:00") as refused:
        time_to_come(text, lambda: EVENING, PRAGUE)
    assert refused.value.code == 2


def test_a_room_is_boosted_by_its_name(house: CannedHouse, pems: Pems):
    house.results["boost"] = ("done", "23.5 °C until 14:00")
    said = pems("boost", "obyvak", "2h", "--state", house.state)
    assert said.out == "done: rooms/obyvak boost, 23.5 °C until 14:00\n"
    pems("boost", "loads/boiler", "--state", house.state)
    assert [(each["path"], each["args"]) for each in house.heard] == [
        ("rooms/obyvak", {"for": "2h"}),
        ("loads/boiler", {}),
    ]


def test_one_leaves_until_a_time_of_the_house_or_for_good(house: CannedHouse, pems: Pems):
    house.results["status"] = told.status()
    house.results["mode"] = ("done", "house mode away")
    assert pems("away", "3d", "--state", house.state).code == 0
    assert pems("away", "--state", house.state).code == 0
    modes = [each for each in house.heard if each["verb"] == "mode"]
    assert [each["path"] for each in modes] == ["house", "house"]
    assert modes[0]["args"] == {"mode": "away", "until": "2023-01-19T12:00:00+00:00"}
    assert modes[1]["args"] == {"mode": "away"}


def test_times_in_orders_are_those_of_the_house(house: CannedHouse, pems: Pems):
    house.results["departure"] = ("done", "")
    pems("tell", "loads/car", "departure", "energy_kwh=30", "at=2023-01-17", "--state", house.state)
    assert house.heard[-1]["args"] == {"energy_kwh": 30, "at": "2023-01-17T00:00:00+00:00"}


def test_the_last_wish_is_taken_back_and_told(house: CannedHouse, pems: Pems):
    house.results |= {
        "status": told.status(),
        "commands": {"commands": [order("rooms/obyvak", "override", temp_c=22, for_s=7200.0)]},
        "release": ("done", "obyvak follows its usual day"),
    }
    said = pems("undo", "--state", house.state)
    assert "release (took back rooms/obyvak override temp_c=22 for=2h of Mon 16" in said.out
    assert (house.heard[-1]["path"], house.heard[-1]["verb"]) == ("rooms/obyvak", "release")


def test_where_no_wish_stands_that_is_said(house: CannedHouse, pems: Pems):
    house.results |= {"status": told.status(), "commands": {"commands": []}}
    said = pems("undo", "--state", house.state)
    assert (said.code, said.out) == (1, "")
    assert "no wish stands" in said.err


@pytest.mark.parametrize(
    ("orders", "back"),
    [
        ([order("rooms/a", "boost")], ("rooms/a", "release", {})),
        ([order("devices/battery", "mode", mode="hold")], ("devices/battery", "release", {})),
        ([order("devices/inverter", "export", allowed=False)], ("devices/inverter", "release", {})),
        ([order("house", "mode", mode="away")], ("house", "mode", {"mode": "normal"})),
        ([order("house", "presence", home=False)], ("house", "presence", {"home": True})),
        (  # an emergency is left by mode normal only, whatever stood before
            [order("house", "mode", mode="economy"), order("house", "mode", mode="emergency")],
            ("house", "mode", {"mode": "normal"}),
        ),
        (  # and to take back twice brings nothing back
            [order("house", "presence", home=False), order("house", "presence", home=True)],
            None,
        ),
        (  # what is no wish, was refused or is over does not stand in the way
            [
                order("rooms/a", "override", temp_c=22),
                order("rooms/b", "boost", outcome="rejected"),
                order("rooms/c", "boost", ago_h=3.0, for_s=3600.0),
                order("rooms/d", "away", until_s=told.NOON_S - 1.0),
                order("planning/planner", "replan"),
                order("rooms/a", "restart"),
            ],
            ("rooms/a", "release", {}),
        ),
        (  # what was taken back is not taken back again
            [order("rooms/a", "boost"), order("rooms/b", "boost"), order("rooms/b", "release")],
            ("rooms/a", "release", {}),
        ),
        ([order("house", "mode", mode="away"), order("house", "mode", mode="normal")], None),
        ([order("rooms/a", "override", ago_h=13.0, temp_c=22)], None),
    ],
)
def test_the_newest_wish_that_stands_is_taken_back(orders, back):
    found = taking_back(orders, told.NOON_S)
    assert (None if found is None else tuple(found[:3])) == back
