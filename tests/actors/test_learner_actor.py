"""The learner on its stage: what it asks, trains, keeps and hands on, and what it never touches."""

from __future__ import annotations

import json
from dataclasses import replace
from math import pi, sin

import pytest

from pems_actors.actors.as_issued import EVERY_S
from pems_actors.actors.base import HISTORY, LEARNER, LOAD, PRICES, PV, WEATHER, Record
from pems_actors.actors.learner import LearnerActor
from pems_actors.actors.learner_school import Learning
from pems_actors.domain.events import ForecastWanted
from pems_actors.domain.forecasts import Forecast, LearnedForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.learning.life.card import ModelCard, Source
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.contest import Score
from pems_actors.learning.life.store import MODEL, ModelStore
from pems_actors.learning.life.trust import Standing, Tier
from pems_actors.learning.series.floor import SeasonalMean
from supervision import WorkerSpec
from supervision.events import HealthChanged
from tests.actors.kit import HOUSE, NOON, Stage

DAY = 86400.0
QUARTER = 900.0
ONLY_SEASONAL = {"load": ("seasonal",), "pv": ("seasonal",), "price": ("seasonal",)}
BROKEN = WorkerSpec(name="forecasting/training", target="tests.actors.solvers:broken")


def usual_kw(at_s: float) -> float:
    return 1.0 + 0.5 * sin(2 * pi * at_s / DAY)


class School:
    """A learner with a history of some days of load, and a registry on disk."""

    def __init__(self, tmp_path, days: float = 0.0, **learning) -> None:
        self.folder, self.history = tmp_path / "models", MemoryHistory()
        self.live_s = NOON - days * DAY
        self.known_until(NOON)
        asked = Learning(self.folder, issue_every_s=EVERY_S, recipes=ONLY_SEASONAL)
        self.learning = replace(asked, **learning)
        self.store = ModelStore(self.folder)

    def open(self) -> Stage:
        self.stage = Stage(
            LEARNER, lambda c, _: LearnerActor(c, HOUSE, self.history, self.learning)
        )
        return self.stage

    def known_until(self, end_s: float) -> None:
        rows = []
        while self.live_s < end_s:
            rows.append(("learn.load_kw", self.live_s, usual_kw(self.live_s)))
            self.live_s += QUARTER
        self.history.append(rows)

    def live(self, days: float) -> None:
        """Let time go by; the meter goes on, and so does the actor that keeps records."""
        for _ in range(round(days * DAY / EVERY_S)):
            self.known_until(self.stage.now_s + EVERY_S)
            self.stage.run(EVERY_S)
        for record in self.stage.all_heard(HISTORY, Record):
            self.history.record(record.kind, record.at_s, json.dumps(dict(record.body)))

    def decisions(self) -> list[str]:
        return [r.body["what"] for r in self.stage.all_heard(HISTORY, Record) if r.kind == "model"]

    def trusted(self) -> str:
        """Put a champion on disk, as an earlier process would have left it."""
        known = self.history.range("learn.load_kw", 0.0, NOON)
        source = Source(len(known), known[0][0], NOON, QUARTER)
        card = self.store.save(
            ModelCard("load", "seasonal", 0, NOON - 8 * DAY, source), self._fitted(known)
        )
        standing = Standing("seasonal", card.version, Tier.CONTROL, NOON - DAY, NOON - 9 * DAY)
        scores = tuple(
            Score(
                NOON - 2 * DAY - k * EVERY_S,
                NOON - 2 * DAY - k * EVERY_S,
                96,
                {"seasonal": 0.1, "house": 0.2},
                {"seasonal": 0.8, "house": 0.8},
            )
            for k in reversed(range(28))
        )
        ledger = Ledger("load", scores, {"seasonal": standing}, "seasonal")
        self.store.keep_ledger({"load": ledger.plain()})
        return card.version

    @staticmethod
    def _fitted(known) -> SeasonalMean:
        import pandas as pd

        from pems_actors.learning.tables.table import Table

        index = pd.to_datetime([at_s for at_s, _ in known], unit="s", utc=True)
        frame = pd.DataFrame({"load_kw": [value for _, value in known]}, index=index)
        return SeasonalMean().fit(Table(frame, "load_kw"))


def test_every_issue_begins_with_the_predictors_own_word(tmp_path):
    stage = School(tmp_path).open()
    stage.run(100.0)
    for address in (WEATHER, LOAD, PV, PRICES):
        assert stage.all_heard(address, ForecastWanted) == [ForecastWanted(LEARNER)]


def test_an_empty_history_is_said_and_starts_no_process(tmp_path):
    stage = School(tmp_path).open()
    stage.run(DAY)
    assert stage.system.workers() == {}
    assert "load: the house's own serves, 0.0 of 3 days known" in stage.status.reason


def test_three_days_are_learned_from_and_the_process_that_trains_is_let_go(tmp_path):
    school = School(tmp_path, days=3.5)
    stage = school.open()
    stage.run(3600.0)
    assert [card.version for card in school.store.cards("load")[0]] == ["seasonal.1"]
    assert school.decisions() == ["entered"]
    assert stage.state.in_school == ""
    assert not stage.system.workers()["forecasting/training"].ready


