"""The learner of rooms on its stage: rooms earn trust one by one, and lose it by numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pems_actors.actors.base import ESTIMATOR, HISTORY, MQTT, ROOMS, Record
from pems_actors.actors.learner_school import Learning
from pems_actors.actors.room_learner import RoomLearnerActor
from pems_actors.domain.events import Republish
from pems_actors.domain.learned_rooms import LearnedRooms
from pems_actors.domain.states import DeviceState
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.learning.life.trust import IDENTIFIED, Tier
from supervision import WorkerSpec
from tests.actors import room_workers
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.room_workers import WEAK, Story

DAY = 86400.0
QUARTER = 900.0
NAMES = [room.name for room in HOUSE.rooms]
STRONG = {"living", "bath"}


@pytest.fixture(autouse=True)
def as_usual(monkeypatch):
    for name, value in (("drifts_s", float("inf")), ("worse", False), ("impossible", False)):
        monkeypatch.setattr(Story, name, value)


class School:
    """A learner of rooms with temperatures of some days, which go on as time goes by."""

    def __init__(self, tmp_path, days: float = 4.0, worker: str = "factory") -> None:
        self.history, self.live_s = MemoryHistory(), NOON - days * DAY
        spec = WorkerSpec(
            name="forecasting/rooms_training", target=f"{room_workers.__name__}:factory"
        )
        if worker != "factory":
            spec = replace(spec, target=f"tests.actors.solvers:{worker}")
        self.learning = Learning(tmp_path / "models", rooms=spec)
        self.known_until(NOON if days else self.live_s)
        self.stage = self.open(NOON)

    def open(self, start_s: float) -> Stage:
        return Stage(
            ROOMS,
            lambda c, _: RoomLearnerActor(c, HOUSE, self.history, self.learning),
            start_s=start_s,
        )

    def known_until(self, end_s: float) -> None:
        rows = []
        while self.live_s < end_s:
            rows += [(f"temp_c.{name}", self.live_s, 21.0) for name in NAMES]
            rows.append(("outdoor_c", self.live_s, 1.0))
            self.live_s += QUARTER
        self.history.append(rows)

    def live(self, days: float) -> None:
        for _ in range(round(2 * days)):
            self.known_until(self.stage.now_s + DAY / 2)
            self.stage.run(DAY / 2)

    def decisions(self, *what: str) -> list[tuple[str, str, str]]:
        kept = [r.body for r in self.stage.all_heard(HISTORY, Record) if r.kind == "model"]
        return [(d["series"], d["what"], d["tier"]) for d in kept if d["what"] in what]

    def tier(self, room: str) -> Tier:
        return self.stage.state.ledgers[room].standings[IDENTIFIED].tier


def test_nothing_is_learned_from_less_than_three_days(tmp_path):
    school = School(tmp_path, days=0.0)
    school.stage.run(DAY)
    assert school.stage.system.workers() == {}
    assert "as configured" in school.stage.status.reason
    assert not school.stage.all_heard(ESTIMATOR, LearnedRooms)


def test_rooms_are_identified_watched_and_their_process_is_let_go(tmp_path):
    school = School(tmp_path)
    school.stage.run(3600.0)
    assert school.decisions("entered") == [("rooms", "entered", "observe")]
    assert {school.tier(name) for name in NAMES} == {Tier.OBSERVE}
    assert not school.stage.system.workers()["forecasting/rooms_training"].ready
    assert not school.stage.all_heard(ESTIMATOR, LearnedRooms)


@pytest.mark.slow
def test_each_room_rises_by_its_own_numbers_and_only_the_trusted_ones_steer(tmp_path):
    school = School(tmp_path)
    school.live(5.0)
    assert {name: school.tier(name) for name in NAMES} == {
        "living": Tier.ADVISE,
        "bath": Tier.ADVISE,
        WEAK: Tier.OBSERVE,
    }
    school.live(5.0)
    told = school.stage.last(ESTIMATOR, LearnedRooms)
    assert set(told.serving) == STRONG
    usual = dict(zip(NAMES, HOUSE.model.rooms, strict=True))
    for room in told.model.rooms:
        assert (room == usual[room.name]) == (room.name == WEAK)
    promoted = [
        r.body for r in school.stage.all_heard(HISTORY, Record)
        if r.kind == "model" and r.body["what"] == "promoted"
    ]  # fmt: skip
    assert all("K against" in d["reason"] and d["numbers"]["floor"] == 0.5 for d in promoted)


def test_what_lacks_for_the_next_tier_is_published_room_by_room(tmp_path):
    school = School(tmp_path)
    school.live(3.0)
    state = school.stage.last(MQTT, DeviceState)
    values = {name: value.value for name, value in state.values}
    assert "more scored days" in values["living"]
    assert "an error 5 % under the floor's, now +0.0 %" in values[WEAK]


@pytest.mark.slow
def test_a_drift_takes_control_back_within_two_days_and_the_configured_rooms_serve(tmp_path):
    school = School(tmp_path)
    school.live(12.0)
    assert set(school.stage.state.told.serving) == STRONG
    drift_s = school.stage.now_s
    Story.drifts_s = drift_s
    school.live(2.0)
    told = school.stage.last(ESTIMATOR, LearnedRooms)
    assert told.model is None
    kept = [r.body for r in school.stage.all_heard(HISTORY, Record) if r.at_s >= drift_s]
    demoted = [body for body in kept if body.get("what") == "demoted"]
    assert {body["series"] for body in demoted} == {f"rooms/{name}" for name in STRONG}
    assert all("drifts" in body["reason"] for body in demoted)


@pytest.mark.slow
def test_a_new_version_that_is_worse_does_not_take_the_place_of_the_old(tmp_path):
    school = School(tmp_path)
    school.live(6.0)
    before = school.stage.state.present()
    Story.worse = True
    school.live(8.0)
    assert len(school.decisions("kept_old")) >= 2
    assert {name: school.stage.state.present()[name] for name in STRONG} == {
        name: before[name] for name in STRONG
    }


@pytest.mark.slow
def test_a_model_with_which_nobody_could_reckon_never_steers(tmp_path):
    Story.impossible = True
    school = School(tmp_path)
    school.live(12.0)
    assert school.stage.state.present() == {}
    assert not school.stage.all_heard(ESTIMATOR, LearnedRooms)


@pytest.mark.slow
def test_a_training_that_fails_touches_nothing_and_is_tried_again_another_day(tmp_path):
    school = School(tmp_path)
    school.live(12.0)
    serving = school.stage.state.told.serving
    school.learning = replace(
        school.learning, rooms=replace(school.learning.rooms, target="tests.actors.solvers:broken")
    )
    school.stage.crash()  # the successor has the broken worker
    school.live(9.0)
    failed = [r for r in school.stage.all_heard(HISTORY, Record) if r.kind == "training_failed"]
    assert 1 <= len(failed) <= 10
    assert school.stage.state.told.serving == serving
    assert "what serves goes on" in school.stage.status.reason


@pytest.mark.slow
def test_the_next_process_goes_on_with_the_same_model_after_its_first_judgement(tmp_path):
    school = School(tmp_path)
    school.live(12.0)
    before = school.stage.state.told
    school.stage = school.open(school.stage.now_s)
    assert school.stage.state.told.model is None
    school.known_until(school.stage.now_s + DAY)
    school.stage.run(600.0)
    assert school.stage.all_heard(ESTIMATOR, LearnedRooms)[0].model == before.model


@pytest.mark.slow
def test_whoever_starts_anew_is_told_again(tmp_path):
    school = School(tmp_path)
    school.live(12.0)
    school.stage.forget()
    school.stage.tell(Republish())
    assert school.stage.last(ESTIMATOR, LearnedRooms) == school.stage.state.told
