"""The histories that `pems bench training` makes, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import config
from pems_actors.bench import training
from pems_actors.blueprint import house_from
from pems_actors.domain.units import seconds
from pems_actors.learning.life.room_worker import frame_of
from pems_actors.simulation.scenario import Scenario

HOUSE = house_from(config.load(env={}).system)


def scenario(days: float) -> Scenario:
    return Scenario.reference(HOUSE, seconds(training.START), days)


def test_what_there_is_not_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="give some of load, pv, price, rooms"):
        training.run(quick=True, only=("roof",))


def test_its_rooms_are_held_by_heat_in_quarter_hours(tmp_path):
    job = training._rooms_job(HOUSE, scenario(2.0), str(tmp_path))
    frame = frame_of(job.history)
    assert len(frame) == 2 * 96
    for room in HOUSE.rooms:
        assert frame[f"temp_c_{room.name}"].between(14.0, 27.0).all()
    heat = frame[[name for name in frame.columns if name.startswith("heat_kw_")]]
    assert 0.0 < float(np.mean(heat.to_numpy() > 0.0)) < 0.9


@pytest.mark.parametrize("name", ["load", "pv", "price"])
def test_its_series_are_known_in_every_quarter_hour(name, tmp_path):
    job = training._series_job(name, HOUSE, scenario(2.0), str(tmp_path))
    assert len(job.history) == 2 * 96
    assert all(np.isfinite(column).all() for column in job.history.series.values())
    assert job.now_s == job.history.end_s
