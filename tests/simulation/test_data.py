"""The shipped data: complete, regular, licensed, small, and not writable."""

from importlib.resources import files

import numpy as np
import pytest

from pems_actors import data

TABLES = {
    data.typical_weather: ("ghi_w_m2", 8760),
    data.spot_prices: ("price_de_lu_eur_mwh", 17520),
    data.household_load: ("load_kw", 26304),
    data.golden_pv: ("pv_kw", 24960),
    data.utrecht_pv: ("pv_kw_per_kwp", 17520),
    data.heated_room: ("room_c", 792),
}


@pytest.mark.parametrize("table", TABLES, ids=lambda f: f.__name__)
def test_a_table_has_every_interval_and_hardly_a_gap(table):
    column, rows = TABLES[table]
    loaded = table()
    assert len(loaded) == rows
    assert loaded.end_s == loaded.start_s + rows * loaded.step_s
    assert np.isnan(loaded[column]).mean() < 0.03


def test_nobody_can_write_into_a_shared_table():
    with pytest.raises(ValueError, match="read-only"):
        data.spot_prices()["price_de_lu_eur_mwh"][0] = 0.0


def test_every_file_is_named_with_origin_and_licence_and_all_are_small():
    folder = files("pems_actors.data")
    readme = folder.joinpath("README.md").read_text("utf-8")
    packed = [entry for entry in folder.iterdir() if entry.name.endswith(".csv.gz")]
    assert len(packed) == len(TABLES)
    for entry in packed:
        line = next(row for row in readme.splitlines() if entry.name in row)
        assert any(word in line for word in ("MIT", "CC BY", "BSD"))
    assert sum(len(entry.read_bytes()) for entry in packed) < 2_000_000


def test_negative_prices_are_kept():
    assert np.nanmin(data.spot_prices()["price_de_lu_eur_mwh"]) < -100.0
