"""What a flexible load may do: wishes, plan, limits and people, in their order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.flexible_load import (
    LoadMind,
    LoadWish,
    after_reading,
    choose,
    is_late,
    remaining_kwh,
    standing_wish,
    steady,
    task_of,
)
from pems_actors.domain.events import HouseMode
from pems_actors.domain.flexible_load import (
    FlexibleLoad,
    LoadKind,
    LoadPlan,
    LoadReading,
    LoadTick,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.units import DAY_S, HOUR_S, iso, seconds

ZONE = "Europe/Prague"
NOW = seconds("2026-01-15T20:00:00+01:00")
CAR = FlexibleLoad("car", LoadKind.CAR, 11.0, every_day_kwh=20.0)
BOILER = FlexibleLoad(
    "boiler", LoadKind.BOILER, 2.0, tariff_blocked=True, every_day_kwh=4.0, volume_l=150.0
)


def mind(**changes) -> LoadMind:
    return LoadMind(LoadWish(20.0, NOW + 10 * HOUR_S), began_s=NOW)._replace(**changes)


def tick(at_s: float = NOW, *, blocked: bool = False, clock_trusted: bool = True) -> LoadTick:
    return LoadTick(at_s, None, blocked, clock_trusted)


def plan(*kw: float, valid_h: float = 1.0) -> LoadPlan:
    starts = tuple(NOW + 900.0 * k for k in range(len(kw)))
    reasons = tuple("on: cheap" if each else "off: dear" for each in kw)
    end_s = NOW + 900.0 * len(kw)
    return LoadPlan(NOW, NOW + valid_h * HOUR_S, Level.PLAN, starts, kw, reasons, end_s)


def test_a_usual_day_wants_its_energy_by_the_next_local_hour():
    assert iso(standing_wish(CAR, NOW, ZONE).by_s) == "2026-01-16T06:00:00Z"
    early = seconds("2026-01-16T06:59:00+01:00")
    assert iso(standing_wish(CAR, early, ZONE).by_s) == "2026-01-16T06:00:00Z"
    at_seven = seconds("2026-01-16T07:00:00+01:00")
    assert iso(standing_wish(CAR, at_seven, ZONE).by_s) == "2026-01-17T06:00:00Z"


@given(st.floats(0.0, 24.0), st.integers(0, 400 * 24))
def test_the_next_hour_is_always_ahead_and_within_a_day_of_any_length(by_h, hour):
    now_s = seconds("2026-01-01T00:00:00Z") + hour * HOUR_S
    ahead_s = standing_wish(replace(CAR, by_h=by_h), now_s, ZONE).by_s - now_s
    assert 0.0 < ahead_s <= DAY_S + HOUR_S + 60.0


def test_what_was_drawn_is_taken_off_what_is_wanted():
    state = mind()
    for minute in range(61):
        reading = LoadReading("car", NOW + 60.0 * minute, 11.0, ready=True)
        state = after_reading(state, CAR, reading, reading.at_s, ZONE)
    assert remaining_kwh(state, CAR, NOW + HOUR_S) == pytest.approx(9.0)


def test_a_gap_in_the_readings_counts_as_ten_minutes_at_most():
    state = after_reading(mind(), CAR, LoadReading("car", NOW, 11.0), NOW, ZONE)
    later = NOW + 5 * HOUR_S
    state = after_reading(state, CAR, LoadReading("car", later, 11.0), later, ZONE)
    assert state.got_kwh == pytest.approx(11.0 / 6.0)


def test_after_its_hour_the_next_day_begins_with_nothing_drawn():
    state = mind(got_kwh=17.0)
    state = after_reading(state, CAR, None, state.wish.by_s, ZONE)
    assert state.got_kwh == 0.0
    assert state.wish.by_s > NOW + 10 * HOUR_S
    assert state.wish.energy_kwh == 20.0


def test_the_plan_decides_slot_by_slot():
    state = mind(plan=plan(0.0, 11.0, 0.0, 0.0))
    assert not choose(state, CAR, tick()).on
    second = choose(state, CAR, tick(NOW + 900.0))
    assert (second.on, second.level, second.reason) == (True, Level.PLAN, "on: cheap")


def test_a_car_that_is_late_and_has_no_more_hours_in_the_plan_goes_on():
    state = mind(plan=plan(11.0, 0.0, 0.0, 0.0), wish=LoadWish(20.0, NOW + 2 * HOUR_S))
    late = choose(state, CAR, tick(NOW + 900.0))
    assert late.on
    assert "late" in late.reason


def test_without_a_plan_it_waits_half_an_hour_and_then_takes_what_room_there_is():
    assert not choose(mind(), CAR, tick()).on
    assert not choose(mind(), CAR, tick(NOW + 1799.0)).on
    alone = choose(mind(), CAR, tick(NOW + 1800.0))
    assert (alone.on, alone.level) == (True, Level.RULES)


def test_without_a_plan_a_car_that_would_be_late_does_not_wait():
    urgent = mind(wish=LoadWish(20.0, NOW + 3 * HOUR_S))
    assert is_late(urgent, CAR, NOW)
    assert choose(urgent, CAR, tick()).on
    assert not is_late(mind(), CAR, NOW)


def test_limits_come_before_people_and_the_tariffs_block_before_both_for_what_hangs_on_it():
    wanted = mind(boost_until_s=NOW + HOUR_S)
    assert choose(wanted, BOILER, tick()).on
    assert not choose(wanted, BOILER, tick(blocked=True)).on
    assert choose(wanted, CAR, tick(blocked=True)).on
    shed = wanted._replace(shed_until_s=NOW + 600.0, shed_why="over the import limit")
    held = choose(shed, CAR, tick())
    assert not held.on
    assert "import limit" in held.reason
    assert choose(shed, CAR, tick(NOW + 600.0)).on


def test_what_has_its_energy_rests_and_what_nobody_wants_anything_of_is_free():
    assert not choose(mind(got_kwh=20.0), CAR, tick()).on
    assert choose(mind(wish=LoadWish(0.0, NOW + HOUR_S)), CAR, tick()).on


def test_an_emergency_leaves_it_to_itself_but_limits_still_hold_it_back():
    emergency = mind(mode=HouseMode.EMERGENCY)
    choice = choose(emergency, CAR, tick())
    assert (choice.on, choice.level) == (True, Level.NATIVE)
    shed = emergency._replace(shed_until_s=NOW + 60.0)
    assert not choose(shed, CAR, tick()).on
    assert task_of(emergency, CAR, NOW) is None


def test_without_a_trusted_clock_no_hour_of_a_plan_counts():
    state = mind(plan=plan(11.0, 11.0))
    assert choose(state, CAR, tick(clock_trusted=False)).level is Level.RULES


def test_a_car_that_is_away_asks_the_planner_for_nothing():
    away = mind(reading=LoadReading("car", NOW, 0.0, ready=False))
    assert task_of(away, CAR, NOW) is None
    home = mind(reading=LoadReading("car", NOW, 0.0, ready=True))
    assert task_of(home, CAR, NOW).energy_kwh == 20.0


def test_a_boiler_that_was_not_hot_for_a_week_is_brought_to_its_heat():
    warm = LoadReading("boiler", NOW, 0.0, temp_c=45.0)
    due = mind(wish=LoadWish(1.0, NOW + 10 * HOUR_S), hot_s=NOW - 6 * DAY_S, reading=warm)
    up_kwh = 15.0 * 150.0 * 1.163e-3
    assert remaining_kwh(due, BOILER, NOW) == pytest.approx(up_kwh)
    hot = after_reading(due, BOILER, LoadReading("boiler", NOW, 0.0, temp_c=59.5), NOW, ZONE)
    assert remaining_kwh(hot, BOILER, NOW) == 1.0


def test_a_boiler_of_unknown_heat_is_taken_as_cold():
    due = mind(wish=LoadWish(1.0, NOW + 10 * HOUR_S), hot_s=NOW - 6 * DAY_S)
    assert remaining_kwh(due, BOILER, NOW) == pytest.approx(45.0 * 150.0 * 1.163e-3)


def test_runs_and_rests_last_ten_minutes_but_a_limit_does_not_wait():
    ran = mind(on=True, since_s=NOW - 300.0, got_kwh=20.0)
    assert steady(ran, CAR, choose(ran, CAR, tick()), NOW).on
    longer = ran._replace(since_s=NOW - 600.0)
    assert not steady(longer, CAR, choose(longer, CAR, tick()), NOW).on
    shed = ran._replace(shed_until_s=NOW + 60.0, shed_why="over the breaker")
    assert not steady(shed, CAR, choose(shed, CAR, tick()), NOW).on


@pytest.mark.parametrize("hours", [-0.5, 2.0])
def test_a_plan_speaks_only_of_its_own_time(hours):
    """Before it begins, and after it ended, the load goes by what room there is."""
    at_s = NOW + hours * HOUR_S
    choice = choose(mind(plan=plan(11.0, 11.0), began_s=-HOUR_S), CAR, tick(at_s))
    assert choice.level is Level.RULES
