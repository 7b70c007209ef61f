"""A room and its relay: asking, switching, renewing, giving back."""

from itertools import pairwise

import pytest

from pems_actors.actors.base import PLAN_KEEPER, POWER_BUDGET
from pems_actors.actors.room import SILENCE_S
from pems_actors.actors.room_mind import NEED_LIFE_S
from pems_actors.actors.room_reconcile import RENEW_S
from pems_actors.actors.room_relay import LEASE_S
from pems_actors.control.power_budget import REQUEST_LIFE_S
from pems_actors.domain.events import (
    GuardOrder,
    Need,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    Republish,
)
from pems_actors.domain.levels import Level
from supervision import Fault, FaultKind
from supervision.events import LateEffect
from tests.actors.kit import NOON, TICK_S, Stage, room_tick
from tests.actors.rooms import grant, room_plan, room_stage, switched_on, ticks


def test_a_cold_room_asks_and_does_not_switch_on_without_a_grant():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 19.0))
    ticks(stage, 20, 19.0)
    asked_s = [request.at_s for request in stage.all_heard(POWER_BUDGET, RelayRequest)]
    assert asked_s[0] == NOON
    assert max(b - a for a, b in pairwise(asked_s)) < REQUEST_LIFE_S
    assert not [c for c in stage.commands if c.on]


def test_with_a_grant_it_switches_on_and_says_so():
    stage = switched_on()
    [command] = stage.commands
    assert command.reason.startswith("rules:")
    assert command.level is Level.RULES
    assert command.lease_until_s == NOON + LEASE_S
    said = stage.last(POWER_BUDGET, RelaySwitched)
    assert (said.relay, said.on) == ("living", True)


def test_a_grant_that_came_too_late_is_given_back():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 19.0))
    grant(stage, late_s=5.0)
    assert not [c for c in stage.commands if c.on]
    said = stage.last(POWER_BUDGET, RelaySwitched)
    assert (said.relay, said.on) == ("living", False)


def test_a_grant_that_nobody_needs_any_more_is_given_back():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 24.0))
    stage.tell(_need_of_the_kitchen(NOON, slack_k=-3.0))
    ticks(stage, 7, 24.0)
    assert stage.state.wanted.on is False
    grant(stage)
    assert not [c for c in stage.commands if c.on]
    assert stage.last(POWER_BUDGET, RelaySwitched).on is False


def test_a_grant_before_the_first_tick_and_one_for_a_room_without_relay_change_nothing():
    for name in ("living", "kitchen"):
        stage = room_stage(name)
        grant(stage)
        assert not stage.commands


def test_the_lease_is_renewed_every_five_minutes_by_a_write():
    stage = switched_on()
    ticks(stage, 30, 20.0, on=True)
    written = [c.at_s for c in stage.commands]
    assert [b - a for a, b in pairwise(written)] == [RENEW_S] * 6
    assert all(c.on and c.lease_until_s == c.at_s + LEASE_S for c in stage.commands)


def test_leases_of_different_rooms_end_at_different_times():
    [command] = switched_on(stagger_s=120.0).commands
    assert command.lease_until_s == NOON + LEASE_S + 120.0


def test_a_room_that_is_gone_renews_nothing():
    stage = switched_on()
    stage.system.terminate_child("rooms", "living")
    written = len(stage.commands)
    stage.run(3600.0)
    assert len(stage.commands) == written


def test_a_room_that_hears_nothing_goes_on_by_its_own_timer():
    stage = switched_on()
    for _ in range(60):
        stage.run(180.0)
    gaps = [b.at_s - a.at_s for a, b in pairwise(stage.commands)]
    assert max(gaps) < LEASE_S
    assert stage.now_s - stage.commands[-1].at_s < LEASE_S
    assert stage.state.wanted.level is Level.RULES
    assert "temperature unknown" in stage.state.wanted.reason


def test_a_successor_that_hears_nothing_goes_on_by_its_own_timer_too():
    stage = switched_on()
    stage.crash()
    stage.run(3600.0)
    assert stage.now_s - stage.commands[-1].at_s <= RENEW_S + SILENCE_S


