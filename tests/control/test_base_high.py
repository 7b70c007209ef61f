"""A start is judged beside what the base load was lately, not by a reading that is just low."""

import pytest

from pems_actors.control.base_high import FRESH_S, NONE, REMEMBERS_S, BaseHigh
from pems_actors.control.limits import Headroom


def heard(*base_kw: float, every_s: float = 60.0) -> BaseHigh:
    """Readings of the first phase; the second draws half of it, the third nothing."""
    high = BaseHigh()
    for k, kw in enumerate(base_kw):
        high = high.heard((kw, kw / 2.0, 0.0), k * every_s)
    return high


def test_after_a_dip_the_base_load_is_expected_back():
    assert heard(1.2, 1.3, 1.4, 0.6).rise_kw(180.0) == pytest.approx((0.7, 0.35, 0.0))


def test_a_single_high_reading_does_not_count():
    assert heard(1.0, 4.0, 1.0, 1.0).rise_kw(180.0) == NONE


def test_a_high_is_forgotten_after_five_minutes():
    assert heard(2.0, 2.0, *(0.5,) * 4).rise_kw(300.0) == NONE
    assert heard(2.0, 2.0, *(0.5,) * 3).rise_kw(240.0)[0] == pytest.approx(1.5)
    assert len(heard(*(1.0,) * 100).readings) == REMEMBERS_S / 60.0


def test_without_readings_nothing_is_expected():
    assert BaseHigh().rise_kw(0.0) == NONE
    assert heard(2.0).rise_kw(0.0) == NONE
    assert heard(2.0, 2.0, 1.0).rise_kw(120.0 + FRESH_S + 1.0) == NONE


def test_a_base_load_that_is_not_known_or_is_told_twice_changes_nothing():
    high = heard(1.0, 2.0)
    assert high.heard(None, 120.0) is high
    assert high.heard((9.0, 9.0, 9.0), 60.0) is high


def test_what_may_be_drawn_beside_is_no_heating():
    room = Headroom((2.0, 2.0, 2.0), 6.0, 5.0).beside((0.5, 0.25, 0.0))
    assert room == Headroom((1.5, 1.75, 2.0), 5.25, 5.0)
