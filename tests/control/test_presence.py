"""Is anybody home: an absence counts after half an hour, and a person's own mode is left alone."""

from __future__ import annotations

import pytest

from pems_actors.control.presence import LEFT_AFTER_S, Presence
from pems_actors.domain.events import HouseMode

NOW_S = 1000.0
NORMAL, EMPTY = HouseMode.NORMAL, HouseMode.ECONOMY


def gone(since_s: float = NOW_S) -> Presence:
    return Presence().heard(False, since_s)


def test_nobody_knows_anything_before_the_input_speaks() -> None:
    assert Presence().left_s() is None
    assert Presence().wants(NORMAL, NOW_S + 1e9) is None


def test_an_absence_counts_after_half_an_hour_and_not_before() -> None:
    assert gone().wants(NORMAL, NOW_S + LEFT_AFTER_S - 1.0) is None
    assert gone().wants(NORMAL, NOW_S + LEFT_AFTER_S) is EMPTY


def test_an_input_that_says_the_same_again_does_not_begin_anew() -> None:
    again = gone().heard(False, NOW_S + 900.0)
    assert again.left_s() == NOW_S + LEFT_AFTER_S


def test_somebody_who_looks_in_begins_the_time_anew() -> None:
    back = gone().heard(True, NOW_S + 600.0).heard(False, NOW_S + 700.0)
    assert back.left_s() == NOW_S + 700.0 + LEFT_AFTER_S


@pytest.mark.parametrize("chosen", [HouseMode.AWAY, HouseMode.COMFORT, HouseMode.EMERGENCY])
def test_a_mode_that_a_person_chose_stays(chosen) -> None:
    assert gone().wants(chosen, NOW_S + 1e6) is None
    assert gone().heard(True, NOW_S + 1e6).wants(chosen, NOW_S + 1e6) is None


def test_only_what_presence_began_is_ended_by_it() -> None:
    home = Presence(home=True, since_s=NOW_S)
    assert home.wants(EMPTY, NOW_S) is None
    assert Presence(home=True, since_s=NOW_S, ours=True).wants(EMPTY, NOW_S) is NORMAL
