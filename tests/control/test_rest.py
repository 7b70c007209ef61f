"""How long a decision stands: nothing that would change it may go unseen."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.battery import LAST_PLAN_S
from pems_actors.control.duty import Modulator
from pems_actors.control.order import (
    BY_HAND_S,
    CONTINUOUS_ON_S,
    ByHand,
    Decision,
    DutyAccount,
    RelayMemory,
    settle,
)
from pems_actors.control.rest import (
    COOLS_S,
    FLICKER_K,
    FRESH_S,
    OUTDOOR_K,
    Rest,
    next_change_s,
    plan_holds_until_s,
    relay_rests_until_s,
    rest_after,
)
from pems_actors.control.wishes import Override
from pems_actors.domain.events import EnergyPlan, Outdoor, RoomTick
from pems_actors.domain.house import Limits
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality, RoomReading
from tests.control.builders import NOON, RELAY, need, plan

DAY_S = 86_400.0


def tick(at_s: float = NOON, temp_c: float | None = 21.0, **changes: object) -> RoomTick:
    outdoor_c = changes.pop("outdoor_c", 0.0)
    seen = {"relay_on": False, "floor_c": None, "window_open": None}
    seen |= {name: changes.pop(name) for name in list(changes) if name in seen}
    reading = RoomReading("obyvak", changes.pop("said_s", at_s), temp_c, **seen)  # type: ignore[arg-type]
    outdoor = Outdoor(outdoor_c, Quality.GOOD, "sensor")  # type: ignore[arg-type]
    return RoomTick(at_s, reading, outdoor, blocked=False)._replace(**changes)  # type: ignore[arg-type]


def rest(until_s: float = inf, wish: Override | None = None, **changes: object) -> Rest:
    found = rest_after(tick(), need(temp_c=21.0, **changes), Limits(), until_s, wish)
    assert found is not None
    return found


def test_a_minute_more_of_the_same_is_no_news():
    assert rest().holds(tick(NOON + 60.0))
    assert rest().holds(tick(NOON + 840.0, 21.0 + FLICKER_K - 0.01, outdoor_c=OUTDOOR_K))


@pytest.mark.parametrize(
    "news",
    [
        {"temp_c": 21.2},
        {"temp_c": 20.8},
        {"temp_c": None},
        {"temp_c": float("nan")},
        {"relay_on": True},
        {"relay_on": None},
        {"floor_c": 25.0},
        {"window_open": True},
        {"outdoor_c": OUTDOOR_K + 0.1},
        {"outdoor_c": float("nan")},
        {"blocked": True},
        {"available_frac": 0.5},
        {"estimate_c": 21.0},
        {"doubt": "jump"},
        {"clock_trusted": False},
        {"reading": None},
        {"said_s": NOON + 60.0 - FRESH_S - 1.0},
        {"at_s": NOON + 900.0},  # a quarter hour begins
        {"at_s": NOON - 60.0},  # the clock was set
    ],
)
def test_whatever_a_decision_rests_on_ends_it(news):
    assert not rest().holds(tick(**{"at_s": NOON + 60.0, **news}))


def test_a_decision_stands_no_longer_than_a_wish_or_what_it_is_told():
    wish = Override(23.0, NOON + 120.0, "user", "guests")
    assert rest(wish=wish).until_s == NOON + 120.0
    assert rest(wish=replace(wish, until_s=NOON)).until_s == NOON + 900.0
    assert rest(NOON + 60.0).until_s == NOON + 60.0


def test_nothing_that_may_break_a_dwell_is_left_to_rest():
    said = tick()
    for danger in ({"frost": True}, {"overheat": True}, {"temp_c": 20.0}, {"temp_c": None}):
        assert rest_after(said, need(**{"temp_c": 21.0, **danger}), Limits(), inf, None) is None
    limits = Limits()
    for edge_c in (limits.building_floor_c + 0.05, limits.ceiling_c - 0.05):
        found = rest_after(tick(temp_c=edge_c), need(temp_c=edge_c), limits, inf, None)
        assert found is not None
        assert limits.building_floor_c <= found.lowest_c <= found.highest_c <= limits.ceiling_c


def test_a_plan_is_looked_at_again_when_a_slot_its_order_or_its_path_ends():
    assert plan_holds_until_s(None, NOON) == inf
    assert plan_holds_until_s(plan(), NOON) == NOON + 900.0
    assert plan_holds_until_s(plan(valid_until_s=NOON + 60.0), NOON) == NOON + 60.0
    assert plan_holds_until_s(plan(), NOON + 3600.0) == NOON + 7200.0
    assert plan_holds_until_s(plan(), NOON + DAY_S) == inf


def test_a_device_is_looked_at_again_each_quarter_and_whenever_something_ends():
    assert next_change_s(None, NOON + 1.0) == NOON + 900.0
    assert next_change_s(None, NOON, NOON - 1.0, NOON + 30.0) == NOON + 30.0
    ends = EnergyPlan(NOON, NOON + 100.0 - LAST_PLAN_S, Level.PLAN, (), NOON + DAY_S)
    assert next_change_s(ends, NOON) == NOON + 100.0


DECIDED = Decision(on=False, rule="rules", why="", level=Level.RULES, target_c=21.0, slack_k=0.0)


def relay_rests(memory: RelayMemory, *, duty: float = 0.0, **changes: object) -> float:
    decision = DECIDED._replace(**{"on": memory.on, **changes})  # type: ignore[arg-type]
    modulator = Modulator(0.0, memory.on)
    return relay_rests_until_s(memory, decision, modulator, need(duty=duty), NOON) - NOON


def test_a_relay_about_to_turn_or_held_for_a_moment_does_not_rest():
    on = RelayMemory(on=True, since_s=NOON - 3600.0)
    assert relay_rests(on, on=False) == -inf
    for rule in ("frost", "guard", "overheat", "dwell", "starts"):
        assert relay_rests(RelayMemory(), rule=rule) == -inf


def test_a_relay_that_waits_for_its_floor_rests_with_it():
    assert relay_rests(RelayMemory(), rule="floor") == COOLS_S
    ran_long = RelayMemory(rest_until_s=NOON + 1700.0)
    assert relay_rests(ran_long, rule="floor") == 1700.0
    assert relay_rests(RelayMemory(on=True), on=False, rule="floor") == -inf


def test_a_relay_rests_until_its_shed_its_run_or_a_persons_time_ends():
    shed = RelayMemory(since_s=NOON - DAY_S, shed_until_s=NOON + 200.0)
    assert relay_rests(shed, rule="breaker") == 200.0
    long_on = RelayMemory(on=True, since_s=NOON + 60.0 - CONTINUOUS_ON_S)
    assert relay_rests(long_on, duty=1.0) == 60.0
    hand = ByHand(on=False, until_s=NOON + 90.0)
    assert relay_rests(RelayMemory(by_hand=hand), rule="person") == 90.0
    maybe = ByHand(on=False, until_s=NOON + BY_HAND_S, sure=False)
    assert relay_rests(RelayMemory(by_hand=maybe), rule="person") == -inf


def test_a_plans_own_order_does_not_turn_by_an_account():
    exact = need(duty=0.0, exact=True)
    account = Modulator(299.0, on=False)
    assert relay_rests_until_s(RelayMemory(), DECIDED, account, exact, NOON) == inf


@given(
    st.booleans(),
    st.floats(-1800.0, 1800.0),
    st.floats(0.0, 1.0),
    st.lists(st.floats(1.0, 300.0), min_size=1, max_size=8),
)
def test_while_it_rests_no_minute_would_decide_otherwise(on, owed_s, duty, steps):
    memory = RelayMemory(on=on, since_s=NOON - 7200.0)
    wants = need(duty=duty)

    def decided(account: DutyAccount, at_s: float) -> tuple[DutyAccount, Decision]:
        return settle(RELAY, memory, account, [wants], at_s, blocked=False)

    account, first = decided(DutyAccount(Modulator(owed_s, on), NOON), NOON)
    until_s = relay_rests_until_s(memory, first, account.modulator, wants, NOON)
    at_s = NOON
    for step_s in steps:
        at_s += step_s
        if at_s >= until_s - 1e-3:
            break
        account, now = decided(account, at_s)
        assert now.on is first.on
