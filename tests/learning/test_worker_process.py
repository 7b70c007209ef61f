"""Training and asking in a process of its own, with a deadline that ends it."""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from pems_actors.actors.learner_school import MODELS, ROOMS, TRAINING
from pems_actors.learning.life.jobs import ForecastJob, Told, Trained, TrainJob
from pems_actors.learning.life.room_jobs import JudgeRooms, RoomsJudged, RoomsTrained, TrainRooms
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.life.worker import handle
from supervision import WorkerDone, WorkerFailed
from supervision.worker import ProcessWorker, WorkerSpec
from tests.learning.test_room_worker import BELIEVED, DAY, START_S, history
from tests.learning.test_training import PLACE, columns

WAIT_S = 100.0
HEAVY = ("holidays", "pandas", "pvlib", "scipy", "xgboost")


@contextmanager
def worker(spec: WorkerSpec) -> Iterator[tuple[ProcessWorker, queue.Queue[Any]]]:
    outcomes: queue.Queue[Any] = queue.Queue()
    made = ProcessWorker(spec, outcomes.put)
    try:
        yield made, outcomes
    finally:
        made.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_model_trained_in_one_process_is_asked_in_another(tmp_path):
    history = columns(14)
    train = TrainJob("load", str(tmp_path), PLACE, history, history.end_s, ("seasonal",))
    with worker(replace(TRAINING, start_timeout_s=WAIT_S)) as (school, outcomes):
        school.submit(1, train)
        done = outcomes.get(timeout=WAIT_S)
        assert isinstance(done, WorkerDone)
        assert isinstance(done.result, Trained)
    version = done.result.cards[0].version
    ask = ForecastJob(
        "load", str(tmp_path), PLACE, history, history.end_s, history.end_s, 24, (version,)
    )
    with worker(replace(MODELS, start_timeout_s=WAIT_S, deadline_s=WAIT_S)) as (models, outcomes):
        models.submit(1, ask)
        told = outcomes.get(timeout=WAIT_S)
        assert isinstance(told.result, Told)
        assert len(told.result.rivals[version].p50) == 24


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_first_question_finds_everything_loaded_that_takes_long(tmp_path):
    history = columns(25)
    train = TrainJob("load", str(tmp_path), PLACE, history, history.end_s, ("ensemble",))
    ask = ForecastJob(
        "load", str(tmp_path), PLACE, history, history.end_s, history.end_s, 24,
        (handle(train).cards[0].version,),
    )  # fmt: skip
    (tmp_path / "ask").write_bytes(pickle.dumps(ask))
    program = f"""
import importlib, pickle, sys
for name in {MODELS.preload}: importlib.import_module(name)
answer = importlib.import_module("{MODELS.target.partition(":")[0]}").factory()
with open(sys.argv[1], "rb") as file: ask = pickle.load(file)
before = set(sys.modules)
assert not answer(ask).broken
late = set(sys.modules) - before
assert not [name for name in late if name.startswith({HEAVY})], late
"""
    words = [sys.executable, "-c", program, str(tmp_path / "ask")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_training_past_its_deadline_is_killed_and_leaves_no_version(tmp_path):
    history = columns(60)
    train = TrainJob("load", str(tmp_path), PLACE, history, history.end_s, ("ensemble",))
    hasty = replace(TRAINING, deadline_s=0.2, start_timeout_s=WAIT_S, preload=("pandas",))
    with worker(hasty) as (school, outcomes):
        school.submit(1, train)
        failed = outcomes.get(timeout=WAIT_S)
    assert isinstance(failed, WorkerFailed)
    assert failed.kind == "deadline"
    assert ModelStore(tmp_path).cards("load") == ([], [])


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_rooms_are_identified_and_judged_in_a_process_of_their_own(tmp_path):
    train = TrainRooms(str(tmp_path), BELIEVED, history(0, 6), START_S + 6 * DAY)
    with worker(replace(ROOMS, start_timeout_s=WAIT_S)) as (school, outcomes):
        school.submit(1, train)
        trained = outcomes.get(timeout=WAIT_S).result
        assert isinstance(trained, RoomsTrained)
        version, start_s = trained.card.version, START_S + 7 * DAY
        school.submit(
            2, JudgeRooms(str(tmp_path), BELIEVED, history(4, 9), start_s, (version, "absent.1"))
        )
        judged = outcomes.get(timeout=WAIT_S).result
    assert isinstance(judged, RoomsJudged)
    assert judged.models[version] == trained.model
    assert set(judged.broken) == {"absent.1"}
    assert set(judged.rooms) == {"den", "bath"}