def test_a_room_that_has_never_heard_anything_stays_still():
    stage = room_stage()
    stage.run(3600.0)
    assert not stage.commands
    assert not stage.all_heard(POWER_BUDGET, RelayRequest)


def test_a_relay_that_did_not_take_the_command_asks_anew_and_is_written_again():
    stage = switched_on()
    stage.heard[POWER_BUDGET].clear()
    ticks(stage, 1, 20.0, on=False)
    assert len(stage.commands) == 1  # the contact may lag behind once
    ticks(stage, 1, 20.0, on=False)
    assert stage.all_heard(POWER_BUDGET, RelayRequest)
    grant(stage)
    assert [c.on for c in stage.commands] == [True, False, True]


def test_a_relay_that_heats_on_against_our_order_is_told_at_every_look():
    """After the first repetition nobody waits for a second look: it draws power unasked."""
    stage = switched_on()
    ticks(stage, 12, 24.0, on=True)
    assert [c.on for c in stage.commands][-1] is False
    ticks(stage, 4, 24.0, on=True)
    before = len(stage.commands)
    ticks(stage, 6, 24.0, on=True)
    assert [c.on for c in stage.commands[before:]] == [False] * 6
    ticks(stage, 2, 24.0, on=False)
    told = len(stage.commands)
    ticks(stage, 2, 24.0, on=False)
    assert len(stage.commands) == told


def test_a_relay_whose_lease_ran_out_unseen_asks_before_it_is_on_again():
    stage = switched_on()
    stage.heard[POWER_BUDGET].clear()
    stage.runtime.stand_still(2 * LEASE_S)  # the computer slept
    stage.tell(room_tick(stage.now_s, "living", 19.0, on=None))
    assert stage.commands[-1].on is False
    assert not stage.all_heard(POWER_BUDGET, RelaySwitched)[0].on
    assert stage.state.wanted.rule == "dwell"  # it may have run until now
    assert not stage.all_heard(POWER_BUDGET, RelayRequest)


def test_a_floor_of_unknown_past_is_taken_for_as_warm_as_the_weather_makes_it():
    for outdoor_c, share in ((10.0, (0.1, 0.4)), (-10.0, (0.5, 0.9))):
        stage = room_stage()
        stage.tell(room_tick(NOON, "living", 21.0, outdoor_c=outdoor_c))
        low, high = share
        assert all(low < warmth < high for warmth in stage.state.owned.floors.shares)


def test_a_room_that_waits_for_power_holds_its_relay_off_by_its_lease():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 19.0))
    ticks(stage, 60, 19.0)
    assert not [c for c in stage.commands if c.on]
    assert [b.at_s - a.at_s for a, b in pairwise(stage.commands)] == [RENEW_S] * 12
    assert stage.commands[-1].reason == "budget: waits for power"
    asked_s = [request.at_s for request in stage.all_heard(POWER_BUDGET, RelayRequest)]
    assert max(b - a for a, b in pairwise((*asked_s, stage.now_s))) < REQUEST_LIFE_S
    assert not stage.all_heard(POWER_BUDGET, RelaySwitched)  # it would take its place in the queue


def test_a_relay_cut_by_the_tariff_is_no_disobedience():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 25.0))
    stage.forget()
    ticks(stage, 4, 25.0, on=True, blocked=True)
    assert not stage.commands


def test_a_relay_found_on_is_adopted_and_told_to_the_budget():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 21.9, on=True))
    assert stage.all_heard(POWER_BUDGET, RelaySwitched)[0].on is True
    assert stage.state.relay.on is True


def test_a_shed_relay_goes_off_at_once_rests_and_counts_the_broken_dwell():
    stage = switched_on()
    stage.tell(RelayShed("living", "over the import limit", stage.now_s, 300.0))
    assert [c.on for c in stage.commands] == [True, False]
    assert stage.commands[-1].reason == "breaker: over the import limit"
    assert stage.state.relay.dwell_breaks == 1
    stage.forget()
    ticks(stage, 4, 19.0)
    assert not stage.all_heard(POWER_BUDGET, RelayRequest)


