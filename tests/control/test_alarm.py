"""Somebody is called when something has been wrong for half an hour, and only then."""

from pems_actors.control.alarm import (
    ALARM_AFTER_S,
    LOOK_S,
    START_S,
    Outages,
    Trouble,
    next_s,
    rooms_on_rules,
)
from pems_actors.control.alarm import standing as standing_of
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState

HALF_HOUR_S = ALARM_AFTER_S


def trouble(since_s: float, why: str = "boom", level: Level | None = None) -> Trouble:
    return Trouble(since_s, "planner", why, level)


def state(path: str, level: Level, since_s: float = 0.0) -> DeviceState:
    return DeviceState(path, since_s, level, "no plan", (), since_s)


def test_what_is_over_within_half_an_hour_calls_nobody():
    assert standing_of([trouble(0.0)], HALF_HOUR_S - 1.0) is None
    assert standing_of([trouble(0.0)], HALF_HOUR_S) == trouble(0.0)
    assert standing_of([], 1e9) is None


def test_the_oldest_trouble_is_named_with_the_worst_level_of_all():
    troubles = (
        trouble(100.0, "second", Level.RULES),
        trouble(0.0, "first", Level.PATH),
        trouble(HALF_HOUR_S, "too young", Level.NATIVE),
    )
    found = standing_of(troubles, HALF_HOUR_S + 100.0)
    assert found == trouble(0.0, "first; and 1 more", Level.RULES)
    assert found.reason == "planner: first; and 1 more"


def test_only_rooms_that_nothing_better_than_rules_decides_for_count():
    states = (
        state("rooms/bath", Level.RULES, 5000.0),
        state("rooms/hall", Level.PATH, 5000.0),
        state("devices/battery", Level.NATIVE, 5000.0),
    )
    [found] = rooms_on_rules(states, 0.0)
    assert found == Trouble(5000.0, "rooms/bath", "no plan", Level.RULES)


def test_a_house_that_has_just_started_is_given_time_for_its_first_plan():
    [found] = rooms_on_rules([state("rooms/bath", Level.RULES, 100.0)], 100.0)
    assert found.since_s == 100.0 + START_S


def test_an_outage_remembers_the_worst_level_that_the_house_fell_to_meanwhile():
    outages = Outages().heard(state("rooms/bath", Level.PLAN)).opened("planner@1", None)
    outages = outages.heard(state("rooms/bath", Level.RULES)).heard(state("rooms/bath", Level.PLAN))
    left, reached = outages.closed("planner@1", None)
    assert reached == Level.RULES
    assert not left.reached


def test_outages_at_the_same_time_have_levels_of_their_own():
    outages = Outages().opened("a", None).heard(state("rooms/bath", Level.PATH))
    outages, reached = outages.closed("a", None)
    assert reached == Level.PATH
    outages = outages.heard(state("rooms/bath", Level.PLAN)).opened("b", None)
    assert outages.closed("b", None)[1] == Level.PLAN
    assert outages.closed("never opened", 4)[1] == 4


def test_a_meter_or_a_guard_decides_nothing_and_has_no_say():
    outages = Outages().opened("a", None).heard(state("safety/guard", Level.NATIVE))
    assert outages.closed("a", None)[1] is None


def test_who_watches_looks_again_when_the_next_trouble_is_old_enough_or_soon():
    young, old = trouble(1000.0), trouble(0.0)
    assert next_s([], 0.0) == LOOK_S
    assert next_s([young], 1100.0) == 1100.0 + LOOK_S
    assert next_s([young], 2500.0) == 1000.0 + ALARM_AFTER_S
    assert next_s([old, young], HALF_HOUR_S) == HALF_HOUR_S + LOOK_S
