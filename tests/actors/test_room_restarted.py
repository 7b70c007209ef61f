"""A room that comes back after its process died: dwell, wishes and its relay are as they were."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pems_actors.actors.base import HISTORY, MQTT, PLANNER, POWER_BUDGET, Record
from pems_actors.actors.room_reconcile import RENEW_S
from pems_actors.actors.room_relay import LEASE_S
from pems_actors.control.order import RelayMemory
from pems_actors.control.reconcile import Look
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.events import (
    ComfortWish,
    GuardOrder,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    Republish,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState
from pems_actors.durable.kept import RoomKept
from pems_actors.durable.memory import Memory
from tests.actors.kit import NOON, TICK_S, Stage, order, room_tick
from tests.actors.rooms import grant, room_stage, switched_on, ticks

DEVICES = ("relay/living", "relay/bath", "battery", "inverter")


def reborn(before: Stage, away_s: float = 5.0, **more) -> Stage:
    """The same room in a new process, some seconds later."""
    name = before.path.removeprefix("rooms/")
    return room_stage(name, memory=before.memory, start_s=before.now_s + away_s, **more)


def heating_for(minutes: int) -> Stage:
    stage = switched_on()
    ticks(stage, minutes, 20.0, on=True)
    return stage


def test_in_mid_dwell_it_adopts_its_relay_without_a_write():
    before = heating_for(4)
    after = reborn(before)
    after.tell(room_tick(after.now_s, "living", 24.0, on=True))  # nobody would heat any more
    assert after.commands == []
    assert after.state.wanted.rule == "dwell"
    assert after.state.relay == before.state.relay
    assert after.last(POWER_BUDGET, RelaySwitched).on is True
    [found] = [r for r in after.all_heard(HISTORY, Record) if r.kind == "reconciled"]
    assert found.body == {"relay": "living", "on": True, "how": "adopt"}


def test_the_dwell_ends_when_it_would_have_ended():
    before = heating_for(4)
    began_s = before.state.relay.since_s
    after = reborn(before)
    ticks(after, 12, 24.0, on=True)
    off = next(c for c in after.commands if not c.on)
    assert 600.0 <= off.at_s - began_s <= 600.0 + 2 * TICK_S
    assert after.state.relay.dwell_breaks == 0


def test_the_lease_goes_on_where_it_was():
    before = heating_for(4)
    after = reborn(before)
    ticks(after, 20, 20.0, on=True)
    written = [c.at_s for c in (*before.commands, *after.commands)]
    gaps = [b - a for a, b in pairwise(written)]
    assert all(RENEW_S <= gap <= RENEW_S + TICK_S + 5.0 for gap in gaps)


def test_starts_of_the_hour_still_count():
    memory = Memory()
    starts = tuple(NOON - 60.0 * k for k in (50, 40, 30, 20))
    memory.keep("rooms/living", RoomKept(relay=RelayMemory(starts_s=starts)), NOON)
    stage = room_stage(memory=memory)
    ticks(stage, 5, 19.0, on=False)
    assert stage.state.wanted.rule == "starts"
    assert not stage.all_heard(POWER_BUDGET, RelayRequest)
    ticks(stage, 5, 19.0, on=False)  # the first of them is an hour old now
    assert stage.all_heard(POWER_BUDGET, RelayRequest)


def test_a_wish_survives_with_owner_reason_and_end(tmp_path):
    memory = Memory.on_disk(tmp_path, DEVICES)
    before = room_stage("bath", memory=memory)
    wish = order("rooms/bath", "override", temp_c=25.0, for_s=7200.0)
    assert before.ask(wish).outcome == "done"

    fresh = Memory.on_disk(tmp_path, DEVICES)
    fresh.load(["rooms/bath"], NOON + 60.0)
    after = room_stage("bath", memory=fresh, start_s=NOON + 60.0)
    override = after.state.override
    assert (override.temp_c, override.owner, override.reason) == (25.0, "user", "override")
    assert override.until_s == NOON + 7200.0
    after.tell(Republish())  # a planner that has just started asks
    assert after.last(PLANNER, ComfortWish).temp_c == 25.0


def test_an_ended_wish_does_not_come_back():
    before = room_stage("bath")
    before.ask(order("rooms/bath", "override", temp_c=25.0, for_s=7200.0))
    assert reborn(before, away_s=7201.0).state.override is None


def test_a_relay_that_its_thermostat_took_over_waits_for_power_like_any_other():
    before = heating_for(4)
    after = reborn(before, away_s=LEASE_S)
    after.tell(room_tick(after.now_s, "living", 20.0, on=False))
    assert not [c for c in after.commands if c.on]
    ticks(after, 10, 20.0, on=False)
    assert after.all_heard(POWER_BUDGET, RelayRequest)
    grant(after)
    assert after.commands[-1].on


def test_an_order_that_never_arrived_is_no_persons_doing():
    before = switched_on()  # never seen closed
    after = reborn(before)
    after.tell(room_tick(after.now_s, "living", 20.0, on=False))
    assert after.state.relay.by_hand is None
    assert after.all_heard(POWER_BUDGET, RelayRequest)


def test_what_a_person_switched_while_it_was_away_is_respected():
    before = heating_for(4)
    after = reborn(before)
    ticks(after, 5, 20.0, on=False)
    assert after.state.wanted.rule == "person"
    assert not [c for c in after.commands if c.on]
    assert not after.all_heard(POWER_BUDGET, RelayRequest)


def test_a_restart_forgets_no_persons_change():
    stage = heating_for(4)
    ticks(stage, 3, 20.0, on=False)
    until_s = stage.state.relay.by_hand.until_s
    after = reborn(stage, away_s=3600.0)
    ticks(after, 3, 20.0, on=False)
    assert after.state.relay.by_hand.until_s == until_s


def test_the_guards_order_during_the_death_is_ours():
    before = switched_on()
    ticks(before, 2, 20.0, on=True)
    off = SetHeating("living", False, "hot", Level.RULES, before.now_s, before.now_s + 600.0)
    before.writer.apply(off)
    after = reborn(before)
    after.tell(room_tick(after.now_s, "living", 20.0, on=False))
    assert after.state.relay.on is False
    assert after.state.relay.by_hand is None


@pytest.mark.parametrize("blocked", [False, True])
def test_without_a_look_at_the_device_the_journal_counts(blocked):
    before = heating_for(4)
    after = reborn(before)
    on = None if not blocked else False
    after.tell(room_tick(after.now_s, "living", 20.0, on=on, blocked=blocked))
    assert after.state.relay.by_hand is None
    assert after.state.relay.starts_s == before.state.relay.starts_s
    assert after.state.wanted.rule == ("tariff" if blocked else "rules")


# --- while it runs


def test_a_person_who_switches_it_off_is_respected_for_four_hours_and_then_no_longer():
    stage = heating_for(4)
    ticks(stage, 2, 20.0, on=False)
    assert stage.state.wanted.rule == "person"
    stage.forget()
    ticks(stage, 237, 20.0, on=False)
    assert not [c for c in stage.commands if c.on]
    assert all(c.reason.startswith("person: switched off at the device") for c in stage.commands)
    assert not stage.all_heard(POWER_BUDGET, RelayRequest)
    ticks(stage, 5, 20.0, on=False)
    assert stage.all_heard(POWER_BUDGET, RelayRequest)


def test_a_person_who_switches_it_on_is_told_to_the_budget_and_shown():
    stage = room_stage()
    ticks(stage, 5, 22.6, on=False)
    ticks(stage, 2, 22.6, on=True)
    assert stage.last(POWER_BUDGET, RelaySwitched).on is True
    assert [c.on for c in stage.commands][-1] is True  # held by our lease
    shown = dict(_last_state(stage).values)
    assert shown["owner"].value == "person"
    assert shown["owner_until"].value == "2026-01-15T15:07:00Z"
    assert "by a person" in _last_state(stage).reason
    assert [r.body for r in stage.all_heard(HISTORY, Record) if r.kind == "by_hand"] == [
        {"relay": "living", "on": True, "sure": True}
    ]


def lose_an_order(stage: Stage) -> None:
    """Another relay has not followed its order: the link may be deaf."""
    ordered = Look().ordered(stage.now_s - 120.0, moves=True).after(False, stage.now_s - 60.0)
    lost = ordered.after(False, stage.now_s)
    stage.memory.journal.watched("relay/bath", "on", ordered, lost)


def test_a_thermostat_that_may_have_lost_our_lease_is_not_taken_for_a_person():
    stage = room_stage()
    ticks(stage, 60, 21.9, on=False)
    lose_an_order(stage)
    ticks(stage, 3, 21.9, on=True)
    assert stage.state.relay.by_hand is None
    assert [c.on for c in stage.commands][-1] is False


def test_who_was_taken_for_a_person_is_given_up_when_orders_prove_lost():
    stage = room_stage()
    ticks(stage, 60, 21.9, on=False)
    ticks(stage, 3, 21.9, on=True)
    assert stage.state.relay.by_hand is not None
    lose_an_order(stage)
    ticks(stage, 1, 21.9, on=True)
    assert stage.state.relay.by_hand is None
    assert stage.state.wanted.rule != "person"


def test_whom_no_thermostat_explains_is_not_given_up():
    stage = room_stage()
    ticks(stage, 5, 22.6, on=False)
    ticks(stage, 3, 22.6, on=True)
    lose_an_order(stage)
    ticks(stage, 1, 22.6, on=True)
    assert stage.state.wanted.rule == "person"


def test_no_write_covers_a_persons_change_up_before_it_is_judged():
    stage = heating_for(4)  # a renewal is due with the next look
    stage.forget()
    ticks(stage, 1, 20.0, on=False)
    assert stage.commands == []


def test_limits_are_not_a_persons_to_break():
    stage = room_stage()
    ticks(stage, 5, 22.6, on=False)
    ticks(stage, 2, 22.6, on=True)
    stage.tell(RelayShed("living", "over the import limit", stage.now_s, 300.0))
    assert stage.commands[-1].on is False
    stage = room_stage()
    ticks(stage, 5, 22.6, on=False)
    ticks(stage, 2, 22.6, on=True)
    ticks(stage, 1, 22.6, on=True, floor_c=31.0)
    assert stage.commands[-1].reason.startswith("overheat")


def test_frost_is_not_a_persons_choice():
    stage = heating_for(4)
    ticks(stage, 2, 20.0, on=False)
    for temp_c in (18.0, 16.0, 14.0, 12.5, 11.5, 11.0):
        stage.run(1800.0)
        stage.tell(room_tick(stage.now_s, "living", temp_c, on=False))
    assert stage.last(POWER_BUDGET, RelayRequest).urgent


def test_a_relay_that_the_guard_switched_is_no_persons():
    stage = heating_for(4)
    stage.tell(GuardOrder("living", False, "too warm", stage.now_s + 600.0))
    ticks(stage, 3, 20.0, on=False)
    assert stage.state.relay.by_hand is None


def test_in_advisory_mode_nobody_is_taken_for_a_person():
    stage = room_stage(armed=frozenset())
    ticks(stage, 5, 22.6, on=False)
    ticks(stage, 5, 22.6, on=True)
    assert stage.state.relay.by_hand is None


@pytest.mark.parametrize("verb", ["release", "boost"])
def test_a_later_word_undoes_what_was_done_at_the_device(verb):
    stage = heating_for(4)
    ticks(stage, 2, 20.0, on=False)
    assert stage.ask(order("rooms/living", verb)).outcome == "done"
    ticks(stage, 12, 20.0, on=False)
    assert stage.state.wanted.rule != "person"
    assert stage.all_heard(POWER_BUDGET, RelayRequest)


def _last_state(stage: Stage):
    return stage.last(MQTT, DeviceState)


def test_a_restart_does_not_forget_how_warm_the_floor_is():
    before = switched_on()
    usual = before.state.owned.floors.shares[0]
    ticks(before, 220, 21.0, on=True)
    warm = before.state.owned.floors.shares[0]
    assert warm > usual + 0.2
    after = reborn(before)
    ticks(after, 1, 21.0, on=True)
    assert abs(after.state.owned.floors.shares[0] - warm) < 0.05
