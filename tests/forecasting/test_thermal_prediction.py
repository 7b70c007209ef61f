"""The thermal predictor warns of frost in time and keeps an honest score of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.domain.house import Emitter, HouseModel, Relay
from pems_actors.domain.plan import HouseState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.forecasting.thermal import RoomsForecast, ThermalPredictor, ThermalScore
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

START_S = 1_768_435_200.0
LIVING, BATH = "living", "bath"
MODEL = HouseModel(
    (
        room_model(LIVING, Emitter.FLOOR, 3.0, 90.0),
        room_model(BATH, Emitter.FLOOR, 0.6, 20.0),
    ),
    ((LIVING, BATH, 0.01),),
)
RELAYS = (
    Relay(LIVING, 3.0, 3.0, ((LIVING, 1.0),)),
    Relay(BATH, 0.6, 0.6, ((BATH, 1.0),)),
)
DYNAMICS = HouseDynamics(MODEL)
PREDICTOR = ThermalPredictor(DYNAMICS, RELAYS)


def state(air_c: float, outdoor_c: float = 0.0, **disturbance_kw: float) -> HouseState:
    temps = DYNAMICS.steady_temps(np.full(2, air_c), outdoor_c)
    return HouseState(
        START_S,
        DYNAMICS.unpack(temps),
        {},
        0.5,
        disturbance_kw=disturbance_kw,
        outdoor_c=outdoor_c,
    )


def test_a_heated_house_cools_slowly_when_left_to_itself() -> None:
    coldest = PREDICTOR.coldest_c(state(21.0), (0.0,) * 12)
    assert all(18.5 < c < 21.0 for c in coldest.values())


def test_a_deep_frost_is_foreseen_before_it_is_in_the_room() -> None:
    cold = state(8.6, 5.0)
    mild = PREDICTOR.coldest_c(cold, (5.0,) * 12)[LIVING]
    frosty = PREDICTOR.coldest_c(cold, (-20.0,) * 12)[LIVING]
    assert frosty < 8.0 < mild


def test_the_warning_never_counts_on_sun_or_people() -> None:
    alone = PREDICTOR.coldest_c(state(15.0), (0.0,))
    with_people = PREDICTOR.coldest_c(state(15.0, living=0.5), (0.0,))
    with_open_window = PREDICTOR.coldest_c(state(15.0, living=-0.5), (0.0,))
    assert with_people == alone
    assert with_open_window[LIVING] < alone[LIVING] - 0.3


def test_unknown_outdoors_are_taken_as_the_estimator_believes_else_as_frost() -> None:
    known = replace(state(10.0), outdoor_c=-5.0)
    nobody_knows = replace(known, outdoor_c=None)
    assert PREDICTOR.coldest_c(known, ()) == PREDICTOR.coldest_c(known, (-5.0,))
    assert PREDICTOR.coldest_c(nobody_knows, ())[BATH] < PREDICTOR.coldest_c(known, ())[BATH]


def predicted(heat_kw: dict[str, float], **disturbance_kw: float) -> RoomsForecast:
    grid = TimeGrid.uniform(START_S, 24, HOUR_S)
    zeros = (0.0,) * 24
    return PREDICTOR.under(state(20.0, **disturbance_kw), grid, [heat_kw] * 24, zeros, zeros)


def test_a_heated_room_gets_warmer_than_an_unheated_one() -> None:
    off, on = predicted({}), predicted({LIVING: 3.0})
    assert on.air_c[LIVING][-1] > off.air_c[LIVING][-1] + 1.0
    assert 0.0 < on.air_c[BATH][-1] - off.air_c[BATH][-1] < 1.0  # through the wall


def test_the_heat_that_holds_a_room_holds_it() -> None:
    hold = DYNAMICS.steady_heat(np.full(2, 20.0), 0.0)
    told = predicted({LIVING: float(hold[0]), BATH: float(hold[1])})
    assert told.air_c[LIVING] == pytest.approx((20.0,) * 24, abs=1e-6)
    assert told.air_c[BATH] == pytest.approx((20.0,) * 24, abs=1e-6)


def test_a_disturbance_lasts_through_the_prediction() -> None:
    plain, draughty = predicted({}), predicted({}, bath=-0.1)
    assert draughty.air_c[BATH][-1] < plain.air_c[BATH][-1] - 1.0


def test_a_prediction_tells_instants_between_its_slots_and_none_outside() -> None:
    told = predicted({})
    between = told.at(LIVING, START_S + 0.5 * HOUR_S)
    assert between == pytest.approx((20.0 + told.air_c[LIVING][0]) / 2.0)
    assert told.at(LIVING, START_S - 1.0) is None
    assert told.at("attic", START_S) is None


def test_a_perfect_prediction_scores_zero_and_a_wrong_one_its_error() -> None:
    told = predicted({})
    score = ThermalScore().begin(told)
    for k in range(24):
        at_s = told.grid.edges_s[k + 1]
        heard = {LIVING: told.air_c[LIVING][k], BATH: told.air_c[BATH][k] + 0.5}
        score = score.measured(at_s, heard)
    done = score.begin(told)
    assert done.rmse_k == pytest.approx({LIVING: 0.0, BATH: 0.5})


def test_before_the_first_prediction_there_is_nothing_to_judge() -> None:
    assert ThermalScore().measured(START_S, {LIVING: 20.0}) == ThermalScore()


def test_missing_readings_are_no_errors() -> None:
    score = ThermalScore().begin(predicted({}))
    score = score.measured(START_S + HOUR_S, {LIVING: None, BATH: float("nan")})
    assert score.running_k() == {}


def test_a_prediction_that_nobody_could_judge_keeps_the_older_figure() -> None:
    told = predicted({})
    judged = ThermalScore().begin(told).measured(START_S, {LIVING: 20.3}).begin(told)
    assert judged.begin(told).rmse_k == judged.rmse_k == pytest.approx({LIVING: 0.3})
