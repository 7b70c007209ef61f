"""Anyone's room history: what is unknown is never zero, and every finding is a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.rooms.records import RoomRecords, records_from
from pems_actors.learning.rooms.windows import strange_hours


def history(days: float = 4.0, **columns: object) -> pd.DataFrame:
    index = pd.date_range("2024-01-08", periods=round(days * 96), freq="15min", tz="UTC")
    hours = np.arange(len(index)) / 4.0
    frame = pd.DataFrame(
        {
            "outdoor_c": 2.0 + 3.0 * np.sin(hours / 24.0 * 2.0 * np.pi),
            "temp_c_den": 20.0 + 0.5 * np.sin(hours / 3.0),
            "heat_kw_den": np.where(hours % 6.0 < 2.0, 1.2, 0.0),
        },
        index,
    )
    return frame.assign(**columns)


def told(records: RoomRecords, *words: str) -> bool:
    return any(all(word in note for word in words) for note in records.notes)


def test_a_plain_history_is_taken_as_it_is() -> None:
    records = records_from(history())
    assert records.names == ("den",)
    assert records.heated == (True,)
    assert records.counts.all()
    assert not records.has_sun
    assert told(records, "no irradiance")


def test_missing_temperatures_are_no_readings_and_never_zero() -> None:
    frame = history()
    frame.loc[frame.index[40:60], "temp_c_den"] = np.nan
    records = records_from(frame)
    assert np.isnan(records.air_c[40:60]).all()
    assert np.nanmin(records.air_c) > 15.0


def test_a_long_gap_of_heat_is_guessed_and_not_learnt_from() -> None:
    frame = history()
    frame.loc[frame.index[100:140], "heat_kw_den"] = np.nan
    records = records_from(frame)
    assert np.isfinite(records.heat).all()
    assert records.heat[100:140].mean() > 0.1
    assert not records.counts[100:160].any()
    assert records.follows[100:160].all()
    assert told(records, "heat_kw_den", "10 h in longer gaps")


def test_a_short_gap_of_heat_is_bridged() -> None:
    frame = history()
    frame.loc[frame.index[101:103], "heat_kw_den"] = np.nan
    assert records_from(frame).counts.all()


def test_a_long_gap_of_weather_stops_all_learning_meanwhile() -> None:
    frame = history(temp_c_hall=history()["temp_c_den"] + 1.0)
    frame.loc[frame.index[100:150], "outdoor_c"] = np.nan
    records = records_from(frame)
    assert not records.counts[100:150].any()
    assert records.counts[:100].all()


def test_watts_are_read_as_kilowatts() -> None:
    frame = history()
    frame["heat_kw_den"] *= 1000.0
    records = records_from(frame)
    assert records.heat.max() == pytest.approx(1.2)
    assert told(records, "can only be W")


def test_heat_in_a_unit_of_its_own_is_marked_so() -> None:
    frame = history().rename(columns={"heat_kw_den": "heat_den"})
    assert records_from(frame).in_kw == (False,)


def test_absurd_and_lonely_temperatures_are_masked() -> None:
    frame = history()
    frame.iloc[50, 1], frame.iloc[70, 1] = 850.0, 32.0
    records = records_from(frame)
    assert np.isnan(records.air_c[[50, 70], 0]).all()
    assert np.isfinite(records.air_c).sum() == len(frame) - 2
    assert told(records, "absurd")
    assert told(records, "lonely")


def test_a_sensor_that_stands_still_for_days_is_masked() -> None:
    frame = history(8.0)
    frame.iloc[100:400, 1] = 20.1
    records = records_from(frame)
    assert np.isnan(records.air_c[110:390]).all()
    assert told(records, "standing still")


def test_rooms_that_say_nothing_or_one_thing_are_left_out() -> None:
    records = records_from(history(temp_c_void=np.nan, temp_c_flat=19.0))
    assert records.names == ("den",)
    assert told(records, "temp_c_void", "left out")
    assert told(records, "temp_c_flat", "left out")


def test_a_room_without_heat_is_unheated() -> None:
    records = records_from(history(temp_c_loft=history()["temp_c_den"] - 4.0))
    assert records.heated == (True, False)
    assert told(records, "loft", "unheated")


def test_flagged_hours_are_left_out() -> None:
    frame = history(window_den=0.0, blocked=0.0, override_den=0.0)
    frame.loc[frame.index[50:54], "window_den"] = 1.0
    frame.loc[frame.index[100:104], "blocked"] = 1.0
    frame.loc[frame.index[200:204], "override_den"] = 1.0
    records = records_from(frame)
    left_out = ~records.counts[:, 0]
    assert left_out[50:62].all()
    assert left_out[100:104].all()
    assert left_out[200:204].all()
    assert left_out.sum() == 12 + 4 + 4
    assert records.follows[50:62].all()


def test_without_rooms_or_weather_a_sentence_says_what_to_give() -> None:
    with pytest.raises(ValueError, match="--map temp_c_room=OLD"):
        records_from(history().drop(columns="temp_c_den"))
    with pytest.raises(ValueError, match="--map outdoor_c=OLD"):
        records_from(history().drop(columns="outdoor_c"))


def test_an_open_window_is_strange_from_then_on_for_two_hours() -> None:
    surprise = np.random.default_rng(0).normal(0.0, 0.05, (500, 1))
    surprise[200:202] = -0.6
    strange = strange_hours(surprise, np.full(1, 0.05), 0.25)[:, 0]
    assert strange[199:209].all()
    assert not strange[:195].any()
    assert not strange[220:].any()
    as_noticed = strange_hours(surprise, np.full(1, 0.05), 0.25, hindsight=False)[:, 0]
    assert not as_noticed[:200].any()


def test_several_small_surprises_in_a_row_are_strange_too() -> None:
    surprise = np.random.default_rng(0).normal(0.0, 0.05, (500, 1))
    surprise[200:204] -= 0.19
    assert strange_hours(surprise, np.full(1, 0.05), 0.25)[200:204].all()


def test_a_room_that_is_always_strange_is_not_left_out() -> None:
    surprise = np.random.default_rng(0).normal(0.0, 0.05, (500, 1))
    surprise[::8] = 1.0
    assert not strange_hours(surprise, np.full(1, 0.05), 0.25).any()
