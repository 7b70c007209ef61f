"""A sensor is believed by its own timer, which starts at boot; nonsense is never believed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.readings import Quality
from pems_actors.domain.units import HOUR_S
from pems_actors.estimation.freshness import (
    OUTDOOR_C,
    POWER_KW,
    ROOM_C,
    SOC_FRAC,
    FreshValue,
    Refusal,
)

BOOT_S = 1000.0


def heard(*readings: object, every_s: float = 60.0) -> tuple[FreshValue, float]:
    value, now_s = FreshValue(ROOM_C, BOOT_S), BOOT_S
    for reading in readings:
        now_s += every_s
        value = value.heard(reading, now_s, now_s)
    return value, now_s


def test_a_plausible_reading_is_good() -> None:
    value, now_s = heard(20.0)
    assert (value.value, value.quality(now_s)) == (20.0, Quality.GOOD)
    assert value.good(now_s) == 20.0


def test_a_sensor_that_was_never_heard_is_missing_after_three_periods() -> None:
    value = FreshValue(ROOM_C, BOOT_S)
    assert value.quality(BOOT_S + 180.0) is Quality.ESTIMATED
    assert value.quality(BOOT_S + 181.0) is Quality.MISSING
    assert value.good(BOOT_S + 181.0) is None
    assert value.age_s(BOOT_S + 181.0) == 181.0


def test_silence_is_estimated_for_two_hours_and_then_stale() -> None:
    value, now_s = heard(20.0, None, None)
    last_s = BOOT_S + 60.0
    assert value.heard_s == last_s
    assert value.quality(now_s) is Quality.GOOD
    assert value.quality(last_s + 181.0) is Quality.ESTIMATED
    assert value.quality(last_s + 2 * HOUR_S) is Quality.ESTIMATED
    assert value.quality(last_s + 2 * HOUR_S + 1.0) is Quality.STALE


def test_the_same_old_reading_repeated_does_not_stay_fresh() -> None:
    value = FreshValue(ROOM_C, BOOT_S).heard(20.0, BOOT_S, BOOT_S)
    for minute in range(10):
        value = value.heard(20.0, BOOT_S, BOOT_S + 60.0 * minute)
    assert value.quality(BOOT_S + 600.0) is Quality.ESTIMATED


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), -math.inf, "20", True, [20.0]])
def test_what_is_no_number_is_refused(nonsense: object) -> None:
    value, _ = heard(20.0, nonsense)
    assert (value.value, value.doubt.why) == (20.0, Refusal.NOT_A_NUMBER)
    assert value.doubt.refused == 1


def test_numbers_of_other_libraries_are_numbers() -> None:
    value, now_s = heard(np.float64(20.5))
    assert value.good(now_s) == 20.5
    assert type(value.value) is float


@pytest.mark.parametrize(
    ("sensor", "reading", "fine"),
    [
        (ROOM_C, -10.0, True),
        (ROOM_C, -10.1, False),
        (ROOM_C, 85.0, False),
        (OUTDOOR_C, -49.0, True),
        (OUTDOOR_C, 61.0, False),
        (SOC_FRAC, 1.01, False),
        (POWER_KW, -49.0, True),
    ],
)
def test_each_kind_of_sensor_has_its_range(sensor: object, reading: float, fine: bool) -> None:
    value = FreshValue(sensor, BOOT_S).heard(reading, BOOT_S, BOOT_S)  # type: ignore[arg-type]  # the table's
    assert (value.value is not None) is fine
    assert (value.doubt.why is Refusal.OUT_OF_RANGE) is not fine


def test_a_jump_is_believed_when_it_is_said_three_times() -> None:
    value, now_s = heard(20.0, 26.0, 26.1)
    assert (value.value, value.doubt.why) == (20.0, Refusal.JUMP)
    after = value.heard(26.0, now_s + 60.0, now_s + 60.0)
    assert (after.value, after.doubt.why) == (26.0, Refusal.NONE)


def test_spikes_that_tell_different_stories_are_never_believed() -> None:
    value, _ = heard(20.0, 35.0, 5.0, 40.0, 0.0, 45.0, 12.0)
    assert value.value == 20.0


def test_one_spike_between_good_readings_is_dropped_and_counted() -> None:
    value, now_s = heard(20.0, 45.0, 20.1)
    assert value.good(now_s) == 20.1
    assert value.doubt.refused == 1


def test_one_packet_sent_three_times_is_one_reading() -> None:
    value, now_s = heard(20.0)
    for _ in range(5):
        value = value.heard(30.0, now_s + 60.0, now_s + 60.0)
    assert value.value == 20.0


def test_a_truth_that_moves_steadily_is_followed() -> None:
    value, now_s = heard(*[15.0 + 0.1 * k for k in range(60)])
    assert value.good(now_s) == pytest.approx(20.9)


def test_after_hours_of_silence_the_first_reading_counts() -> None:
    value, now_s = heard(20.0)
    later_s = now_s + 3 * HOUR_S
    assert value.heard(12.0, later_s, later_s).good(later_s) == 12.0


def test_a_reading_from_the_future_is_dated_now() -> None:
    value = FreshValue(ROOM_C, BOOT_S).heard(20.0, BOOT_S + 9e6, BOOT_S)
    assert value.heard_s == BOOT_S
    assert value.quality(BOOT_S + 3 * HOUR_S) is Quality.STALE


def test_a_late_reading_does_not_replace_a_newer_one() -> None:
    value, now_s = heard(20.0, 20.5)
    after = value.heard(20.2, now_s - 30.0, now_s + 30.0)
    assert (after.value, after.doubt.why) == (20.5, Refusal.OLD)


def test_a_clock_set_back_makes_old_values_stale_and_new_readings_count() -> None:
    value, now_s = heard(20.0)
    back_s = now_s - 5 * HOUR_S
    assert value.quality(back_s) is Quality.STALE
    assert value.heard(19.0, back_s, back_s).good(back_s) == 19.0


readings = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-10.0, 50.0),
    st.text(max_size=3),
    st.booleans(),
    st.integers(-100, 100),
)


@given(st.lists(st.tuples(readings, st.floats(-1e4, 1e4), st.floats(-4e3, 1e4)), max_size=40))
def test_no_story_makes_a_sensor_say_what_cannot_be(
    story: list[tuple[object, float, float]],
) -> None:
    value, now_s = FreshValue(ROOM_C, BOOT_S), BOOT_S
    for reading, offset_s, passed_s in story:
        now_s += passed_s
        value = value.heard(reading, now_s + offset_s, now_s)
        assert value.value is None or ROOM_C.low <= value.value <= ROOM_C.high
        if value.quality(now_s) is Quality.GOOD:
            assert value.value is not None
            assert abs(now_s - value.heard_s) <= 180.0
