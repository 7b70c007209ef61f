"""The shipped weather, prices and loads as plain arrays; origin and licences are in README.md.

Read with csv and numpy only, because the twin and the core must do without pandas, and row by row,
because a whole file of texts is ten times its numbers. Series are remembered, so callers must not
write into them (the arrays are read-only).
"""

from __future__ import annotations

import csv
import gzip
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from pems_actors.domain.units import seconds

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of one regular time series; row k covers `start_s + k · step_s` up to the next."""

    start_s: float
    step_s: float
    columns: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        """Give one column, shape (rows,); missing values are NaN."""
        return self.columns[name]

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values())))

    @property
    def end_s(self) -> float:
        """End of the last row."""
        return self.start_s + self.step_s * len(self)


def typical_weather() -> Table:
    """Load a typical year at 45 N 8 E: `temp_c ghi_w_m2 dni_w_m2 dhi_w_m2 wind_m_s`, hourly."""
    return load("weather_tmy_45n_8e")


def spot_prices() -> Table:
    """Load day-ahead prices of DE-LU for 2022 and 2023: `price_de_lu_eur_mwh`, hourly."""
    return load("price_dayahead_de_lu_2022_2023")


def household_load() -> Table:
    """Load the consumption of a house in Sceaux, 2007 to 2009: `load_kw`, hourly."""
    return load("load_sceaux_2007_2009")


def golden_pv() -> Table:
    """Load a measured PV system in Golden, 2011: `pv_kw temp_c ghi_w_m2`, by quarter hours."""
    return load("pv_weather_golden_2011")


def utrecht_pv() -> Table:
    """Load a measured PV system in Utrecht, 2014 and 2015: `pv_kw_per_kwp`, hourly."""
    return load("pv_utrecht_2014_2015")


def heated_room() -> Table:
    """Load one heated room in the UK: `heating_output_raw room_c outdoor_c supply_c`, hourly."""
    return load("room_heating_uk_winter_2019")


@lru_cache(maxsize=8)
def load(name: str) -> Table:
    """Read one of the shipped files by its name without ending.

    Raises: FileNotFoundError if there is none, ValueError if its rows are not evenly spaced.
    """
    stamps: list[str] = []
    flat = array("d")
    file = files(__name__).joinpath(f"{name}.csv.gz")
    with file.open("rb") as packed, gzip.open(packed, "rt", newline="") as lines:
        rows = csv.reader(lines)
        _, *names = next(rows)
        for stamp, *fields in rows:
            stamps[2:] = [stamp]  # the first two and the latest
            flat.extend([float(field or "nan") for field in fields])
    values = np.array(flat).reshape(-1, len(names))
    values.setflags(write=False)
    first_s, second_s, last_s = (seconds(stamp) for stamp in stamps)
    step_s = second_s - first_s
    if first_s + step_s * (len(values) - 1) != last_s:
        raise ValueError(f"{name}: rows are not {step_s:.0f} s apart; every interval needs a row")
    columns = {column: values[:, k] for k, column in enumerate(names)}
    return Table(start_s=first_s, step_s=step_s, columns=columns)
