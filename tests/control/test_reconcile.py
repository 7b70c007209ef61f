"""Ours or a person's: what a device shows against what we ordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.order import BY_HAND_S, RelayMemory
from pems_actors.control.reconcile import (
    CLAIMS_S,
    DOUBT_S,
    FOLLOWS_S,
    LOOKS,
    PROOF_S,
    WITNESSED_S,
    Finding,
    LastOrder,
    Link,
    Look,
    could_be_alone,
    export_text,
    found_at_start,
    found_relay,
    moved_late_s,
    relay_alone,
    reviewed,
)
from pems_actors.domain.house import Comfort, Native, Relay

NOW = 1_700_000_000.0
LEASE_S = 900.0
RELAY = Relay("living", 3.0, 3.1, (("living", 1.0),))
ON = LastOrder("on", NOW - 600.0, NOW - 100.0, NOW + 800.0, confirmed=True)
HEATING = RelayMemory(on=True, since_s=NOW - 600.0, starts_s=(NOW - 600.0,))
ADOPT, CORRECT, PERSON = Finding.ADOPT, Finding.CORRECT, Finding.PERSON


@pytest.mark.parametrize(
    ("last", "actual", "alone", "finding"),
    [
        (ON, "on", None, ADOPT),
        (ON, "off", None, PERSON),
        (ON._replace(confirmed=False), "off", None, CORRECT),
        (ON._replace(lease_until_s=NOW), "on", None, CORRECT),
        (ON._replace(lease_until_s=NOW), "off", None, CORRECT),
        (ON._replace(lease_until_s=NOW), "off", "off", CORRECT),
        (ON._replace(lease_until_s=NOW), "off", "on", PERSON),
        (ON._replace(at_s=NOW + 100.0), "on", None, CORRECT),  # a journal from the future
    ],
)
def test_the_five_rules_of_a_restart(last, actual, alone, finding):
    assert found_at_start(last, actual, NOW, alone) is finding


def test_a_relay_as_ordered_and_leased_is_adopted_with_its_dwell_and_no_write():
    found = found_relay(RELAY, HEATING, ON, actual=True, now_s=NOW)
    assert found.memory is HEATING
    assert found.finding is ADOPT
    assert (found.lease_until_s, found.written_s) == (ON.lease_until_s, ON.at_s)


def test_what_a_person_switched_while_we_were_away_is_respected():
    found = found_relay(RELAY, HEATING, ON, actual=False, now_s=NOW)
    assert found.finding is PERSON
    assert found.memory.on is False
    assert found.memory.person(NOW).until_s == NOW + BY_HAND_S
    assert found.memory.person(NOW + BY_HAND_S) is None
    assert found.memory.dwell_breaks == 0


def test_an_order_whose_memory_was_not_saved_counts_by_the_journal():
    found = found_relay(RELAY, RelayMemory(), ON, actual=True, now_s=NOW)
    assert found.memory == RelayMemory(on=True, since_s=ON.since_s, starts_s=(ON.since_s,))


def test_a_relay_that_went_its_own_way_is_decided_anew_from_what_it_is():
    over = ON._replace(lease_until_s=NOW - 30.0)
    found = found_relay(RELAY, HEATING, over, actual=False, now_s=NOW)
    assert found.finding is CORRECT
    assert (found.memory.on, found.memory.since_s) == (False, NOW - 30.0)
    assert found.memory.starts_s == HEATING.starts_s  # the hour's starts still count
    assert found.written_s == float("-inf")


def test_an_order_that_never_arrived_holds_no_dwell():
    lost = ON._replace(confirmed=False)
    found = found_relay(RELAY, HEATING, lost, actual=False, now_s=NOW)
    assert (found.memory.on, found.memory.since_s) == (False, float("-inf"))


def test_a_relay_that_tells_nothing_is_what_we_ordered():
    found = found_relay(RELAY, HEATING, ON, actual=None, now_s=NOW)
    assert (found.memory, found.finding) == (HEATING, None)
    over = ON._replace(lease_until_s=NOW)
    assert found_relay(RELAY, HEATING, over, None, NOW).written_s == float("-inf")


@pytest.mark.parametrize("kept", [None, RelayMemory(on=True, since_s=NOW - 60.0)])
@pytest.mark.parametrize("actual", [None, False, True])
def test_a_relay_we_never_wrote_to_is_as_it_shows(kept, actual):
    memory = found_relay(RELAY, kept, None, actual, NOW).memory
    before = kept or RelayMemory()
    assert memory.on == (before.on if actual is None else actual)
    assert memory.since_s == (before.since_s if memory.on == before.on else NOW)


def test_what_a_relay_is_by_itself_depends_on_its_kind():
    assert relay_alone(Native.OFF, ON) == "off"
    assert relay_alone(Native.KEEP, ON) == "on"
    assert relay_alone(Native.THERMOSTAT, ON) is None
    assert (export_text(True), export_text(False)) == ("allowed", "forbidden")


COMFORT = Comfort(day_c=22.0, night_c=20.0)


@pytest.mark.parametrize(
    ("native", "on", "temp_c", "possible"),
    [
        (Native.KEEP, True, 10.0, False),
        (Native.OFF, True, 10.0, False),
        (Native.OFF, False, 10.0, True),
        (Native.THERMOSTAT, True, 21.9, True),
        (Native.THERMOSTAT, True, 22.0, False),  # no thermostat would heat a warm room
        (Native.THERMOSTAT, False, 19.9, True),
        (Native.THERMOSTAT, False, 19.8, False),  # nor leave a cold one
        (Native.THERMOSTAT, False, None, True),
    ],
)
def test_what_a_device_could_do_by_itself_is_no_proof_of_a_person(native, on, temp_c, possible):
    assert could_be_alone(native, on, temp_c, COMFORT) is possible


FRESH = Look()


def looked(*looks: bool | None, look: Look = FRESH, at_s: float = NOW) -> Look:
    """A look a minute, the last at `at_s`; what differs twice is ordered again."""
    for k, same in enumerate(looks):
        now_s = at_s - 60.0 * (len(looks) - 1 - k)
        look = look.repeated(now_s - 60.0).after(same, now_s)
    return look


def by_person(look: Look, *, now_s: float = NOW) -> bool:
    return look.by_person(now_s, NOW + LEASE_S)


def test_a_relay_seen_as_ordered_and_then_twice_not_was_changed_by_a_person():
    assert not by_person(looked(True, False))
    assert by_person(looked(True, False, False))


def test_what_never_followed_was_not_changed_by_anybody():
    assert not by_person(looked(False, False))
    assert looked(False, False).disobeyed()


def test_a_contact_that_lags_once_or_is_excused_is_no_person():
    assert not by_person(looked(True, False, True, False))
    assert not by_person(looked(True, False, None, False))


def test_without_our_lease_or_a_recent_look_nobody_is_blamed():
    look = looked(True, False, False)
    assert not look.by_person(NOW, NOW)
    assert not by_person(look, now_s=NOW + WITNESSED_S)
    assert not by_person(look, now_s=NOW - 600.0)  # a clock that was set back


def test_an_order_followed_at_once_is_a_proof():
    ordered = Look().ordered(NOW - 60.0, moves=True)
    assert ordered.after(True, NOW).proved_s == NOW
    assert ordered.after(False, NOW).after(True, NOW + 60.0).proved_s == NOW + 60.0
    assert looked(True, False, False, True).proved_s == NOW  # ordered again, and followed


def test_what_moves_late_or_by_itself_proves_nothing():
    nothing = Look().proved_s
    assert Look().after(True, NOW).proved_s == nothing  # found so
    assert Look().ordered(NOW - 60.0, moves=False).after(True, NOW).proved_s == nothing
    assert Look().ordered(NOW - FOLLOWS_S - 1.0, moves=True).after(True, NOW).proved_s == nothing
    assert looked(*[True] * 3, *[False] * 6, True).proved_s == nothing
    assert looked(True, False, True).proved_s == nothing


def test_dwell_times_count_from_the_write_that_brought_a_strayed_relay_back():
    wrote_s = NOW - 60.0
    for strayed in (looked(True, False, at_s=wrote_s), looked(True, False, False, at_s=wrote_s)):
        for before in (strayed, strayed.repeated(wrote_s)):
            assert moved_late_s(before, before.after(True, NOW), wrote_s) == wrote_s
            assert moved_late_s(before, before.after(False, NOW), wrote_s) is None
    steady = looked(True, True, at_s=wrote_s)
    assert moved_late_s(steady, steady.after(True, NOW), wrote_s) is None


def test_an_order_that_is_not_followed_is_a_reason_for_doubt():
    lost = looked(False, False, look=Look().ordered(NOW - 180.0, moves=True))
    assert lost.doubted_s == NOW
    assert looked(True, False, False).doubted_s < NOW  # nothing was ordered


def test_a_link_carries_orders_if_one_was_followed_lately_and_none_was_lost_since():
    assert Link(proved_s=NOW - PROOF_S).arrives(NOW)
    assert not Link(proved_s=NOW - PROOF_S - 1.0).arrives(NOW)
    assert not Link(proved_s=NOW - 60.0, doubted_s=NOW - 30.0).arrives(NOW)
    assert Link(proved_s=NOW - 30.0, doubted_s=NOW - 60.0).arrives(NOW)
    assert not Link(proved_s=NOW + 60.0).arrives(NOW)  # a clock that was set back


def test_a_lost_order_is_held_against_a_link_until_one_arrives_or_half_an_hour_has_passed():
    assert not Link().loses(NOW)
    assert Link(doubted_s=NOW - DOUBT_S).loses(NOW)
    assert not Link(doubted_s=NOW - DOUBT_S - 1.0).loses(NOW)
    assert not Link(proved_s=NOW, doubted_s=NOW - 60.0).loses(NOW)


def test_a_crowd_of_persons_is_none():
    two = Link().claimed(NOW).claimed(NOW + 60.0)
    assert not two.loses(NOW + 60.0)
    assert two.claimed(NOW + 120.0).loses(NOW + 120.0)
    assert not two.claimed(NOW + CLAIMS_S + 61.0).loses(NOW + CLAIMS_S + 61.0)


def test_a_person_who_may_have_been_a_thermostat_is_given_up_when_orders_get_lost():
    believed = HEATING.by_person(False, NOW, sure=False)
    assert reviewed(believed, Link(proved_s=NOW - 60.0, doubted_s=NOW - 90.0)) == believed
    assert reviewed(believed, Link(doubted_s=NOW + 60.0)).by_hand is None
    proved = reviewed(believed, Link(proved_s=NOW + 60.0))
    assert proved.by_hand.sure
    assert reviewed(proved, Link(doubted_s=NOW + 120.0)) is proved
    assert reviewed(HEATING, Link(doubted_s=NOW)) is HEATING


def test_while_a_person_may_be_at_it_nothing_is_written():
    assert looked(True, False).suspects(NOW, NOW + LEASE_S)
    for look in (looked(True), looked(False), looked(True, False, False)):
        assert not look.suspects(NOW, NOW + LEASE_S)


@given(st.lists(st.sampled_from([True, False, None]), max_size=30))
def test_a_person_is_never_believed_in_without_two_differing_looks_in_a_row(looks):
    if by_person(looked(*looks)):
        assert looks[-LOOKS:] == [False] * LOOKS
        assert True in looks
