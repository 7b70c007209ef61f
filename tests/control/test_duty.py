from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.duty import (
    Modulator,
    before_blocks,
    corrected_duty,
    loss_kw_k,
    losses,
    steady_duty,
    unknown_duty,
)
from pems_actors.domain.house import Emitter, HouseModel, RoomModel

ROOM = RoomModel("bath", Emitter.FLOOR, 1.0, 0.5, 2.0, 0.3, 0.4, 0.01, 0.04)


def test_the_loss_of_a_room_is_its_direct_loss_and_the_way_through_its_structure():
    assert loss_kw_k(ROOM) == pytest.approx(0.01 + 0.4 * 0.04 / 0.44)
    assert losses(HouseModel((ROOM,))) == {"bath": loss_kw_k(ROOM)}


def test_a_room_without_structure_loses_only_directly():
    thin = RoomModel("x", Emitter.PANEL, 0.01, 0.5, 2.0, 0.3, 0.0, 0.02, 0.0)
    assert loss_kw_k(thin) == 0.02


def test_the_steady_duty_holds_a_temperature_against_the_outdoors():
    assert steady_duty(0.05, 21.0, -9.0, 0.0, 3.0) == pytest.approx(0.5)
    assert steady_duty(0.05, 21.0, -9.0, 0.6, 3.0) == pytest.approx(0.3)


def test_no_heat_is_wanted_in_summer_and_none_without_a_heater():
    assert steady_duty(0.05, 21.0, 25.0, 0.0, 3.0) == 0.0
    assert steady_duty(0.05, 21.0, -20.0, 0.0, 0.0) == 0.0


def test_an_unknown_room_is_never_heated_fully_and_never_left_cold():
    assert unknown_duty(1.0, -20.0) == 0.7
    assert unknown_duty(0.0, 5.0) == 0.1
    assert unknown_duty(0.0, 15.0) == 0.0


def test_a_cold_room_asks_for_more_and_a_warm_one_for_less():
    assert corrected_duty(0.4, 0.5, 0.6) == pytest.approx(0.7)
    assert corrected_duty(0.4, -1.0, 0.6) == 0.0


def test_coming_blocks_are_paid_for_before_they_come():
    assert before_blocks(0.4, 0.5) == pytest.approx(0.8)
    assert before_blocks(0.4, 0.0) == 1.0


def _run(duty: float, steps: int, dt_s: float = 60.0) -> list[bool]:
    modulator, states = Modulator(), []
    for _ in range(steps):
        modulator = modulator.step(duty, dt_s, modulator.on)
        states.append(modulator.on)
    return states


@given(duty=st.floats(0.05, 0.95))
def test_the_modulator_gives_the_wanted_share_of_time(duty: float):
    states = _run(duty, 24 * 60)
    assert sum(states) / len(states) == pytest.approx(duty, abs=0.03)


@given(duty=st.floats(0.03, 0.97))
def test_every_on_and_every_off_lasts_ten_minutes(duty: float):
    states = _run(duty, 24 * 60)
    flips = [k for k in range(1, len(states)) if states[k] != states[k - 1]]
    assert all(b - a >= 10 for a, b in pairwise(flips))


def test_nothing_and_everything_are_not_modulated():
    assert not any(_run(0.0, 100))
    assert all(_run(1.0, 100))


def test_withheld_heat_is_owed_but_at_most_half_an_hour():
    modulator = Modulator()
    for _ in range(300):
        modulator = modulator.step(0.9, 60.0, was_on=False)
    assert modulator.owed_s == 1800.0
    assert modulator.on
