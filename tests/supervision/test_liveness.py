"""Who is blamed for not getting on, and who is not."""

from hypothesis import given
from hypothesis import strategies as st

from supervision.liveness import (
    Forget,
    Hung,
    LookAgain,
    WatcherLate,
    is_slow,
    judge,
    slow_streak,
    tolerance_s,
)

stretches = st.floats(0.001, 1e6)


@given(stretches, stretches, stretches)
def test_nobody_is_blamed_who_is_not_busy(now_s, due_s, deadline_s):
    assert judge(now_s, due_s, None, deadline_s) == Forget()


@given(st.floats(0.01, 100.0), st.floats(0.0, 300.0), st.floats(0.0, 300.0))
def test_the_judgement_depends_on_progress_and_on_the_watch_itself(deadline_s, busy_s, late_s):
    finding = judge(1000.0, 1000.0 - late_s, 1000.0 - busy_s, deadline_s)
    match finding:
        case LookAgain(delay_s):
            assert busy_s < deadline_s
            assert delay_s > 0.0
        case WatcherLate(_, delay_s):
            assert late_s > tolerance_s(deadline_s)
            assert delay_s == deadline_s
        case Hung():
            assert busy_s >= deadline_s - 0.01
            assert late_s <= tolerance_s(deadline_s) + 1e-6
        case _:
            raise AssertionError(finding)


def test_a_wait_too_short_for_the_clock_is_not_waited():
    assert isinstance(judge(1.7e9 + 2.0, 1.7e9 + 2.0, 1.7e9 + 1e-6, 2.0), Hung)


def test_three_slow_messages_make_an_actor_slow_and_three_quick_ones_mend_it():
    streak, seen = 0, []
    for took_s in (0.6, 0.6, 0.6, 0.6, 0.1, 0.1, 0.1):
        streak = slow_streak(streak, took_s, 2.0)
        seen.append(is_slow(streak))
    assert seen == [False, False, True, True, True, False, False]
    assert slow_streak(0, 100.0, None) == 0


@given(st.lists(st.booleans(), max_size=50))
def test_slowness_is_mended_after_a_few_quick_messages_whatever_came_before(history):
    streak = 0
    for slow in history:
        streak = slow_streak(streak, 1.9 if slow else 0.0, 2.0)
    for _ in range(6):
        streak = slow_streak(streak, 0.0, 2.0)
    assert not is_slow(streak)
