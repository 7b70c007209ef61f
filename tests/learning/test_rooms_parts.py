"""Rivals and planned excitations."""

from __future__ import annotations

import numpy as np
import pytest

from pems_actors.domain.house import Emitter
from pems_actors.learning.rooms import rivals
from pems_actors.learning.rooms.beliefs import cold_room
from pems_actors.learning.rooms.excitation import MOST_K, excitation

FLOOR = cold_room("den", Emitter.FLOOR, 1.5)
PANEL = cold_room("bath", Emitter.PANEL, 1.0)


def test_the_last_value_is_held_over_holes() -> None:
    air = np.arange(10.0)[:, None]
    air[4] = np.nan
    assert rivals.last_value(air, [4], 3).ravel().tolist() == [3.0, 3.0, 3.0]


def test_yesterday_comes_again() -> None:
    air = np.arange(20.0)[:, None]
    assert rivals.yesterday(air, [9], 4).ravel().tolist() == [6.0, 7.0, 8.0, 9.0]


def test_an_arx_tells_what_follows_its_own_law() -> None:
    random = np.random.default_rng(0)
    outdoor = np.cumsum(random.normal(0.0, 0.3, 600))
    air = np.full((600, 1), 20.0)
    for k in range(1, 600):
        air[k] = 0.9 * air[k - 1] + 0.08 * outdoor[k - 1] + 2.0 + random.normal(0.0, 0.01)
    told = rivals.arx(air, [outdoor], 500, [520], 24)
    assert np.abs(told[0, :, 0] - air[521:545, 0]).max() < 0.1
    held = rivals.last_value(air, [520], 24)
    assert np.abs(told[0] - air[521:545]).mean() < 0.2 * np.abs(held[0] - air[521:545]).mean()


def test_an_excitation_is_small_balanced_and_the_same_by_seed() -> None:
    plans = excitation([FLOOR, PANEL], 0.0, 5.0)
    for plan in plans:
        shifts = np.array(plan.shift_k)
        assert len(shifts) == 5 * 96
        assert np.abs(shifts).max() <= MOST_K
        assert abs(shifts.mean()) < 0.01
        assert (np.diff(shifts) != 0.0).sum() >= 6
    assert plans == excitation([FLOOR, PANEL], 0.0, 5.0)
    assert plans[0].shift_k != plans[1].shift_k


def test_neighbours_are_excited_apart() -> None:
    plans = excitation([FLOOR, PANEL], 0.0, 14.0)
    one, other = (np.array(plan.shift_k) for plan in plans)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.4


def test_a_floor_is_given_hours_for_each_step() -> None:
    (plan,) = excitation([FLOOR], 0.0, 7.0)
    edges = np.flatnonzero(np.diff(plan.shift_k))
    assert np.diff(edges)[:-3].min() >= 12


def test_nobody_is_disturbed_in_forbidden_slots() -> None:
    (plan,) = excitation([FLOOR], 1000.0, 2.0, forbidden=[True] * 50)
    assert set(plan.shift_k[:50]) == {0.0}
    assert plan.at(0.0) == 0.0
    assert plan.at(1000.0 + 60 * 900.0) == plan.shift_k[60]


def test_an_excitation_that_people_would_feel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 0\.5 K"):
        excitation([FLOOR], 0.0, 3.0, most_k=0.8)
    with pytest.raises(ValueError, match="one or more"):
        excitation([FLOOR], 0.0, 0.2)