def test_a_shed_after_the_dwell_breaks_nothing():
    stage = switched_on()
    ticks(stage, 11, 20.0, on=True)
    stage.tell(RelayShed("living", "over the import limit", stage.now_s))
    assert stage.state.relay.on is False
    assert stage.state.relay.dwell_breaks == 0


def test_a_shed_of_a_relay_that_is_off_keeps_it_off():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 19.0))
    stage.tell(RelayShed("living", "over the import limit", NOON, 300.0))
    ticks(stage, 1, 19.0)
    assert stage.state.wanted.rule == "breaker"


def test_a_shed_before_the_first_tick_is_no_error():
    stage = room_stage()
    stage.tell(RelayShed("living", "over the import limit", NOON))
    assert stage.status.restarts == 0


def test_an_order_of_the_guard_is_urgent():
    stage = room_stage()
    stage.tell(GuardOrder("living", True, "near frost", NOON + 600.0))
    stage.tell(room_tick(NOON, "living", 25.0))
    asked = stage.last(POWER_BUDGET, RelayRequest)
    assert asked.urgent


def test_a_room_without_a_relay_tells_its_need_to_the_owner():
    stage = room_stage("kitchen")
    stage.tell(room_tick(NOON, "kitchen", 18.0, on=None))
    need = stage.last("rooms/living", Need)
    assert need.room == "kitchen"
    assert need.slack_k == pytest.approx(18.0 - 21.5)
    assert not stage.commands


def test_the_neediest_member_decides():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 23.0))
    stage.tell(_need_of_the_kitchen(NOON, slack_k=-3.0))
    ticks(stage, 1, 23.0)
    asked = stage.last(POWER_BUDGET, RelayRequest)
    assert asked.slack_k == -3.0
    assert "kitchen is cold" in stage.state.wanted.reason


def test_a_need_that_is_not_renewed_is_forgotten():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 23.0))
    stage.tell(_need_of_the_kitchen(NOON, slack_k=-3.0))
    ticks(stage, 6, 23.0)
    stage.forget()
    ticks(stage, 1, 23.0)
    assert not stage.all_heard(POWER_BUDGET, RelayRequest)


def test_a_member_that_rests_says_its_need_again_before_it_is_forgotten():
    stage = room_stage("kitchen")
    ticks(stage, 14, 22.0)
    said = stage.all_heard("rooms/living", Need)
    assert max(b.at_s - a.at_s for a, b in pairwise(said)) < NEED_LIFE_S
    assert stage.now_s - said[-1].at_s < NEED_LIFE_S
    assert {need[2:] for need in said} == {said[0][2:]}
    assert stage.state.decided_s < said[-1].at_s


def test_a_member_that_says_the_same_again_lets_its_owners_decision_stand():
    stage = _at_rest_beside_the_kitchen()
    decided_s = stage.state.decided_s
    stage.tell(_need_of_the_kitchen(stage.now_s, slack_k=1.0))
    ticks(stage, 4, 23.0, on=False)
    assert stage.state.decided_s == decided_s


def test_a_member_that_says_something_else_is_served_at_the_next_tick():
    stage = _at_rest_beside_the_kitchen()
    stage.tell(_need_of_the_kitchen(stage.now_s, slack_k=-3.0))
    ticks(stage, 1, 23.0, on=False)
    assert stage.state.decided_s == stage.now_s
    assert stage.state.owned.wanted.slack_k == -3.0


def test_a_decision_does_not_stand_longer_than_a_members_word_counts():
    stage = _at_rest_beside_the_kitchen()
    heard_s = stage.state.owned.needs["kitchen"].at_s
    assert stage.state.owned.wanted.slack_k == 1.0
    while stage.now_s <= heard_s + NEED_LIFE_S:
        ticks(stage, 1, 23.0, on=False)
    assert stage.state.decided_s == stage.now_s
    assert stage.state.owned.wanted.slack_k == pytest.approx(23.0 - 21.5)


