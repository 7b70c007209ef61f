"""The worker that knows rooms: what it makes of a history, and how it judges what it made."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import nan
from pathlib import Path

import numpy as np
import pytest

from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.learning.life.contest import HOUSE
from pems_actors.learning.life.jobs import Columns
from pems_actors.learning.life.room_jobs import JudgeRooms, RoomsJudged, RoomsTrained, TrainRooms
from pems_actors.learning.life.room_worker import handle
from pems_actors.learning.life.store import MODEL, ModelStore
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

START_S, DAY, QUARTER, BURST_H = 1_767_225_600.0, 86400.0, 900.0, 6
BELIEVED = HouseModel(
    (room_model("den", Emitter.FLOOR, 1.5, 60.0), room_model("bath", Emitter.FLOOR, 0.8, 20.0)),
    (("den", "bath", 0.01),),
)
DAYS = 12


def truly() -> HouseModel:
    """The house as it is: lighter and leakier than believed."""
    return replace(
        BELIEVED,
        rooms=tuple(
            replace(
                room,
                c_structure_kwh_k=0.6 * room.c_structure_kwh_k,
                g_air_outdoor_kw_k=1.5 * room.g_air_outdoor_kw_k,
                g_structure_outdoor_kw_k=1.4 * room.g_structure_outdoor_kw_k,
                solar_m2=0.5 * room.solar_m2,
            )
            for room in BELIEVED.rooms
        ),
    )


@lru_cache(maxsize=1)
def lived() -> dict[str, tuple[float, ...]]:
    """Twelve days of the true house with thermostats, weather and 0.05 K of noise."""
    dynamics, random = HouseDynamics(truly()), np.random.default_rng(4)
    temps = dynamics.steady_temps(np.array([21.0, 22.0]), 2.0)
    columns: dict[str, list[float]] = {}
    heat = np.zeros(2)
    for k in range(DAYS * 96):
        hour = k / 4.0 % 24.0
        outdoor = 2.0 + 4.0 * np.sin((hour - 9.0) / 24.0 * 2 * np.pi) + 3.0 * np.sin(k / 250.0)
        ghi = max(0.0, 400.0 * np.sin((hour - 7.0) / 10.0 * np.pi)) if 7.0 < hour < 17.0 else 0.0
        air = temps[2:4] + random.normal(0.0, 0.05, 2)
        wished = np.array([21.0, 22.0]) + (0.5 if k // (4 * BURST_H) % 2 else -0.3)
        heat = np.where(air < wished, [1.5, 0.8], 0.0)
        said = {"outdoor_c": outdoor, "ghi_w_m2": ghi, "temp_c_den": air[0], "temp_c_bath": air[1]}
        said |= {"heat_kw_den": heat[0], "heat_kw_bath": heat[1]}
        for name, value in said.items():
            columns.setdefault(name, []).append(float(value))
        temps = dynamics.step(temps, heat, outdoor, ghi, QUARTER)
    return {name: tuple(values) for name, values in columns.items()}


def history(from_day: float, until_day: float, **changed: tuple[float, ...]) -> Columns:
    part = slice(round(96 * from_day), round(96 * until_day))
    series = {name: values[part] for name, values in lived().items()}
    return Columns(START_S + from_day * DAY, QUARTER, {**series, **changed})


def train(folder: Path, until_day: float, **present: str) -> RoomsTrained:
    now_s = START_S + until_day * DAY
    told = handle(TrainRooms(str(folder), BELIEVED, history(0, until_day), now_s, present))
    assert isinstance(told, RoomsTrained)
    return told


def judge(folder: Path, day: float, *versions: str, **changed: tuple[float, ...]) -> RoomsJudged:
    known = history(day - 3, min(day + 1 + 1 / 96, DAYS), **changed)
    told = handle(JudgeRooms(str(folder), BELIEVED, known, START_S + day * DAY, versions))
    assert isinstance(told, RoomsJudged)
    return told


@pytest.fixture(scope="module")
def school(tmp_path_factory) -> tuple[Path, RoomsTrained]:
    """A registry with one version, of nine days."""
    folder = tmp_path_factory.mktemp("models")
    return folder, train(folder, 9)


def test_each_room_gets_a_card_with_its_own_error_beside_the_house_as_believed(school):
    folder, told = school
    assert ModelStore(folder).card("rooms", "identified.1") == told.card
    for name, card in told.rooms.items():
        assert card.series == f"rooms/{name}"
        assert card.unit == "K"
        (error,) = card.errors
        assert error.mae < 0.7 * error.floor_mae
    assert [room.name for room in told.model.rooms] == ["den", "bath"]


def test_a_day_that_came_later_is_told_better_by_what_was_learned(school):
    folder, trained = school
    version = trained.card.version
    told = judge(folder, 10, version)
    for errors in told.rooms.values():
        assert errors.rows > 90
        assert errors.error[version] < 0.8 * errors.error[HOUSE]
        assert 0.0 <= errors.inside[version] <= 1.0
    assert told.models[version].rooms[0].name == "den"


@pytest.mark.slow
def test_a_new_version_is_compared_with_the_one_in_use_on_days_that_neither_has_seen(tmp_path):
    train(tmp_path, 7)
    told = train(tmp_path, 12, den="identified.1")
    (den,), (bath,) = told.rooms["den"].errors, told.rooms["bath"].errors
    assert den.present_mae is not None
    assert den.present_mae > 0.0
    assert bath.present_mae is None


@pytest.mark.slow
def test_a_version_that_is_torn_is_named_and_the_others_are_judged(tmp_path):
    train(tmp_path, 6)
    train(tmp_path, 9)
    (tmp_path / "rooms" / "identified.1" / MODEL).write_bytes(b"torn")
    told = judge(tmp_path, 10, "identified.1", "identified.2")
    assert "not as it was written" in told.broken["identified.1"]
    assert set(told.models) == {"identified.2"}
    assert all("identified.2" in errors.error for errors in told.rooms.values())


def test_a_room_that_said_nothing_on_the_day_is_not_judged_and_the_others_are(school):
    folder, trained = school
    version = trained.card.version
    silent = tuple(nan for _ in range(4 * 96 + 1))
    told = judge(folder, 10, version, temp_c_bath=silent)
    assert set(told.rooms) == {"den"}


def test_a_day_that_is_not_over_is_no_judgement_but_models_are_told(school):
    folder, trained = school
    version = trained.card.version
    told = judge(folder, DAYS - 0.5, version)
    assert told.rooms == {}
    assert "not over" in told.said
    assert version in told.models


def test_nothing_to_learn_from_is_a_sentence(tmp_path):
    empty = Columns(START_S, QUARTER, {"outdoor_c": (1.0,) * 400})
    with pytest.raises(ValueError, match="no room with temperatures"):
        handle(TrainRooms(str(tmp_path), BELIEVED, empty, START_S))
