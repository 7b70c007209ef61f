"""Rooms that are trusted and rooms that are believed, joined to one house; nonsense is refused."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.room_model import fault_of, house_of, served
from pems_actors.learning.life.trust import IDENTIFIED, Standing, Tier
from pems_actors.physics.priors import room_model

ROOMS = tuple(room_model(name, Emitter.FLOOR, 1.0, 40.0) for name in ("den", "bath", "hall"))
BELIEVED = HouseModel(ROOMS, (("den", "bath", 0.01), ("bath", "hall", 0.02)))


def found(times: float) -> HouseModel:
    """A house that was found to have all masses and links so many times as large."""
    rooms = tuple(replace(r, c_structure_kwh_k=times * r.c_structure_kwh_k) for r in ROOMS)
    return HouseModel(rooms, tuple((a, b, times * g) for a, b, g in BELIEVED.links))


MODELS = {"identified.1": found(2.0), "identified.3": found(3.0)}


def record(room: str, version: str, tier: Tier) -> Ledger:
    standing = Standing(IDENTIFIED, version, tier)
    champion = IDENTIFIED if tier is Tier.CONTROL else ""
    return Ledger(f"rooms/{room}", (), {IDENTIFIED: standing}, champion)


def test_only_rooms_that_are_trusted_with_control_serve():
    ledgers = {
        "den": record("den", "identified.3", Tier.CONTROL),
        "bath": record("bath", "identified.3", Tier.ADVISE),
        "hall": record("hall", "identified.9", Tier.CONTROL),  # its model is not at hand
    }
    assert served(ledgers, MODELS) == {"den": "identified.3"}


def test_a_trusted_room_is_as_identified_and_its_neighbours_are_as_configured():
    told = house_of(BELIEVED, {"den": "identified.3"}, MODELS)
    assert told.model is not None
    assert told.model.rooms == (MODELS["identified.3"].rooms[0], ROOMS[1], ROOMS[2])
    assert told.model.links == BELIEVED.links
    assert "1 of 3 rooms" in told.reason


def test_a_link_is_believed_until_both_its_rooms_are_trusted():
    told = house_of(BELIEVED, {"den": "identified.1", "bath": "identified.3"}, MODELS)
    assert told.model is not None
    assert told.model.links == (("den", "bath", pytest.approx(0.03)), ("bath", "hall", 0.02))


def test_without_a_trusted_room_the_house_is_as_configured():
    assert house_of(BELIEVED, {}, MODELS).model is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("c_air_kwh_k", nan),
        ("c_screed_kwh_k", 0.0),
        ("g_air_structure_kw_k", -0.1),
        ("c_structure_kwh_k", 900.0),
        ("internal_kw", 50.0),
    ],
)
def test_a_room_with_which_nobody_could_reckon_is_named(name, value):
    odd = HouseModel((replace(ROOMS[0], **{name: value}), *ROOMS[1:]))
    assert name in fault_of(odd, ROOMS[0])
    assert fault_of(odd, ROOMS[1]) == ""


def test_a_room_that_loses_nothing_or_is_not_there_is_refused():
    tight = replace(ROOMS[0], g_air_outdoor_kw_k=0.0, g_structure_outdoor_kw_k=0.0)
    assert "loses nothing" in fault_of(HouseModel((tight,)), ROOMS[0])
    assert "knows no bath" in fault_of(HouseModel((tight,)), ROOMS[1])
