"""A process that grows hour after hour leaks; one that took one big load, or breathes, does not."""

import random

import pytest

from supervision.leak_watch import LeakWatch, MemoryLimits
from supervision.own_memory import rss_mb

MINUTE_S, HOUR_S = 60.0, 3600.0


def watched(memory_mb, hours: float, limits: MemoryLimits | None = None) -> LeakWatch:
    """A watch that has seen `memory_mb(hour)` each minute for so long."""
    watch, noise = LeakWatch(limits or MemoryLimits(), 0.0), random.Random(1)
    for minute in range(round(hours * 60.0)):
        now_s = minute * MINUTE_S
        assert watch.is_due(now_s)
        watch.look(now_s, memory_mb(minute / 60.0) + noise.uniform(0.0, 8.0))
    return watch


@pytest.mark.parametrize("slope", [1.5, 3.0, 20.0])
def test_a_leak_is_known_after_six_hours_and_two_to_warm_up(slope):
    assert not watched(lambda h: 100.0 + slope * h, 8.9).leaks
    watch = watched(lambda h: 100.0 + slope * h, 9.1)
    assert watch.leaks
    assert watch.slope_mb_per_h == pytest.approx(slope, abs=0.5)


@pytest.mark.parametrize(
    "memory_mb",
    [
        lambda h: 100.0,
        lambda h: 100.0 + (60.0 if h > 3.5 else 0.0),  # one big load
        lambda h: 100.0 + 30.0 * (int(h) % 2),  # it breathes
        lambda h: 100.0 + 40.0 * (1.0 - 0.5**h),  # it warms up
        lambda h: 200.0 - 5.0 * h,
        lambda h: 100.0 + 0.4 * h,
    ],
)
def test_what_is_no_leak_is_never_called_one(memory_mb):
    for hours in range(1, 15):
        assert not watched(memory_mb, float(hours)).leaks


def test_a_leak_that_is_over_is_called_one_no_longer():
    assert not watched(lambda h: 100.0 + 5.0 * min(h, 8.0), 16.0).leaks


def test_too_much_is_too_much_once_it_has_lived_long_enough():
    limits = MemoryLimits(restart_mb=300.0)
    assert not watched(lambda h: 500.0, 0.5, limits).is_too_much(0.5 * HOUR_S)
    assert watched(lambda h: 500.0, 1.1, limits).is_too_much(1.1 * HOUR_S)
    assert not watched(lambda h: 200.0, 1.1, limits).is_too_much(1.1 * HOUR_S)


def test_where_the_system_does_not_tell_nobody_is_blamed():
    watch = LeakWatch(MemoryLimits(), 0.0)
    for hour in range(20):
        watch.look(hour * HOUR_S, None)
    assert not watch.leaks
    assert not watch.is_too_much(20 * HOUR_S)


def test_it_looks_once_a_minute():
    watch = LeakWatch(MemoryLimits(), 0.0)
    watch.look(0.0, 100.0)
    assert not watch.is_due(59.0)
    assert watch.is_due(60.0)


def test_our_own_memory_is_known():
    held_mb = rss_mb()
    assert held_mb is not None
    assert held_mb > 5.0