def test_all_rivals_are_kept_as_issued_beside_the_house_and_scored_a_day_later(tmp_path):
    school = School(tmp_path, days=5.0)
    stage = school.open()
    stage.run(3600.0)
    grid = TimeGrid.uniform(stage.now_s - 3600.0, 400)
    stage.tell(Forecast("base_load_kw", stage.now_s, grid, (1.2,) * 400, source="weekly profile"))
    school.live(0.5)
    kept = [r for r in stage.all_heard(HISTORY, Record) if r.kind == "contest.load"]
    assert set(kept[0].body["rivals"]) == {"persistence", "seasonal.1", "house"}
    assert stage.state.ledgers["load"].scores == ()
    school.live(1.25)
    assert stage.state.ledgers["load"].scores[0].error["house"] == pytest.approx(0.39, abs=0.05)


def test_a_champion_of_an_earlier_process_serves_again_at_the_first_issue(tmp_path):
    school = School(tmp_path, days=10.0)
    version = school.trusted()
    stage = school.open()
    stage.run(120.0)
    told = stage.last(LOAD, LearnedForecast)
    assert told.model == version
    assert told.forecast is not None
    assert len(told.forecast.p50) == 192
    assert told.forecast.p50[0] == pytest.approx(usual_kw(NOON), abs=0.1)
    assert f"load: {version} serves" in stage.status.reason


def test_a_training_that_fails_touches_nothing_and_is_tried_again_another_day(tmp_path):
    school = School(tmp_path, days=10.0, training=BROKEN)
    version = school.trusted()
    stage = school.open()
    stage.run(3600.0)
    failed = [r for r in stage.all_heard(HISTORY, Record) if r.kind == "training_failed"]
    assert len(failed) == 1
    assert stage.status.state == "degraded"
    assert any("what serves goes on" in event.reason for event in stage.told(HealthChanged))
    school.live(0.75)
    assert stage.last(LOAD, LearnedForecast).model == version
    assert stage.state.ledgers["load"].champion == "seasonal"
    school.live(0.5)
    failed = [r for r in stage.all_heard(HISTORY, Record) if r.kind == "training_failed"]
    assert len(failed) == 2


def test_a_training_that_never_answers_ends_at_its_deadline(tmp_path):
    slow = replace(Learning(tmp_path).training, deadline_s=900.0, virtual_latency_s=(1e6, 2e6))
    school = School(tmp_path, days=10.0, training=slow)
    version = school.trusted()
    stage = school.open()
    stage.run(1100.0)
    (failed,) = (r for r in stage.all_heard(HISTORY, Record) if r.kind == "training_failed")
    assert "no answer within 900 s" in failed.body["reason"]
    school.live(0.5)
    assert stage.last(LOAD, LearnedForecast).model == version


def test_a_champion_that_cannot_be_opened_is_withdrawn(tmp_path):
    school = School(tmp_path, days=10.0, training=BROKEN)
    version = school.trusted()
    (school.folder / "load" / version / MODEL).write_bytes(b"torn")
    stage = school.open()
    stage.run(120.0)
    told = stage.last(LOAD, LearnedForecast)
    assert told.forecast is None
    assert "cannot be asked" in told.reason
    assert stage.state.ledgers["load"].serving is None


def test_a_champion_of_an_older_kind_is_withdrawn_in_a_sentence_until_it_is_trained_anew(
    tmp_path, monkeypatch
):
    school = School(tmp_path, days=10.0)
    with monkeypatch.context() as earlier:
        earlier.setattr("pems_actors.learning.life.card.KINDS", {"load": 0})
        school.trusted()
    stage = school.open()
    stage.run(120.0)
    told = stage.last(LOAD, LearnedForecast)
    assert told.forecast is None
    assert "another set of features (kind 0, now 2) and must be trained anew" in told.reason
    assert "Error" not in told.reason
    assert stage.state.ledgers["load"].serving is None
    stage.run(3600.0)
    assert [card.version for card in school.store.cards("load")[0]] == ["seasonal.2"]


def test_a_crash_loses_no_trust(tmp_path):
    school = School(tmp_path, days=10.0, training=BROKEN)
    version = school.trusted()
    stage = school.open()
    stage.run(3600.0)
    stage.crash()
    stage.forget()
    school.live(0.5)
    assert stage.last(LOAD, LearnedForecast).model == version


def test_the_next_process_goes_on_with_the_ledger_and_the_open_issues(tmp_path):
    school = School(tmp_path, days=5.0)
    stage = school.open()
    stage.run(3600.0)
    school.live(2.0)
    before = stage.state
    assert before.ledgers["load"].scores
    after = Stage(
        LEARNER,
        lambda c, _: LearnerActor(c, HOUSE, school.history, school.learning),
        start_s=stage.now_s,
    ).state
    assert after.ledgers["load"].standings == before.ledgers["load"].standings
    assert {i.issued_at_s for i in after.waiting} == {i.issued_at_s for i in before.waiting}


def test_a_model_that_somebody_else_has_trained_is_watched_too(tmp_path):
    school = School(tmp_path, days=10.0, training=BROKEN)
    school.trusted()
    stage = school.open()
    stage.run(3600.0)
    school.trusted()  # `pems train`, beside the running house
    school.live(0.5)
    assert stage.state.ledgers["load"].standings["seasonal"].version == "seasonal.2"


def test_a_restart_trains_nothing_that_was_just_trained(tmp_path):
    school = School(tmp_path, days=5.0)
    school.open().run(3600.0)
    school.open().run(3600.0)
    assert [card.version for card in school.store.cards("load")[0]] == ["seasonal.1"]
