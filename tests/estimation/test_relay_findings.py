"""Relays that do not obey: by their contacts, and by what their rooms feel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pems_actors.domain.findings import OutOfService
from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.physics.priors import room_model
from tests.estimation.house_days import HOUSE, Days, only, settled


def service(days: Days) -> OutOfService:
    return days.speaker.out_of_service(days.seen)


def test_a_welded_contact_is_found_within_a_quarter_of_an_hour() -> None:
    days = settled()
    days.broken["bath"] = True
    days.order("bath", on=False)
    began = days.minute
    days.run(15)
    assert days.told["relay/bath/stuck-on"] - began <= 10
    assert service(days).welded == {"bath"}


def test_a_contact_that_does_not_close_is_found_within_a_quarter_of_an_hour() -> None:
    days = settled()
    days.broken["bath"] = False
    days.order("bath", on=True)
    began = days.minute
    days.run(15)
    assert days.told["relay/bath/stuck-off"] - began <= 10
    assert service(days).dead == {"bath"}


def test_a_relay_that_shows_the_contrary_is_in_service_again() -> None:
    days = settled()
    days.broken["bath"] = False
    days.order("bath", on=True)
    days.run(15)
    del days.broken["bath"]
    days.run(1)
    assert service(days).relays == frozenset()
    days.run(6)
    assert days.paths == set()


def test_what_somebody_turns_is_held_to_no_order_from_before_that() -> None:
    days = settled()
    days.order("bath", on=False)
    days.run(5)
    days.unwritten, days.broken["bath"] = ("bath",), True
    days.run(9)
    assert days.told == {}
    days.unwritten = ()  # said again, and it does not follow
    days.run(5)
    assert "relay/bath/stuck-on" in days.told


@pytest.mark.parametrize("minutes", [2, 3])
def test_a_contact_that_is_turned_back_and_forth_is_not_stuck(minutes: int) -> None:
    """However short it is as ordered in between: each picture counts."""
    days = settled()
    days.order("bath", on=False)
    days.run(5)
    for _ in range(8):
        days.broken["bath"] = True
        days.run(minutes)
        del days.broken["bath"]
        days.run(1)
    assert days.told == {}


def test_a_tariff_block_is_no_stuck_relay() -> None:
    days = settled()
    days.order("bath", on=True)
    days.blocked = True
    days.run(60)
    days.blocked = False
    days.run(10)
    assert days.told == {}


def test_a_block_in_between_neither_clears_nor_hastens_a_verdict() -> None:
    days = settled()
    days.broken["bath"] = False
    days.order("bath", on=True)
    days.run(2)
    days.blocked = True
    days.run(60)
    assert days.told == {}
    days.blocked = False
    days.run(8)
    assert "relay/bath/stuck-off" in days.told


def test_a_relay_that_nobody_ordered_anything_is_its_own_master() -> None:
    days = settled()
    days.at_s += 3600.0  # all leases have run out
    days.broken = dict.fromkeys(days.ordered, True)
    days.ordered = {}
    names, days.order = ("living", "bath", "hall"), lambda relay, on: None
    days.ordered = dict.fromkeys(names, False)
    days.run(20)
    assert service(days).relays == frozenset()


def test_a_room_without_a_contact_feels_that_its_heat_is_missing() -> None:
    days = settled()
    days.contacts, days.broken["hall"] = False, False
    days.order("hall", on=True)
    began = days.minute
    while "relay/hall/stuck-off" not in days.told and days.minute - began < 60:
        days.run(1)
    assert days.told["relay/hall/stuck-off"] - began <= 60
    (finding,) = days.findings
    assert "feels no heat" in finding.reason


@pytest.mark.slow
def test_a_floor_that_stays_cold_is_found_although_its_contact_claims_heat() -> None:
    days = settled()
    days.broken["bath"] = False
    days.look = _claiming(days, "bath")  # type: ignore[method-assign]
    days.order("bath", on=True)
    began = days.minute
    while "relay/bath/stuck-off" not in days.told and days.minute - began < 300:
        days.run(1)
    assert days.minute - began <= 240


def test_a_room_that_warms_without_an_order_is_heated_by_somebody() -> None:
    days = settled()
    days.contacts, days.broken["hall"] = False, True
    days.order("hall", on=False)
    began = days.minute
    while "relay/hall/stuck-on" not in days.told and days.minute - began < 90:
        days.run(1)
    assert days.told["relay/hall/stuck-on"] - began <= 60


def test_a_dead_actuator_that_works_again_is_felt() -> None:
    days = settled()
    days.contacts, days.broken["hall"] = False, False
    days.order("hall", on=True)
    days.run(60)
    assert service(days).dead == {"hall"}
    del days.broken["hall"]
    days.run(90)
    assert service(days).relays == frozenset()


def test_heat_that_reaches_no_sensor_is_not_judged_by_it() -> None:
    days = settled()
    days.contacts, days.broken["hall"] = False, False
    days.bend = lambda _, room: room._replace(temp_c=None) if room.room == "hall" else room
    days.order("hall", on=True)
    days.run(60)
    assert service(days).relays == frozenset()


@pytest.mark.parametrize("volume_m3", [20.0, 12.0])
def test_a_sensor_that_stands_still_accuses_no_relay(volume_m3: float) -> None:
    small = room_model("hall", Emitter.PANEL, 1.2, volume_m3)
    rooms = (*HOUSE.model.rooms[:2], small)
    days = Days(house=replace(HOUSE, model=HouseModel(rooms, HOUSE.model.links)))
    days.rest(14 * 60)
    held_c = round(days.true_c("hall"), 1)
    days.bend = only("hall", lambda _, room: room._replace(temp_c=held_c))
    days.order("hall", on=True)
    days.run(60)
    assert set(days.told) == {"rooms/hall/sensor-stuck"}


def _claiming(days: Days, relay: str):
    """Let a contact claim what was ordered, whatever really heats."""
    look = Days.look
    return lambda on: look(days, {**on, relay: days.ordered[relay]})
