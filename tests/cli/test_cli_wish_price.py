"""`pems tell ... --price`: what a wish would cost is said, and nothing is ordered."""

import json

import pytest

from pems_actors.domain.units import iso
from tests.cli.conftest import CannedHouse, Pems
from tests.cli.told import AT, NOON_S

SLOTS = 144
PATH = {
    "start": [iso(NOON_S + 900.0 * k) for k in range(SLOTS)],
    "temp_c": [21.0] * SLOTS,
    "heat_per_kwh": [3.0] * SLOTS,
    "power_per_kwh": [None] * SLOTS,
    "heat_kw": [0.5] * SLOTS,
    "blocked": [False] * SLOTS,
}


@pytest.fixture
def asked(house: CannedHouse) -> CannedHouse:
    house.results["explain"] = {"time": AT, "currency": "CZK", "path": PATH}
    return house


def test_a_wish_is_priced_in_words_and_not_ordered(asked: CannedHouse, pems: Pems) -> None:
    wish = ("rooms/pracovna", "override", "temp_c=22", "for=6h")
    said = pems("tell", *wish, "--price", "--state", asked.state)
    assert said.code == 0
    first, second, last = said.out.splitlines()
    assert first.startswith("pracovna at 22.0 °C until Mon 16 Jan 18:00 costs about ")
    assert "CZK; reached at" in first
    assert "kWh more heat" in second
    assert last.startswith("nothing has been ordered")
    assert [each["verb"] for each in asked.heard] == ["explain"]


def test_a_cooler_wish_saves(asked: CannedHouse, pems: Pems) -> None:
    wish = ("rooms/pracovna", "override", "temp_c=19", "for=6h")
    said = pems("tell", *wish, "--price", "--state", asked.state)
    assert "saves about" in said.out
    assert "kWh less heat" in said.out


def test_json_has_all_figures(asked: CannedHouse, pems: Pems) -> None:
    said = pems("tell", "rooms/pracovna", "boost", "--price", "--json", "--state", asked.state)
    told = json.loads(said.out)
    assert set(told) == {
        "room", "currency", "temp_c", "until", "cost", "extra_kwh", "left_kwh", "reached_at",
        "short_k",
    }  # fmt: skip
    assert told["room"] == "pracovna"
    assert told["extra_kwh"] > 0.0
    assert told["short_k"] > 0.0  # two hours are too short for a floor


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (("devices/battery", "mode", "hold"), "has no price"),
        (("rooms/pracovna", "release"), "has no price"),
        (("rooms/cellar", "boost"), "there is no room 'cellar'"),
        (("rooms/pracovna", "override", "temp_c=99"), "must be a number from 10 to 30"),
        (("rooms/pracovna", "override", "temp_c=28"), "give 10 to 26 °C"),
    ],
)
def test_what_has_no_price_is_refused(asked: CannedHouse, pems: Pems, wish, words) -> None:
    said = pems("tell", *wish, "--price", "--state", asked.state)
    assert said.code == 2
    assert words in said.err


def test_a_room_that_the_plan_leads_nowhere_has_no_price_yet(house, pems: Pems) -> None:
    house.results["explain"] = {"time": AT, "currency": "CZK", "path": None}
    said = pems("tell", "rooms/pracovna", "boost", "--price", "--state", house.state)
    assert said.code == 1
    assert "no price yet" in said.err
