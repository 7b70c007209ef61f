"""What a room's word is worth: as much as its model, and a bad hour does not make itself usual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.estimation.model_fit import BEYOND, FIRST_K, ModelFit

ALL = np.array([True])
STRIDE_S = 300.0


def after(fit: ModelFit, off_k: float, for_s: float, counts: bool = True) -> ModelFit:
    for _ in range(round(for_s / STRIDE_S)):
        fit = fit.seen(np.array([off_k]), np.array([counts]), STRIDE_S)
    return fit


def test_of_a_new_house_little_is_believed() -> None:
    assert ModelFit.unknown(3).tells_k == pytest.approx([BEYOND * FIRST_K] * 3)


def test_a_night_near_its_model_makes_a_room_a_good_witness() -> None:
    night = after(ModelFit.unknown(1), 0.08, 12 * HOUR_S)
    assert night.off_k[0] < 0.25
    week = after(night, 0.08, 7 * DAY_S)
    assert week.off_k[0] == pytest.approx(0.08, abs=0.02)


def test_a_room_that_is_often_off_its_model_bears_no_witness_by_the_same() -> None:
    poor = after(ModelFit.unknown(1), 0.7, 3 * DAY_S)
    assert poor.tells_k[0] > 0.7 * 3.0


def test_an_hour_of_a_dead_relay_does_not_make_itself_usual() -> None:
    good = after(ModelFit.unknown(1), 0.1, 3 * DAY_S)
    assert after(good, -4.0, HOUR_S).tells_k[0] < 0.8


def test_what_does_not_count_teaches_nothing() -> None:
    fit = ModelFit.unknown(1)
    told = fit.seen(np.array([np.nan]), ~ALL, STRIDE_S)
    assert told.off_k2[0] == fit.off_k2[0]


@given(st.lists(st.floats(-50.0, 50.0), max_size=40), st.floats(1.0, 1e5))
def test_it_stays_finite_and_never_below_nothing(offs, passed_s) -> None:
    fit = ModelFit.unknown(1)
    for off_k in offs:
        fit = fit.seen(np.array([off_k]), ALL, passed_s)
    assert 0.0 <= fit.off_k2[0] < np.inf