def test_a_member_that_repeats_itself_does_not_hide_another_that_fell_silent():
    stage = _at_rest_beside_the_kitchen()
    hall = _need_of_the_kitchen(stage.now_s, slack_k=1.2)._replace(room="hall")
    stage.tell(hall)
    ticks(stage, 2, 23.0, on=False)
    ends_s = stage.state.owned.needs["kitchen"].at_s + NEED_LIFE_S
    while stage.now_s < ends_s:
        ticks(stage, 1, 23.0, on=False)
    stage.run(TICK_S / 2)  # the kitchen's word has just ended, and no tick has come since
    stage.tell(hall._replace(at_s=stage.now_s))
    ticks(stage, 1, 23.0, on=False)
    assert stage.state.decided_s == stage.now_s
    assert stage.state.owned.wanted.slack_k == 1.2


def _at_rest_beside_the_kitchen() -> Stage:
    """A warm living room that has heard the kitchen, and whose decision stands."""
    stage = room_stage()
    ticks(stage, 1, 23.0, on=False)
    stage.tell(_need_of_the_kitchen(stage.now_s, slack_k=1.0))
    ticks(stage, 3, 23.0, on=False)
    assert stage.state.decided_s < stage.now_s
    return stage


def _need_of_the_kitchen(at_s: float, slack_k: float) -> Need:
    return Need("kitchen", at_s, 1.0, True, Level.RULES, "kitchen is cold", slack_k, 22.0)


def test_no_room_switches_within_ten_minutes_unless_it_must():
    stage = switched_on()
    stage.tell(room_plan(on=False, issued_s=NOON))
    ticks(stage, 9, 22.0, on=True)
    assert stage.state.relay.on is True
    ticks(stage, 2, 22.0, on=True)
    assert stage.state.relay.on is False


def test_a_crashed_rooms_successor_keeps_dwell_plan_and_wish():
    stage = switched_on()
    stage.tell(room_plan(on=True))
    before = stage.state
    stage.crash()
    assert stage.status.epoch == 2
    assert stage.state.relay == before.relay
    assert stage.state.plan == before.plan
    assert stage.all_heard(PLAN_KEEPER, Republish)
    stage.tell(room_plan(on=False))
    ticks(stage, 5, 22.0, on=True)
    assert stage.state.relay.on is True  # the dwell goes on where it was


def test_a_late_effect_of_a_hung_room_is_refused():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 19.0))
    stage.system.inject("rooms/living", Fault(FaultKind.HANG, at_message=1, seconds=30.0))
    grant(stage)
    stage.run(60.0)
    assert stage.told(LateEffect)
    assert not [c for c in stage.commands if c.on]
    assert stage.status.epoch == 2
    assert stage.state.relay.on is False


def test_without_the_lease_nothing_is_written_and_nothing_is_believed_written():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 19.0))
    stage.system.gate.revoke("relay/living")
    grant(stage)
    assert not [c for c in stage.commands if c.on]
    assert stage.state.relay.on is False
    assert stage.now_s < NOON + TICK_S


def test_a_power_budget_that_starts_afresh_is_told_what_the_relay_is():
    stage = switched_on()
    stage.forget()
    stage.tell(Republish())
    assert stage.last(POWER_BUDGET, RelaySwitched).on is True
    for silent in (room_stage(), room_stage("kitchen")):
        silent.tell(Republish())
        assert not silent.all_heard(POWER_BUDGET, RelaySwitched)


def test_a_relay_that_the_guard_switched_on_is_taken_over():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 25.0))
    stage.tell(GuardOrder("living", True, "near frost", NOON + 600.0))
    ticks(stage, 1, 25.0, on=True)
    assert stage.state.relay.on is True
    assert stage.last(POWER_BUDGET, RelaySwitched).on is True
    ticks(stage, 5, 25.0, on=True)
    assert all(c.on for c in stage.commands[1:])


@pytest.mark.parametrize("armed", [frozenset(), frozenset({"relay/living"})])
def test_the_budget_is_told_whether_the_relay_would_obey(armed: frozenset[str]):
    stage = room_stage(armed=armed)
    stage.tell(room_tick(NOON, "living", 20.0))
    grant(stage)
    assert stage.last(POWER_BUDGET, RelaySwitched).ours is bool(armed)
