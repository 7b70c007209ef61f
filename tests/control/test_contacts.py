"""Contacts in the power budget: relays that nobody ordered on, and such that went off meanwhile."""

from __future__ import annotations

from pems_actors.control.contacts import Contacts
from pems_actors.control.power_budget import METER_LOST_S, PowerBudget
from pems_actors.domain.events import RelayRequest
from pems_actors.domain.house import Limits, Relay
from pems_actors.domain.readings import MeterReading, RoomReading

L1 = (1.0, 0.0, 0.0)
RELAYS = {name: Relay(name, 2.0, 2.0, ((name, 1.0),), L1) for name in "abc"}
LIMITS = Limits(base_load_p95_kw=1.0)  # 5.75 kW a phase
BLIND_S = METER_LOST_S + 1.0


def rooms(at_s: float, **on: bool) -> list[RoomReading]:
    return [RoomReading(name, at_s, 20.0, closed) for name, closed in on.items()]


def budget(l1_kw: float, **on: bool) -> PowerBudget:
    meter = MeterReading(0.0, l1_kw, phase_kw=(l1_kw, 0.0, 0.0))
    state = PowerBudget(LIMITS, RELAYS).heard(meter, grid_charging=False)
    return state.looked(rooms(0.0, **on), metered=True)


def starts(state: PowerBudget, relay: str, now_s: float) -> bool:
    return (
        state.asked(RelayRequest(relay, now_s, 0.0, urgent=False)).next_grant(now_s)[1] is not None
    )


def test_a_relay_that_closed_by_itself_counts_where_no_meter_tells():
    assert starts(budget(1.0).switched("b", on=True, now_s=-60.0), "c", BLIND_S)
    closed = budget(1.0, a=True).switched("b", on=True, now_s=-60.0)
    assert not starts(closed, "c", BLIND_S)


def test_what_was_read_before_a_relay_went_off_counts_no_more():
    contacts = Contacts().switched_off("a", 10.0)
    assert contacts.heard(rooms(10.0, a=True), metered=False).closed == frozenset()
    assert contacts.heard(rooms(20.0, a=True), metered=False).closed == {"a"}


def test_a_house_that_says_nothing_leaves_its_contacts_as_they_were_seen():
    seen = Contacts().heard(rooms(0.0, a=True, b=False), metered=True)
    assert seen.heard((), metered=False) == seen


def test_a_contact_that_closed_since_a_silent_meter_was_read_is_no_part_of_its_reading():
    silent = budget(3.0, a=False).looked(rooms(60.0, a=True), metered=False)
    assert starts(budget(3.0, a=True), "b", 60.0)
    assert not starts(silent, "b", 60.0)


def test_what_went_off_while_the_meter_is_silent_spares_the_others_and_lets_nobody_start():
    over = budget(6.0, a=True, b=True)
    for name in "ab":
        over = over.switched(name, on=True, now_s=-600.0, slack_k=1.0)
    over = over.looked(rooms(0.0, a=True, b=True), metered=True)
    assert [shed.relay for shed in over.excess(0.0)] == ["a"]

    after = over.switched("a", on=False, now_s=1.0).looked(
        rooms(60.0, a=False, b=True), metered=False
    )
    assert [shed.relay for shed in after.excess(60.0)] == ["b"]  # by the reading alone
    relieved = after.relieved(after.headroom(60.0), 60.0)
    assert after.excess(60.0, relieved) == ()
    assert not starts(after, "c", 60.0)


def test_who_is_said_to_be_off_and_still_closed_spares_nobody():
    over = budget(6.0, a=True).switched("a", on=True, now_s=-600.0)
    welded = over.switched("a", on=False, now_s=1.0).looked(rooms(60.0, a=True), metered=False)
    room = welded.headroom(60.0)
    assert welded.relieved(room, 60.0) == room


def test_without_a_meter_nothing_is_given_back():
    state = budget(6.0, a=True).looked(rooms(BLIND_S, a=False), metered=False)
    room = state.headroom(BLIND_S)
    assert state.relieved(room, BLIND_S) == room
