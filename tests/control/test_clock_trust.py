"""When a clock may be trusted: never before what is on record, and never just after it was set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.clock_trust import NOTED_S, ClockTrust
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from supervision.clock import ClockJump, ClockLook, jump_between, slept_s

FLOOR_S = seconds("2023-01-01T00:00:00Z")
NOW_S = seconds("2026-01-15T12:00:00Z")
NEVER = float("-inf")


def running(now_s: float = NOW_S) -> ClockTrust:
    return ClockTrust.at_boot(now_s, 0.0, FLOOR_S, now_s - 5.0)


def test_a_clock_after_the_newest_record_is_trusted_from_boot() -> None:
    assert running().trusted


def test_a_clock_without_a_battery_is_not_trusted() -> None:
    clock = ClockTrust.at_boot(0.0, 0.0, FLOOR_S, NEVER)
    assert not clock.trusted
    assert "2023-01-01" in clock.reason
    assert not clock.looked(DAY_S, DAY_S).looked(3 * DAY_S, 3 * DAY_S).trusted


def test_a_clock_behind_the_last_snapshot_is_not_trusted_until_it_is_beyond_it() -> None:
    clock = ClockTrust.at_boot(NOW_S, 0.0, FLOOR_S, NOW_S + HOUR_S)
    assert not clock.trusted
    assert not clock.looked(NOW_S + 1800.0, 1800.0).trusted
    assert clock.looked(NOW_S + HOUR_S, HOUR_S).trusted


def test_a_record_from_the_future_is_disbelieved_after_a_steady_day() -> None:
    clock = ClockTrust.at_boot(NOW_S, 0.0, FLOOR_S, NOW_S + 3650 * DAY_S)
    assert not clock.looked(NOW_S + 0.9 * DAY_S, 0.9 * DAY_S).trusted
    assert clock.looked(NOW_S + DAY_S, DAY_S).trusted


def test_a_clock_that_is_set_right_at_last_is_trusted_at_once() -> None:
    clock = ClockTrust.at_boot(0.0, 0.0, FLOOR_S, NOW_S - HOUR_S)
    assert clock.jumped(NOW_S, NOW_S, 60.0).trusted


def test_a_few_seconds_are_no_matter() -> None:
    assert running().jumped(-30.0, NOW_S - 30.0, 60.0).trusted
    assert running().jumped(30.0, NOW_S + 30.0, 60.0).trusted


def test_an_hour_ahead_is_believed() -> None:
    assert running().jumped(HOUR_S, NOW_S + HOUR_S, 60.0).trusted


def test_an_hour_back_is_not_trusted_until_it_is_made_good_or_has_gone_steadily() -> None:
    clock = running().jumped(-HOUR_S, NOW_S - HOUR_S, 60.0)
    assert not clock.trusted
    assert "set back by 60 min" in clock.reason
    assert clock.looked(NOW_S - 30.0, 70.0).trusted
    assert not clock.looked(NOW_S - 1800.0, 1860.0).trusted
    assert clock.looked(NOW_S - 600.0, 60.0 + HOUR_S).trusted


def test_a_leap_of_years_is_not_trusted_and_coming_back_is() -> None:
    leapt = running().jumped(10 * 365 * DAY_S, NOW_S + 10 * 365 * DAY_S, 60.0)
    assert not leapt.trusted
    assert "3650 days" in leapt.reason
    assert leapt.jumped(-10 * 365 * DAY_S, NOW_S + 60.0, 120.0).trusted


@given(
    st.lists(st.tuples(st.floats(-1e8, 1e8), st.floats(1.0, 7200.0)), max_size=20),
    st.floats(-1e9, 1e9),
)
def test_no_story_of_jumps_makes_a_clock_before_the_floor_trusted(
    story: list[tuple[float, float]], start_s: float
) -> None:
    now_s, steady_s = FLOOR_S + start_s, 0.0
    clock = ClockTrust.at_boot(now_s, steady_s, FLOOR_S, NEVER)
    for by_s, passed_s in story:
        now_s, steady_s = now_s + by_s + passed_s, steady_s + passed_s
        clock = clock.jumped(by_s, now_s, steady_s)
        assert not (clock.trusted and now_s < FLOOR_S)
        assert clock.trusted or clock.reason
    later_s = max(now_s, FLOOR_S) + 2 * DAY_S
    assert clock.looked(later_s, steady_s + 2 * DAY_S).trusted  # it never doubts for ever


def look(house_s: float, steady_s: float, slept_s: float = 0.0) -> ClockLook:
    return ClockLook(NOW_S + house_s, steady_s, slept_s)


def test_clocks_that_go_alike_have_not_jumped() -> None:
    assert jump_between(look(0.0, 0.0), look(3600.0, 3600.9), NOTED_S) is None


def test_a_clock_that_was_set_has_jumped_by_what_time_does_not_explain() -> None:
    assert jump_between(look(0.0, 0.0), look(3660.0, 60.0), NOTED_S) == ClockJump(HOUR_S)
    assert jump_between(look(0.0, 0.0), look(-3540.0, 60.0), NOTED_S) == ClockJump(-HOUR_S)


def test_a_machine_that_slept_has_a_right_clock() -> None:
    jump = jump_between(look(0.0, 0.0), look(7260.0, 60.0, 7200.0), NOTED_S)
    assert jump == ClockJump(0.0, 7200.0)


def test_a_clock_that_stood_still_with_the_machine_has_not_jumped() -> None:
    assert jump_between(look(0.0, 0.0), look(60.0, 60.0, 7200.0), NOTED_S) is None


def test_time_asleep_is_never_negative_and_hardly_moves_while_awake() -> None:
    before, after = slept_s(), slept_s()
    assert before >= -1.0
    assert abs(after - before) < 1.0


def test_a_clock_that_was_doubted_before_a_restart_is_doubted_after_it() -> None:
    doubted = ClockTrust.at_boot(NOW_S, 0.0, FLOOR_S, NOW_S + 3650 * DAY_S)
    again = doubted.resumed(NOW_S + 60.0, 5.0)
    assert not again.trusted
    assert "newest record" in again.reason


def test_the_steady_day_of_a_doubt_ends_though_the_machine_was_started_anew() -> None:
    """The steady clock begins at 0 with each start of the machine."""
    doubted = ClockTrust.at_boot(NOW_S, 40 * DAY_S, FLOOR_S, NOW_S + 3650 * DAY_S)
    again = doubted.resumed(NOW_S + 60.0, 5.0)
    assert not again.trusted
    assert again.looked(NOW_S + 1.1 * DAY_S, 1.1 * DAY_S).trusted
