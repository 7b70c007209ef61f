"""A count of energy becomes power, a sign is turned, a net load is told: each with a sentence."""

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.series.load import LoadModel
from pems_actors.learning.tables.reading import ReadingError, read_csv
from tests.learning.histories import habits, table


def written(tmp_path, values, **options):
    path = tmp_path / "data.csv"
    values.rename("kw").rename_axis("time_utc").to_csv(path, **options)
    return path


def test_a_count_of_energy_is_read_as_power(tmp_path):
    load = habits(10)
    read = read_csv(written(tmp_path, 1234.0 + load.cumsum()), "kw", kind="load")
    np.testing.assert_allclose(read.series.iloc[:-1], load.iloc[1:], atol=1e-6)
    assert any("a count of energy" in note for note in read.notes)


def test_a_count_that_was_set_back_loses_that_slot_only(tmp_path):
    load = habits(10)
    count = load.cumsum()
    count.iloc[100:] -= count.iloc[100]
    read = read_csv(written(tmp_path, count), "kw", kind="load")
    assert np.isnan(read.series.iloc[99])
    assert read.series.isna().sum() == 2  # and the last slot, which has no end


def test_quarters_of_a_count_are_powers_and_not_energies(tmp_path):
    load = habits(10).resample("15min").ffill()
    read = read_csv(written(tmp_path, (load / 4.0).cumsum()), "kw", kind="load")
    assert read.series.median() == pytest.approx(load.median(), rel=0.05)


def test_a_load_that_rises_for_some_hours_is_no_count(tmp_path):
    read = read_csv(written(tmp_path, habits(10)), "kw", kind="load")
    assert not any("count of energy" in note for note in read.notes)


def test_a_generation_written_as_negative_is_turned_round(tmp_path):
    day = np.maximum(0.0, np.sin(np.arange(240) / 24.0 * 2.0 * np.pi))
    index = pd.date_range("2024-05-01", periods=240, freq="h", tz="UTC")
    read = read_csv(written(tmp_path, pd.Series(-3.0 * day, index)), "kw", kind="pv")
    np.testing.assert_allclose(read.series, 3.0 * day, atol=1e-9)
    assert any("turned round" in note for note in read.notes)


def test_a_load_that_is_net_of_a_roof_is_forecast_below_zero_and_said(tmp_path):
    net = habits(30) - 1.0
    read = read_csv(written(tmp_path, net), "kw", kind="load")
    assert any("net of a generation" in note for note in read.notes)
    model = LoadModel().fit(table(net.iloc[: 24 * 15]))
    ahead = net.index[24 * 15 : 24 * 16]
    known = table(net.iloc[: 24 * 16]).as_known(ahead[0], ahead[-1] + pd.Timedelta(hours=1))
    assert model.forecast(known, ahead[0], ahead)["p50"].min() < -0.4


@pytest.mark.parametrize(
    ("encoding", "sentence"), [("latin-1", "read as Latin-1"), ("utf-16", "UTF-16")]
)
def test_files_of_old_spreadsheets_are_read_and_said(tmp_path, encoding, sentence):
    path = written(tmp_path, habits(5), encoding=encoding, header=["Zähler"])
    read = read_csv(path, "Zähler")
    assert read.rows == 120
    assert any(sentence in note for note in read.notes)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [(bytes(range(256)) * 9, "is no text"), (b"", "is no CSV"), (b"time,kw\n", "has no rows")],
)
def test_what_is_no_table_is_refused_with_a_way_out(tmp_path, raw, sentence):
    path = tmp_path / "data.csv"
    path.write_bytes(raw)
    with pytest.raises(ReadingError, match=f"{sentence}.*give"):
        read_csv(path, "kw")


def test_a_broken_archive_is_refused(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(ReadingError, match="cannot be read"):
        read_csv(path, "kw")
