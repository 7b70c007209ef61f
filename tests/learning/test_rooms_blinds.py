"""Blinds whose position is known: their shade is no riddle to the model of the room."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.learning.rooms.house import Prior
from pems_actors.learning.rooms.identify import identify
from pems_actors.learning.rooms.layout import kept_out_w_m2
from pems_actors.learning.rooms.records import records_from
from pems_actors.learning.rooms.unseen import of_the_same, unseen
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

TRUE = HouseModel(
    (
        room_model("den", Emitter.FLOOR, 1.5, 60.0, solar_m2=4.0),
        room_model("bath", Emitter.FLOOR, 0.8, 20.0, solar_m2=1.0),
    )
)
BELIEVED = HouseModel(
    (
        room_model("den", Emitter.FLOOR, 1.5, 60.0, solar_m2=2.5),
        room_model("bath", Emitter.FLOOR, 0.8, 20.0, solar_m2=1.0),
    )
)
DAYS = 14


@lru_cache(maxsize=1)
def lived() -> pd.DataFrame:
    """Sunny days; the den's blinds are closed by half or wholly on some of them, at random."""
    dynamics, random = HouseDynamics(TRUE), np.random.default_rng(1)
    temps = dynamics.steady_temps(np.array([21.0, 22.0]), 4.0)
    closed = random.choice([0.0, 0.5, 1.0], DAYS)
    rows = []
    for k in range(DAYS * 96):
        hour = k / 4.0 % 24.0
        outdoor = 4.0 + 3.0 * np.sin((hour - 9.0) / 24.0 * 2 * np.pi)
        ghi = max(0.0, 600.0 * np.sin((hour - 6.0) / 12.0 * np.pi)) if 6.0 < hour < 18.0 else 0.0
        air = temps[2:4] + random.normal(0.0, 0.03, 2)
        heat = np.where(air < (21.0, 22.0), (1.5, 0.8), 0.0)
        shade = closed[k // 96]
        rows.append([outdoor, ghi, *air, *heat, 100.0 * shade])
        kept_out = np.array([TRUE.rooms[0].solar_m2 * ghi / 2000.0 * shade, 0.0])
        temps = dynamics.step(temps, heat, outdoor, ghi, 900.0, -2.0 * kept_out)
    index = pd.date_range("2026-03-01", periods=len(rows), freq="15min", tz="UTC")
    names = ["outdoor_c", "ghi_w_m2", "temp_c_den", "temp_c_bath", "heat_kw_den", "heat_kw_bath"]
    return pd.DataFrame(rows, index, [*names, "blind_den"], dtype=float)


def told_k(frame: pd.DataFrame) -> np.ndarray:
    """Errors on the last four days of a house identified from the days before, by room."""
    records = records_from(frame)
    found = identify(records.rows(slice(0, 10 * 96)), Prior.of(BELIEVED))
    starts = [k * 96 for k in range(10, DAYS - 1)]
    return unseen(found, of_the_same(found, records), starts).ours_k


@pytest.mark.slow
def test_a_room_is_told_better_where_the_position_of_its_blinds_is_known():
    known, unknown = told_k(lived()), told_k(lived().drop(columns="blind_den"))
    assert known[0] < 0.6 * unknown[0]
    assert known[1] < 1.2 * unknown[1]


def test_a_blind_in_per_cent_and_one_as_a_share_are_the_same():
    share = lived().assign(blind_den=lived()["blind_den"] / 100.0)
    one, other = (kept_out_w_m2(records_from(frame)) for frame in (lived(), share))
    assert one == pytest.approx(other)
    assert (one[:, 1] == 0.0).all()
    assert one[:, 0].max() > 100.0


def test_an_unknown_position_is_the_usual_one_never_open():
    frame = lived().copy()
    frame.iloc[96:192, frame.columns.get_loc("blind_den")] = np.nan
    shade = records_from(frame).shade
    assert shade is not None
    assert 0.0 < shade[100, 0] < 1.0


def test_without_blinds_nothing_is_kept_out():
    records = records_from(lived().drop(columns="blind_den"))
    assert records.shade is None
    assert not kept_out_w_m2(records).any()
