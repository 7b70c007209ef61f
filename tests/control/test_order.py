from dataclasses import replace

import pytest

from pems_actors.control.duty import Modulator
from pems_actors.control.order import DutyAccount, RelayMemory, settle
from pems_actors.domain.events import GuardOrder
from pems_actors.domain.levels import Level
from tests.control.builders import NOON, RELAY, need

LONG_OFF = RelayMemory(on=False, since_s=NOON - 7200.0)
LONG_ON = RelayMemory(on=True, since_s=NOON - 7200.0)


def decide(memory, *needs, blocked=False, **more):
    return settle(RELAY, memory, DutyAccount(), needs, NOON, blocked=blocked, **more)[1]


def test_the_plan_decides_when_nothing_stands_against_it():
    decision = decide(LONG_OFF, need())
    assert (decision.on, decision.rule, decision.level) == (True, "plan", Level.PLAN)


def test_the_neediest_member_speaks_for_the_relay():
    decision = decide(LONG_OFF, need(duty=0.0), need("kuchyne", slack_k=-0.4))
    assert decision.on
    assert decision.slack_k == -0.4


def test_what_seems_too_hot_rests_whatever_a_person_switched_but_breaks_no_dwell():
    hot, by_hand = need(duty=0.0, seems_hot=True), LONG_OFF.by_person(True, NOON - 900.0, sure=True)
    rests = decide(by_hand, hot)
    assert (rests.on, rests.rule, rests.breaks_dwell) == (False, "overheat", False)
    assert decide(by_hand, need(duty=0.0)).on
    assert decide(LONG_OFF.by_person(True, NOON - 60.0, sure=True), hot).on


def test_a_persons_wish_goes_before_the_neediest_member():
    wish = need("kuchyne", user=True, slack_k=2.0, duty=0.0)
    decision = decide(LONG_ON, need(slack_k=-1.0), wish)
    assert (decision.on, decision.rule) == (False, "user")


def test_overheat_of_any_member_blocks_and_beats_frost_of_another():
    decision = decide(LONG_ON, need(frost=True), need("kuchyne", overheat=True, slack_k=5.0))
    assert (decision.on, decision.rule) == (False, "overheat")


def test_frost_of_any_member_forces():
    decision = decide(LONG_OFF, need(duty=0.0), need("kuchyne", frost=True, slack_k=5.0))
    assert (decision.on, decision.rule) == (True, "frost")


def test_nobody_heats_in_a_block_not_even_frost():
    for order in (None, GuardOrder("obyvak", on=True, reason="frost", until_s=NOON + 600.0)):
        decision = decide(LONG_ON, need(frost=True), blocked=True, guard=order)
        assert (decision.on, decision.rule) == (False, "tariff")


def test_a_relay_keeps_its_dwell_times():
    just_on = replace(LONG_ON, since_s=NOON - 300.0)
    held = decide(just_on, need(duty=0.0))
    assert (held.on, held.rule) == (True, "dwell")
    just_off = replace(LONG_OFF, since_s=NOON - 300.0)
    assert decide(just_off, need()).rule == "dwell"


def test_only_the_first_three_rules_break_a_dwell_and_it_is_counted():
    just_on = replace(LONG_ON, since_s=NOON - 300.0)
    hot = decide(just_on, need(overheat=True))
    assert (hot.on, hot.breaks_dwell) == (False, True)
    shed = replace(just_on, shed_until_s=NOON + 60.0, shed_reason="over the breaker of L1")
    assert decide(shed, need()).breaks_dwell
    just_off = replace(LONG_OFF, since_s=NOON - 300.0)
    assert decide(just_off, need(frost=True)).breaks_dwell
    assert not decide(LONG_OFF, need(frost=True)).breaks_dwell
    assert not decide(just_on, need(), blocked=True).breaks_dwell
    assert just_on.switched(on=False, now_s=NOON, broke_dwell=True).dwell_breaks == 1


def test_a_shed_relay_stays_off_for_its_time():
    shed = replace(LONG_OFF, shed_until_s=NOON + 60.0, shed_reason="over the import limit")
    decision = decide(shed, need(frost=True))
    assert (decision.on, decision.rule, decision.reason) == (
        False, "breaker", "over the import limit"
    )  # fmt: skip


def test_the_guards_order_is_obeyed_until_it_ends():
    order = GuardOrder("obyvak", on=False, reason="guard: too warm", until_s=NOON + 1.0)
    assert decide(LONG_ON, need(), guard=order).rule == "guard"
    assert decide(LONG_ON, need(), guard=replace(order, until_s=NOON)).rule == "plan"


def test_at_most_four_starts_an_hour():
    starts = tuple(NOON - 600.0 * k for k in range(5, 1, -1))
    busy = replace(LONG_OFF, since_s=NOON - 700.0, starts_s=starts)
    decision = decide(busy, need())
    assert (decision.on, decision.rule) == (False, "starts")
    assert decide(replace(busy, starts_s=starts[1:]), need()).on


def test_a_floor_without_a_sensor_rests_after_four_hours():
    tired = RelayMemory(on=True, since_s=NOON - 4 * 3600.0)
    assert decide(tired, need()).rule == "floor"
    assert decide(tired, need(), floor_measured=True).on
    rested = replace(tired, since_s=NOON - 5 * 3600.0).switched(on=False, now_s=NOON - 1200.0)
    assert decide(rested, need()).rule == "floor"
    assert decide(replace(rested, rest_until_s=NOON), need()).on


def test_a_short_run_earns_no_rest():
    assert LONG_ON.switched(on=False, now_s=NOON).rest_until_s < NOON


def test_a_duty_is_spread_over_time_and_a_plan_is_not():
    owed = DutyAccount(Modulator(owed_s=290.0), NOON - 60.0)
    half = need(duty=0.5, exact=False, level=Level.RULES)
    after, decision = settle(RELAY, LONG_OFF, owed, [half], NOON, blocked=False)
    assert decision.on
    assert after.modulator.owed_s == pytest.approx(320.0)
    after, _ = settle(RELAY, LONG_OFF, owed, [need()], NOON, blocked=False)
    assert after.modulator.owed_s == 0.0


def test_old_starts_are_forgotten():
    memory = replace(LONG_OFF, starts_s=(NOON - 4000.0, NOON - 100.0)).switched(True, NOON)
    assert memory.starts_s == (NOON - 100.0, NOON)
