"""What a plant says is taken as it is, or refused with one sentence."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.cosimulation.observation import ObservationError, RoomSeen, read_observation

ROOMS = frozenset({"living", "bath"})
TIME = "2024-01-08T05:00:00Z"
LEAST = {"seq": 0, "time": TIME}
WEATHER = {
    "start": TIME, "step_s": 3600, "outdoor_c": [1.0, 2.0, 3.0], "ghi_w_m2": [0.0, 5.0, 9.0],
}  # fmt: skip
PRICES = {"start": TIME, "step_s": 900, "import_per_kwh": [3.0, 4.0], "export_per_kwh": [1.0, 1.0]}


def test_what_is_absent_or_null_or_nan_is_unknown_and_never_zero() -> None:
    for empty in ({}, {"pv_kw": None}, {"pv_kw": math.nan}):
        seen = read_observation({**LEAST, **empty}, ROOMS)
        assert seen.pv_kw is None
        assert seen.soc_frac is None
        assert seen.hdo_blocked is None
        assert seen.rooms == {}


def test_a_room_may_tell_half_of_itself() -> None:
    rooms = {"living": {"temp_c": 20.5}, "bath": {"relay_on": True, "temp_c": None}}
    seen = read_observation({**LEAST, "rooms": rooms}, ROOMS)
    assert seen.rooms == {"living": RoomSeen(20.5, None), "bath": RoomSeen(None, True)}


def test_time_may_be_text_or_an_aware_datetime() -> None:
    aware = datetime(2024, 1, 8, 5, tzinfo=UTC)
    assert read_observation({**LEAST, "time": aware}, ROOMS) == read_observation(LEAST, ROOMS)


def test_numbers_and_series_of_numpy_and_pandas_are_taken_as_pythons_own() -> None:
    plain = {
        **LEAST, "grid_kw": 3.0, "phase_kw": [1.0, 2.0, 0.5], "hdo_blocked": False,
        "rooms": {"living": {"temp_c": 20.5, "relay_on": True}},
        "weather_forecast": WEATHER, "prices": PRICES,
    }  # fmt: skip
    arrays = {
        "seq": np.int64(0), "time": pd.Timestamp(TIME), "grid_kw": np.int32(3),
        "phase_kw": np.array([1.0, 2.0, 0.5]), "hdo_blocked": np.bool_(False),
        "rooms": {"living": {"temp_c": np.float32(20.5), "relay_on": np.bool_(True)}},
        "weather_forecast": {**WEATHER, "step_s": np.int64(3600),
                             "outdoor_c": pd.Series(WEATHER["outdoor_c"]),
                             "ghi_w_m2": np.array(WEATHER["ghi_w_m2"], dtype=np.float32)},
        "prices": {**PRICES, "import_per_kwh": np.array(PRICES["import_per_kwh"])},
    }  # fmt: skip
    assert read_observation(arrays, ROOMS) == read_observation(plain, ROOMS)


@pytest.mark.parametrize(("said", "taken"), [(1.0 + 1e-9, 1.0), (-1e-17, 0.0), (1.004, 1.0)])
def test_a_charge_that_rounding_took_beyond_its_end_is_at_its_end(said, taken) -> None:
    assert read_observation({**LEAST, "soc_frac": said}, ROOMS).soc_frac == taken


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seq": -1}, "seq is -1"),
        ({"seq": True}, "seq is True"),
        ({"seq": None}, "seq is None"),
        ({"time": "yesterday"}, "like 2023-01-16T05:00:00Z"),
        ({"time": "2024-01-08T05:00:00"}, "write an instant in UTC"),
        ({"time": None}, "time is None"),
        ({"outdor_c": 1.0}, "did you mean 'outdoor_c'"),
        ({"rooms": {"livin": {}}}, "did you mean 'living'"),
        ({"rooms": {"living": 20.0}}, "rooms.living is 20.0; give an object"),
        ({"rooms": {"living": {"temp": 20.0}}}, "did you mean 'temp_c'"),
        ({"rooms": {"living": {"temp_c": "warm"}}}, "rooms.living.temp_c is 'warm'"),
        ({"rooms": {"living": {"relay_on": 1}}}, "give true, false, or null"),
        ({"rooms": [1]}, "rooms is [1]"),
        ({"soc_frac": 1.03}, "give a share of the battery, 0 to 1"),
        ({"soc_frac": 55.0}, "give a share of the battery, 0 to 1"),
        ({"pv_kw": math.inf}, "pv_kw is without bounds"),
        ({"grid_kw": 10**400}, "grid_kw is without bounds"),
        ({"hdo_blocked": "yes"}, "hdo_blocked is 'yes'"),
        ({"phase_kw": [1.0, 2.0]}, "one or three"),
        ({"phase_kw": 3.0}, "one or three"),
        ({"weather_forecast": {**WEATHER, "outdoor_c": [1.0]}}, "have 1 and 3 values"),
        ({"weather_forecast": {**WEATHER, "step_s": 0}}, "give 60 to 86400 seconds"),
        ({"weather_forecast": {**WEATHER, "ghi_w_m2": None}}, "must be a list of numbers"),
        ({"weather_forecast": {**WEATHER, "ghi_wm2": []}}, "did you mean 'ghi_w_m2'"),
        ({"prices": {**PRICES, "step_s": 600}}, "steps of 900 s or a multiple"),
        ({"prices": {**PRICES, "start": "2024-01-08T05:01:00Z"}}, "from a full quarter hour"),
        ({"prices": {**PRICES, "export_per_kwh": [1.0]}}, "have 1 and 2 values"),
    ],
)
def test_what_makes_no_sense_is_refused_with_one_sentence(change, words) -> None:
    with pytest.raises(ObservationError) as refused:
        read_observation({**LEAST, **change}, ROOMS)
    said = str(refused.value)
    assert words in said
    assert "\n" not in said
    assert len(said) < 300


def test_what_a_plant_says_beyond_what_is_known_is_ignored_and_told_to_be() -> None:
    seen = read_observation({**LEAST, "wind_m_s": 3.0, "plant": {"name": "x"}}, ROOMS)
    assert seen.ignored == ("wind_m_s", "plant")
    assert seen.rooms == read_observation(LEAST, ROOMS).rooms


def test_an_observation_that_is_no_object_is_refused() -> None:
    with pytest.raises(ObservationError, match="the observation is 7"):
        read_observation(7, ROOMS)  # type: ignore[arg-type]


def test_a_forecast_counts_up_to_its_first_missing_value() -> None:
    given_c = [1.0, 2.0, None]
    seen = read_observation({**LEAST, "weather_forecast": {**WEATHER, "outdoor_c": given_c}}, ROOMS)
    assert seen.weather is not None
    assert seen.weather.outdoor_c == (1.0, 2.0)
    assert seen.weather.ghi_w_m2 == (0.0, 5.0)
    nothing = {**WEATHER, "outdoor_c": [None, 2.0, 3.0]}
    assert read_observation({**LEAST, "weather_forecast": nothing}, ROOMS).weather is None


def test_beam_and_diffuse_light_count_only_together() -> None:
    both = {**WEATHER, "dni_w_m2": [1.0, 2.0, 3.0], "dhi_w_m2": [4.0, 5.0, 6.0]}
    seen = read_observation({**LEAST, "weather_forecast": both}, ROOMS).weather
    assert (seen.dni_w_m2, seen.dhi_w_m2) == ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    del both["dhi_w_m2"]
    seen = read_observation({**LEAST, "weather_forecast": both}, ROOMS).weather
    assert not any((*seen.dni_w_m2, *seen.dhi_w_m2))


def test_a_price_that_is_not_out_yet_is_unknown() -> None:
    prices = {**PRICES, "import_per_kwh": [3.0, None]}
    seen = read_observation({**LEAST, "prices": prices}, ROOMS).prices
    assert seen is not None
    assert seen.import_per_kwh == (3.0, None)


def test_the_phases_of_a_house_with_one_are_filled_up() -> None:
    assert read_observation({**LEAST, "phase_kw": [2.0]}, ROOMS).phase_kw == (2.0, 0.0, 0.0)
    assert read_observation({**LEAST, "phase_kw": [1, 2, 3]}, ROOMS).phase_kw == (1.0, 2.0, 3.0)
    assert read_observation({**LEAST, "phase_kw": [1, None, 3]}, ROOMS).phase_kw is None


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*LEAST, "rooms", "prices", "weather_forecast", "phase_kw",
                                        "soc_frac", "hdo_blocked", "pv_kw"]), JUNK))  # fmt: skip
def test_whatever_a_plant_says_it_is_taken_or_refused(body) -> None:
    with suppress(ObservationError):
        assert read_observation({**LEAST, **body}, ROOMS).seq == 0
