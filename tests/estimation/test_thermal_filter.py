"""The filter finds what nobody measures, carries silent rooms, and cannot be poisoned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.domain.plan import HouseState
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.estimation.riccati import steady_gain
from pems_actors.estimation.thermal_filter import FilterState, ThermalFilter
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

NAMES = ("living", "bath", "hall")
MODEL = HouseModel(
    (
        room_model("living", Emitter.FLOOR, 3.0, 90.0),
        room_model("bath", Emitter.FLOOR, 0.6, 20.0),
        room_model("hall", Emitter.PANEL, 0.8, 30.0),
    ),
    (("hall", "living", 0.01), ("hall", "bath", 0.01)),
)
DYNAMICS = HouseDynamics(MODEL)
FILTER = ThermalFilter(DYNAMICS)
NO_HEAT = np.zeros(3)
START_S = 1_768_435_200.0


def air_of(temps_c: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, temps_c[3:6].tolist(), strict=True))


def follow(
    truth_c: np.ndarray,
    hours: float,
    heat_kw: np.ndarray = NO_HEAT,
    rest_kw: np.ndarray = NO_HEAT,
    silent: str = "",
    dt_s: float = 60.0,
) -> tuple[FilterState, np.ndarray]:
    """Run house and filter side by side at 0 °C outdoors; the filter sees only air."""
    state = FILTER.initial(air_of(truth_c), 0.0, START_S)
    for k in range(round(hours * HOUR_S / dt_s)):
        truth_c = DYNAMICS.step(truth_c, heat_kw, 0.0, 0.0, dt_s, rest_kw)
        heard: dict[str, float | None] = {**air_of(truth_c)}
        heard.pop(silent, None)
        state = FILTER.update(state, START_S + (k + 1) * dt_s, heard, heat_kw, 0.0, 0.0)
    return state, truth_c


def steady(air_c: float) -> np.ndarray:
    return DYNAMICS.steady_temps(np.full(3, air_c), 0.0)


def test_it_begins_with_rooms_held_steadily_at_what_they_say() -> None:
    state = FILTER.initial({"living": 21.0, "bath": 21.0, "hall": 21.0}, 0.0, START_S)
    assert state.temps_c == pytest.approx(steady(21.0))
    assert (state.disturbance_kw == 0.0).all()


def test_a_room_that_says_nothing_at_first_is_taken_like_the_others() -> None:
    state = FILTER.initial({"living": 20.0, "bath": None, "hall": 22.0}, 0.0, START_S)
    assert state.temps_c[4] == pytest.approx(21.0, abs=0.2)


def test_a_house_that_says_nothing_at_all_is_taken_as_lived_in() -> None:
    state = FILTER.initial({}, float("nan"), START_S)
    assert np.isfinite(state.temps_c).all()
    assert 12.0 < state.temps_c[3] < 24.0


def test_hidden_screed_and_structure_are_found_within_a_day() -> None:
    truth = steady(20.0)
    truth[[0, 1]] += 3.0  # floors were just heated
    truth[6:] -= 2.0  # walls are still cold
    state, truth = follow(truth, 24.0)
    assert state.temps_c == pytest.approx(truth, abs=0.35)


def test_an_unknown_heat_source_becomes_a_disturbance() -> None:
    people_kw = np.array([0.15, 0.0, 0.0])
    state, _ = follow(steady(20.0), 72.0, rest_kw=people_kw)
    assert state.disturbance_kw[0] == pytest.approx(0.15, abs=0.04)
    assert abs(state.disturbance_kw[1]) < 0.03


def test_a_silent_room_is_predicted_with_the_heat_it_gets() -> None:
    heat = np.array([2.0, 0.5, 0.3])
    state, truth = follow(steady(19.0), 12.0, heat_kw=heat, silent="bath")
    assert state.temps_c[4] == pytest.approx(truth[4], abs=0.3)
    assert state.surprise_k[1] == 0.0


def test_a_jittering_tick_gives_the_same_belief_as_an_even_one() -> None:
    even = odd = FILTER.initial({}, 0.0, START_S)
    heard = {"living": 21.0, "bath": 22.0, "hall": 20.0}
    for k in range(1, 61):
        even = FILTER.update(even, START_S + 60.0 * k, heard, NO_HEAT, 0.0, 0.0)
        late_s = 3.0 if k % 2 else 0.0
        odd = FILTER.update(odd, START_S + 60.0 * k + late_s, heard, NO_HEAT, 0.0, 0.0)
    assert odd.at_s == even.at_s
    assert odd.temps_c == pytest.approx(even.temps_c, abs=1e-9)


def test_one_long_step_predicts_like_many_short_ones() -> None:
    start = FILTER.initial({}, 0.0, START_S)
    once = FILTER.update(start, START_S + 3 * HOUR_S, {}, NO_HEAT, -5.0, 100.0)
    often = start
    for k in range(1, 181):
        often = FILTER.update(often, START_S + 60.0 * k, {}, NO_HEAT, -5.0, 100.0)
    assert once.temps_c == pytest.approx(often.temps_c, abs=1e-6)


def test_less_than_a_grain_of_time_changes_nothing() -> None:
    start = FILTER.initial({}, 0.0, START_S)
    assert FILTER.update(start, START_S + 9.0, {}, NO_HEAT, 0.0, 0.0) is start


@pytest.mark.parametrize("gap_s", [-HOUR_S, 3 * DAY_S])
def test_after_a_clock_jump_or_a_long_gap_it_begins_anew(gap_s: float) -> None:
    start, _ = follow(steady(25.0), 1.0)
    now_s = start.at_s + gap_s
    state = FILTER.update(start, now_s, dict.fromkeys(NAMES, 15.0), NO_HEAT, 0.0, 0.0)
    assert state.at_s == now_s
    assert state.temps_c[3:6] == pytest.approx([15.0] * 3, abs=0.01)


def test_one_wild_reading_moves_the_belief_by_little() -> None:
    state, truth = follow(steady(20.0), 6.0)
    heard = {**air_of(truth), "living": 45.0}
    after = FILTER.update(state, state.at_s + 60.0, heard, NO_HEAT, 0.0, 0.0)
    assert after.temps_c[3] - state.temps_c[3] < 0.15


def test_unknown_outdoors_keep_the_last_known() -> None:
    state = FILTER.initial({}, -7.0, START_S)
    for unknown in (None, float("nan"), float("inf")):
        after = FILTER.update(state, START_S + 60.0, {}, NO_HEAT, unknown, unknown)
        assert after.outdoor_c == -7.0


def test_a_kept_belief_is_resumed() -> None:
    state, _ = follow(steady(20.0), 6.0, rest_kw=np.array([0.1, 0.0, 0.0]))
    rest = dict(zip(NAMES, state.disturbance_kw.tolist(), strict=True))
    kept = HouseState(
        state.at_s, DYNAMICS.unpack(state.temps_c), {}, 0.5, disturbance_kw=rest, outdoor_c=0.0
    )
    resumed = FILTER.resumed(kept)
    assert resumed.temps_c == pytest.approx(state.temps_c)
    assert resumed.disturbance_kw == pytest.approx(state.disturbance_kw)


@pytest.mark.parametrize("dt_s", [10.0, 60.0, 900.0])
def test_the_whole_filter_is_stable_though_gains_are_per_room(dt_s: float) -> None:
    step = FILTER._step(dt_s)
    gain = np.zeros((12, 3))
    for room in range(3):
        gain[room::3, room] = step.gain[:, room]
    sees = np.zeros((3, 12))
    sees[:, 3:6] = np.eye(3)
    error = (np.eye(12) - gain @ sees) @ step.matrix[:, :12]
    per_hour = np.abs(np.linalg.eigvals(error)).max() ** (HOUR_S / dt_s)
    assert per_hour < 0.95


def test_the_steady_gain_solves_the_riccati_equation() -> None:
    a = np.array([[[0.9, 0.1], [0.0, 0.8]]])
    noise = np.array([[[0.02, 0.0], [0.0, 0.01]]])
    gain = steady_gain(a, noise, observed=0, sensor_variance=0.5)[0]
    covariance = noise[0]
    for _ in range(2000):  # the plain recursion, as slow as it is sure
        kalman = covariance[:, 0] / (covariance[0, 0] + 0.5)
        corrected = covariance - np.outer(kalman, covariance[0])
        covariance = a[0] @ corrected @ a[0].T + noise[0]
    assert gain == pytest.approx(covariance[:, 0] / (covariance[0, 0] + 0.5))


anything = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(
    st.lists(
        st.tuples(
            st.floats(-2 * HOUR_S, DAY_S),
            st.lists(anything, min_size=3, max_size=3),
            st.lists(st.booleans(), min_size=3, max_size=3),
            anything,
            anything,
        ),
        max_size=15,
    )
)
def test_no_sequence_of_readings_makes_the_belief_absurd(
    story: list[tuple[float, list[float | None], list[bool], float | None, float | None]],
) -> None:
    state, now_s = FILTER.initial({}, 0.0, START_S), START_S
    for passed_s, air, on, outdoor_c, ghi in story:
        now_s += passed_s
        heard = dict(zip(NAMES, air, strict=True))
        heat = np.array([3.0, 0.6, 0.8]) * on
        state = FILTER.update(state, now_s, heard, heat, outdoor_c, ghi)
        assert ((state.temps_c >= -40.0) & (state.temps_c <= 90.0)).all()
        assert np.isfinite(state.disturbance_kw).all()
        assert np.abs(state.disturbance_kw).max() < 3.0


def test_a_fresh_belief_learns_within_hours_what_a_room_loses_beside_the_paper() -> None:
    draught_kw = np.array([-0.2, 0.0, 0.0])
    state, _ = follow(steady(20.0), 6.0, rest_kw=draught_kw)
    assert state.disturbance_kw[0] == pytest.approx(-0.2, abs=0.06)


def test_doubt_settles_where_a_room_speaks_and_grows_where_it_is_silent() -> None:
    first = FILTER.initial(dict.fromkeys(NAMES, 20.0), 0.0, START_S).doubt
    after = follow(steady(20.0), 12.0, silent="bath")[0].doubt
    assert (np.linalg.eigvalsh(after) > 0.0).all()
    assert after[0, 1, 1] < 0.5 * first[0, 1, 1]
    assert after[1, 1, 1] > 4.0 * first[1, 1, 1]


def test_a_belief_that_has_become_nonsense_begins_anew_from_what_is_read() -> None:
    heard: dict[str, float | None] = {"living": 21.0, "bath": 22.0, "hall": 20.0}
    state = FILTER.initial(heard, 0.0, START_S)
    unknown_kw = np.array([0.0, np.nan, 0.0])
    again = FILTER.update(state, START_S + 600.0, heard, unknown_kw, 0.0, 0.0)
    assert np.isfinite(again.temps_c).all()
    assert again.temps_c[3:6] == pytest.approx([21.0, 22.0, 20.0], abs=0.1)
