"""`pems bench forecast`: what was asked is understood, and figures are of the rows with a truth."""

import numpy as np
import pandas as pd
import pytest

from pems_actors.bench import forecast
from pems_actors.bench.forecast_question import Question
from pems_actors.cli.main import main
from pems_actors.learning.tables.table import Table
from tests.learning.histories import ZONE, habits

pytestmark = pytest.mark.timeout(120)  # models are trained here


@pytest.fixture(scope="module")
def household(tmp_path_factory):
    path = tmp_path_factory.mktemp("house") / "load.csv"
    load = habits(42)
    load.iloc[24 * 38 : 24 * 38 + 6] = np.nan
    load.rename_axis("time_utc").to_csv(path)
    return path


def asked(path, **changes):
    words = {
        "series": "load", "csv": str(path), "column": "kw", "train_until": "2024-02-05",
        "test_from": "2024-02-05", "test_until": "2024-02-10", "timezone": ZONE, "quick": True,
    }  # fmt: skip
    return forecast.run(**(words | changes))


@pytest.fixture(scope="module")
def figures(household):
    return asked(household)["figures"]


def test_ours_and_all_baselines_are_told_with_all_scores(figures):
    assert set(figures["baselines"]) == {"persistence", "weekly", "xgboost"}
    for scores in (figures["ours"], *figures["baselines"].values()):
        assert {"r2", "rmse", "mae", "pinball", "coverage", "rows"} == set(scores)
    assert set(figures["48h"]) == {"ours", "baselines"}
    assert figures["48h"]["ours"]["rows"] > figures["ours"]["rows"]


def test_rows_without_truth_do_not_count(figures):
    assert figures["ours"]["rows"] == 5 * 24 - 6
    assert any("masked" in sentence for sentence in figures["seen"])


def test_habits_are_forecast_better_than_by_yesterday(figures):
    assert figures["rmse_under_persistence"] > 0.1
    assert figures["pinball_under_best"] > 0.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"series": None}, "needs --series"),
        ({"series": "gas"}, "pv, load or price"),
        ({"column": "watts"}, "no column 'watts'"),
        ({"csv": "/nowhere.csv"}, "there is no file"),
        ({"train_until": "someday"}, "is no date"),
        ({"train_until": "2024-02-08"}, "would have been learned"),
        ({"test_until": "2024-02-01"}, "no day from"),
        ({"site": "50"}, "latitude, longitude"),
        ({"site": "100,14"}, "nowhere"),
        ({"site": "nan,14"}, "latitude, longitude"),
        ({"roof": ("nan,35,180",)}, "kWp, tilt, azimuth"),
        ({"train_until": ""}, "is no date"),
        ({"test_from": "2024-02-11", "test_until": "2024-02-10"}, "no day from"),
        ({"timezone": "Europe/Praha"}, "is no time zone"),
        (
            {"train_until": "2020-01-01", "test_from": "2020-01-01", "test_until": "2020-01-09"},
            "from 2024-01-01 to 2024-02-11; give",
        ),
        (
            {"train_until": "2025-01-01", "test_from": "2025-01-01", "test_until": "2025-01-09"},
            "give a --test-from",
        ),
        ({"roof": ("5,35",)}, "kWp, tilt, azimuth"),
        ({"roof": ("0,35,180",)}, "no power"),
        ({"weather": "temp"}, "names no column"),
        ({"weather": "temp=kw"}, "which is to be forecast"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(household, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        asked(household, **changes)


def test_what_was_learned_from_is_told_and_so_is_a_floor_that_serves(household, figures):
    assert any("told unseen first" in sentence for sentence in figures["learned"])
    early = {"train_until": "2024-01-08", "test_from": "2024-01-08", "test_until": "2024-01-10"}
    told = asked(household, **early)["figures"]
    assert any("the usual day serves" in sentence for sentence in told["learned"])


def test_without_a_zone_the_site_tells_the_time():
    def zone(**told):
        return Question("pv", None, "pv", "2024-01-01", "2024-01-01", **told).zone

    assert zone() == "Europe/Prague"
    assert zone(site=(39.7, -105.2)) == "Etc/GMT+7"
    assert zone(site=(50.1, 14.4)) == "Etc/GMT-1"
    assert zone(site=(51.5, 0.0)) == "UTC"
    assert zone(site=(39.7, -105.2), timezone="America/Denver") == "America/Denver"


def test_the_test_ends_with_the_last_day_that_has_a_truth(household):
    figures = asked(household, train_until="2024-01-05", test_from="2024-02-09", test_until=None)
    assert figures["figures"]["days"] == 3


def test_a_test_asked_for_beyond_the_file_ends_with_the_file_and_says_so(household):
    told = asked(household, train_until="5.1.2024", test_from="9.2.2024", test_until="2025-01-01")
    assert told["figures"]["days"] == 3
    assert "kw ends on 2024-02-11, and so does the test" in told["figures"]["seen"]


def test_a_training_that_ends_before_the_file_begins_is_served_by_a_guess(household):
    early = {"train_until": "2020-01-01", "test_from": "2024-02-09", "test_until": "2024-02-10"}
    told = asked(household, **early)["figures"]
    assert told["ours"]["rows"] == 24
    assert any("no load history at all" in sentence for sentence in told["learned"])


def test_a_column_without_any_value_is_refused(household, tmp_path):
    empty = tmp_path / "empty.csv"
    pd.read_csv(household).assign(kw="NaN").to_csv(empty, index=False)
    with pytest.raises(ValueError, match="no value at all"):
        asked(empty)


def test_pv_without_a_site_is_judged_where_there_lately_was_power():
    index = pd.date_range("2024-06-01", periods=480, freq="h", tz="UTC")
    power = pd.Series(np.where((index.hour > 5) & (index.hour < 18), 2.0, 0.0), index, name="pv")
    lit = forecast._lit(Table(power.to_frame(), "pv", "UTC"))
    assert list(lit.iloc[:24]) == [5 < hour < 18 for hour in range(24)]


def test_the_command_line_refuses_what_cannot_be_with_a_sentence(capsys):
    assert main(["bench", "mpc", "--column", "kw"]) == 2
    assert "No such option: --column" in capsys.readouterr().err
    assert main(["bench", "forecast", "--series", "load"]) == 2
    assert "needs --csv" in capsys.readouterr().err
