"""Anyone's file becomes a clean table, and each finding a sentence; gaps are masked, never zero."""

import gzip

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.tables.reading import ReadingError, read_csv, table_from
from tests.learning.histories import ZONE, habits


@pytest.fixture
def write(tmp_path):
    def write_lines(text, name="data.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_lines


def lines(stamps, values, head="time,kw", sep=","):
    rows = (f"{stamp}{sep}{value}" for stamp, value in zip(stamps, values, strict=True))
    return "\n".join([head, *rows])


def a_day(zone="Z", count=48, start="2024-01-10"):
    stamps = pd.date_range(start, periods=count, freq="h")
    return [f"{stamp.isoformat()}{zone}" for stamp in stamps], [
        0.1 * (k % 24) for k in range(count)
    ]


def said(table, words):
    return any(words in note for note in table.notes)


def test_a_plain_file_is_read_as_it_is(write):
    table = read_csv(write(lines(*a_day())), "kw")
    assert len(table.frame) == 48
    assert table.step == pd.Timedelta(hours=1)
    assert table.notes == ()


def test_a_packed_file_is_read_too(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(lines(*a_day()).encode()))
    assert read_csv(path, "kw").rows == 48


def test_a_gap_is_masked_and_never_zero(write):
    stamps, values = a_day()
    table = read_csv(write(lines(stamps[:10] + stamps[20:], values[:10] + values[20:])), "kw")
    assert table.series.isna().sum() == 10
    assert said(table, "masked, never zero")


def test_unsorted_and_doubled_times_are_put_right_and_told(write):
    stamps, values = a_day()
    table = read_csv(write(lines([*stamps[::-1], stamps[3]], [*values[::-1], values[3]])), "kw")
    assert table.series.iloc[3] == pytest.approx(values[3])
    assert said(table, "not in order")
    assert said(table, "more than once")


def test_local_times_over_the_autumn_change_are_told_apart(write):
    stamps = pd.date_range("2024-10-26", "2024-10-29", freq="h", tz=ZONE, inclusive="left")
    naive = [stamp.tz_localize(None).isoformat() for stamp in stamps]
    table = read_csv(write(lines(naive, range(len(naive)))), "kw", timezone=ZONE)
    assert table.rows == 73
    assert list(table.series) == list(range(73))
    assert said(table, "no zone")


def test_mixed_zones_come_to_utc(write):
    stamps, values = a_day()
    mixed = [
        pd.Timestamp(stamp).tz_convert("Asia/Tokyo").isoformat() if k % 2 else stamp
        for k, stamp in enumerate(stamps)
    ]
    table = read_csv(write(lines(mixed, values)), "kw")
    np.testing.assert_allclose(table.series, values)


def test_times_with_and_without_a_zone_in_one_file_are_told(write):
    stamps, values = a_day()
    mixed = [stamp.rstrip("Z") if k >= 24 else stamp for k, stamp in enumerate(stamps)]
    table = read_csv(write(lines(mixed, values)), "kw", timezone="UTC")
    assert table.rows == 48
    assert said(table, "some have none")


def test_a_german_file_with_semicolons_and_decimal_commas_is_understood(write):
    stamps = pd.date_range("2024-01-10", periods=48, freq="h")
    rows = [
        f"{stamp:%d.%m.%Y %H:%M};{str(0.1 * (k % 24)).replace('.', ',')}"
        for k, stamp in enumerate(stamps)
    ]
    table = read_csv(write("\n".join(["Datum;kw", *rows])), "kw", timezone="UTC")
    assert table.index[0] == pd.Timestamp("2024-01-10", tz="UTC")
    assert table.series.iloc[5] == pytest.approx(0.5)
    assert said(table, "decimal comma")


def test_seconds_and_milliseconds_since_1970_are_understood(write):
    stamps, values = a_day()
    seconds = [int(pd.Timestamp(stamp).timestamp()) for stamp in stamps]
    for factor in (1, 1000):
        table = read_csv(write(lines([s * factor for s in seconds], values)), "kw")
        assert table.index[0] == pd.Timestamp("2024-01-10", tz="UTC")


def test_minutes_are_averaged_to_quarter_hours(write):
    stamps = pd.date_range("2024-01-10", periods=600, freq="min", tz="UTC")
    table = read_csv(write(lines([s.isoformat() for s in stamps], range(600))), "kw")
    assert table.step == pd.Timedelta(minutes=15)
    assert table.series.iloc[0] == 7.0
    assert said(table, "averaged over 15 min")


def test_hours_before_quarter_hours_are_spread_over_them(write):
    coarse = pd.date_range("2024-01-01", periods=48, freq="h", tz="UTC")
    fine = pd.date_range("2024-01-03", periods=960, freq="15min", tz="UTC")
    stamps = [s.isoformat() for s in coarse.append(fine)]
    table = read_csv(write(lines(stamps, [1.0] * 48 + [2.0] * 960)), "kw", kind="price")
    assert table.step == pd.Timedelta(minutes=15)
    assert table.series.isna().sum() == 0
    assert said(table, "spread over their 15 min slots")


def test_a_renamed_column_is_found_under_its_own_name(write):
    text = "time,Verbrauch,T\n" + "\n".join(
        f"{s},{v},{k}" for k, (s, v) in enumerate(zip(*a_day(), strict=True))
    )
    table = read_csv(write(text), "kw", rename={"kw": "Verbrauch", "temp_c": "T"}, only=("temp_c",))
    assert table.weather == ("temp_c",)


def test_a_missing_column_file_or_time_is_a_sentence(write, tmp_path):
    path = write(lines(*a_day()))
    with pytest.raises(ReadingError, match="no column 'load'; there are kw"):
        read_csv(path, "load")
    with pytest.raises(ReadingError, match="no column 'T'"):
        read_csv(path, "kw", rename={"temp_c": "T"})
    with pytest.raises(ReadingError, match="there is no file"):
        read_csv(tmp_path / "none.csv", "kw")
    with pytest.raises(ReadingError, match="holds no times"):
        read_csv(write("time,kw\nx,1\ny,2\n"), "kw")


def test_one_row_a_day_is_refused_with_a_sentence(write):
    stamps = [f"2024-01-{day:02d}T00:00Z" for day in range(1, 20)]
    with pytest.raises(ValueError, match="give hourly values or finer"):
        read_csv(write(lines(stamps, range(19))), "kw")


def test_words_among_numbers_are_missing_and_told(write):
    stamps, values = a_day()
    values[5] = "offline"
    table = read_csv(write(lines(stamps, values)), "kw")
    assert np.isnan(table.series.iloc[5])
    assert said(table, "no numbers")


def test_absurd_values_are_masked():
    load = habits(60)
    load.iloc[[100, 700]] = [-999.0, 65535.0]
    table = table_from(load.to_frame(), "kw", ZONE, "load")
    assert np.isnan(table.series.iloc[[100, 700]]).all()
    assert said(table, "absurd")


def test_negative_and_high_prices_are_a_market():
    prices = habits(60).rename("eur") * 100.0
    prices.iloc[[100, 700]] = [-120.0, 900.0]
    assert table_from(prices.to_frame(), "eur", ZONE, "price").rows == len(prices)


def test_days_in_watts_among_kilowatts_are_brought_back():
    load = habits(60)
    expected = load.copy()
    load.iloc[240:480] *= 1000.0
    table = table_from(load.to_frame(), "kw", ZONE, "load")
    np.testing.assert_allclose(table.series, expected)
    assert said(table, "watts, divided by 1000")


def test_a_series_in_watts_throughout_stays_in_its_unit():
    load = habits(60) * 1000.0
    table = table_from(load.to_frame(), "kw", ZONE, "load")
    np.testing.assert_allclose(table.series, load)
    assert said(table, "taken as watts")


def test_a_dead_meter_that_says_zero_is_masked():
    load = habits(60)
    load.iloc[300:360] = 0.0
    table = table_from(load.to_frame(), "kw", ZONE, "load")
    assert table.series.iloc[300:360].isna().all()
    assert said(table, "nothing was measured")


def test_constant_and_empty_columns_are_told():
    load = habits(30)
    frame = pd.DataFrame({"kw": load, "temp_c": np.nan, "ghi_w_m2": 5.0})
    table = table_from(frame, "kw", ZONE, "load")
    assert table.weather == ()
    assert said(table, "temp_c is empty")
    assert said(table, "ghi_w_m2 is always 5")
    assert said(table_from(frame[["kw"]] * 0.0 + 3.0, "kw", ZONE), "a constant teaches nothing")
    assert said(table_from(frame[["kw"]] * np.nan, "kw", ZONE), "no value at all")


def test_weather_in_other_units_is_turned_into_ours():
    load = habits(30)
    wave = np.sin(np.arange(len(load)) / 24.0)
    frame = pd.DataFrame({"kw": load, "temp_c": 280.0 + wave, "ghi_w_m2": 0.4 + 0.3 * wave})
    table = table_from(frame, "kw", ZONE, "load")
    assert abs(table.frame["temp_c"].mean() - 6.85) < 0.5
    assert 350.0 < table.frame["ghi_w_m2"].mean() < 450.0
    assert said(table, "kelvin")
    assert said(table, "kW/m²")


def test_a_line_with_too_many_fields_is_left_out_and_told(write):
    text = lines(*a_day()) + "\n2024-01-12T00:00:00Z,1,2,3\n"
    table = read_csv(write(text), "kw")
    assert table.rows == 48
    assert said(table, "1 lines have more fields")


@pytest.mark.parametrize(
    ("head", "stamp"),
    [
        ("date,hour,kw", lambda t: f"{t:%Y-%m-%d},{t.hour}"),
        ("Date,hour,kw", lambda t: f"{t:%d.%m.%Y},{t.hour + 1}"),
        ("Date,Time,kw", lambda t: f"{t:%d/%m/%Y},{t:%H:%M:%S}"),
    ],
)
def test_dates_and_times_of_day_in_two_columns_are_put_together(write, head, stamp):
    stamps = pd.date_range("2024-01-10", periods=24 * 20, freq="h")
    text = lines(map(stamp, stamps), [0.1] * len(stamps), head)
    table = read_csv(write(text), "kw", timezone="UTC")
    assert (table.index[0], table.index[-1]) == (
        stamps[0].tz_localize("UTC"),
        stamps[-1].tz_localize("UTC"),
    )
    assert said(table, "put together from the columns")


def test_thousands_are_understood_whichever_way_they_are_parted(write):
    stamps, _ = a_day()
    english = read_csv(write(lines(stamps, ['"1,234.5"'] * 48)), "kw")
    german = read_csv(write(lines(stamps, ["1.234,5"] * 48, "time;kw", ";")), "kw")
    assert english.series.iloc[0] == german.series.iloc[0] == 1234.5


def test_a_column_of_weather_in_words_is_left_out_and_told(write):
    stamps, values = a_day()
    text = lines(stamps, [f"{value},sunny" for value in values], "time,kw,sky")
    table = read_csv(write(text), "kw", rename={"temp_c": "sky"}, only=("temp_c",))
    assert list(table.frame) == ["kw"]
    assert said(table, "temp_c holds no numbers")


def test_a_roof_that_takes_more_than_it_gives_is_masked_but_what_it_takes_by_night_is_not(write):
    stamps, _ = a_day(count=240)
    power = [-0.01 if k % 24 < 6 else 0.8 for k in range(240)]
    power[30:33] = [-3.0] * 3
    table = read_csv(write(lines(stamps, power)), "kw", kind="pv")
    assert table.series.isna().sum() == 3
    assert table.series.iloc[0] == -0.01
