"""The learner: has models trained and asked, keeps their record, and says who may serve.

It never forecasts itself and nobody waits for it. Models live in worker processes: one answers
questions, another exists only while something is trained. Every six hours all rivals' forecasts
are kept as issued, those whose day is over are scored, and trust moves by the scores alone. A
training that fails, or never comes back, changes nothing: what serves goes on serving.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from pems_actors.actors.as_issued import EVERY_S
from pems_actors.actors.base import LEARNER, LOAD, PRICES, PV, WEATHER, HouseActor
from pems_actors.actors.learner_mind import (
    Asked,
    LearnerMind,
    house_band,
    summary,
)
from pems_actors.actors.learner_past import KIND, WAITS_AT_MOST_S, Past
from pems_actors.actors.learner_school import Learning, School, new_cards, schooling_of
from pems_actors.domain.events import ForecastWanted, Tick
from pems_actors.domain.forecasts import Forecast, LearnedForecast, WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.ports import History
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import QUARTER_S
from pems_actors.forecasting.prices import SpotSeries
from pems_actors.learning.life.card import ModelCard, recipe_of
from pems_actors.learning.life.champion import Decision, Ledger, ledgers_from
from pems_actors.learning.life.contest import HOUSE, Band, Issue
from pems_actors.learning.life.jobs import (
    LEAST,
    SERIES,
    TARGETS,
    ForecastJob,
    Place,
    Told,
    Trained,
)
from pems_actors.learning.life.past import AHEAD_S
from pems_actors.learning.life.store import ModelStore
from supervision import Context, Health
from supervision.worker import Worker, WorkerDone, WorkerFailed

ANSWERED_AFTER_S = 10.0  # the predictors have told their own by then
FIRST_AFTER_S = 90.0
ADDRESS: Mapping[str, str] = {"load": LOAD, "pv": PV, "price": PRICES}
NAMES: Mapping[str, str] = {"base_load_kw": "load", "pv_kw": "pv"}


class Collected(Tick):
    """Its own reminder: the predictors have answered by now."""


class LearnerActor(HouseActor):
    """Its state outlives a crash; the ledger on disk outlives the process."""

    state: LearnerMind

    def __init__(self, context: Context, house: House, store: History, learning: Learning) -> None:
        super().__init__(context)
        self.past, self.learning = Past(store), learning
        self.models = ModelStore(learning.folder)
        self.place = Place(house.site, house.roofs)

    def on_start(self) -> None:
        """Begin with the record so far; what was asked before a crash is asked again."""
        self.asking: Worker | None = None
        self.school = School(self, self.learning, self.place, self.past)
        super().on_start()
        ticket = self.state.ticket + 1000
        self.state = replace(self.state, asked={}, in_school="", ticket=ticket)
        self.after(FIRST_AFTER_S, Tick())

    def first_state(self) -> LearnerMind:
        """Begin with the ledger on disk and with the issues that wait for their truth."""
        plain, wrong = self.models.ledger()
        if wrong:
            self.health(Health.DEGRADED, wrong)
        ledgers = ledgers_from(plain, SERIES)
        waiting = tuple(
            issue
            for name in SERIES
            for issue in self.past.waiting(
                name, (score.issued_at_s for score in ledgers[name].scores), self.now_s()
            )
        )
        return LearnerMind(ledgers, waiting, schooling=schooling_of(self.models))

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case WeatherForecast():
                self.state = replace(self.state, weather=message)
            case SpotSeries():
                self.state = replace(self.state, spot=message)
            case Forecast(name=name) if name in NAMES:
                self.state = replace(self.state, own={**self.state.own, NAMES[name]: message})
            case Collected():
                self._on_collected(self.now_s())
            case Tick():
                self._on_tick()
            case WorkerDone(ticket=ticket, result=Told() as told):
                self._on_told(ticket, told)
            case WorkerDone(result=Trained() as trained):
                self._on_trained(trained)
            case WorkerFailed():
                self._on_failure(message)
            case _:
                return super().on_receive(message)
        return None

    # -- asking --------------------------------------------------------------------------------

    def _on_tick(self) -> None:
        every_s = self.learning.issue_every_s
        self.after(every_s - (self.now_s() - FIRST_AFTER_S) % every_s, Tick())
        for address in (WEATHER, LOAD, PV, PRICES):
            self.tell(address, ForecastWanted(LEARNER))
        self.after(ANSWERED_AFTER_S, Collected())

    def _on_collected(self, now_s: float) -> None:
        kept = now_s // EVERY_S != self.state.kept
        if kept:
            self.state = replace(self.state, kept=now_s // EVERY_S)
            days = {name: self.past.days(name, now_s) for name in SERIES}
            self.state = replace(self.state, days=days)
            for name in SERIES:
                allowed = self.learning.recipes.get(name)
                cards = new_cards(self.models, self.state, name, allowed)
                self._enter(name, cards, now_s)
            self._score(now_s)
            self._judge(now_s)
            self._save()
        for name in SERIES:
            self._ask(name, now_s, kept=kept)
        self.state = self.school.begin_next(self.state, now_s)
        self._tell_health(now_s)

    def _ask(self, series: str, now_s: float, *, kept: bool) -> None:
        """Ask all rivals if it will be scored, else only the one that serves."""
        ledger = self.state.ledgers[series]
        able = ledger.standings.values() if kept else filter(None, (ledger.serving,))
        versions = tuple(sorted(standing.version for standing in able))
        if not versions:
            return
        start_s = now_s - now_s % QUARTER_S
        if series == "price" and self.state.spot is not None:
            start_s = max(start_s, self.state.spot.published_until_s)
        known = self.past.recent(series, start_s, self.state.weather)
        grid = TimeGrid.uniform(start_s, round(AHEAD_S / known.step_s), known.step_s)
        job = ForecastJob(
            series, str(self.learning.folder), self.place, known, now_s, start_s, len(grid),
            versions,
        )  # fmt: skip
        house = house_band(self.state, series, grid)
        ticket, asked = self.state.ticket + 1, Asked(series, now_s, grid, house, kept)
        self.state = replace(self.state, ticket=ticket, asked={**self.state.asked, ticket: asked})
        if self.asking is None:  # not before there is something to ask: it takes memory and time
            self.asking = self.worker(self.learning.models)
        self.asking.submit(ticket, job)

    def _on_told(self, ticket: int, told: Told) -> None:
        asked = self.state.asked.get(ticket)
        if asked is None:
            return
        self.state = replace(self.state, asked=_without(self.state.asked, ticket))
        for version, why in told.broken.items():
            self._strike(asked.series, version, why)
        rivals = self._calibrated(asked.series, told.rivals)
        if asked.house is not None:
            rivals[HOUSE] = asked.house
        grid = asked.grid
        if asked.kept:
            step_s = grid.durations_s[0]
            issue = Issue(asked.series, asked.issued_at_s, grid.start_s, step_s, rivals)
            self.keep(f"{KIND}{asked.series}", issue.plain())
            self.state = replace(self.state, waiting=(*self.state.waiting, issue))
        self._serve(asked, rivals)

    def _calibrated(self, series: str, rivals: Mapping[str, Band]) -> dict[str, Band]:
        """Stretch each band as the record of its recipe asks for."""
        stretch, least = self.state.ledgers[series].stretch, LEAST.get(series, -inf)
        return {
            version: band.stretched(stretch.get(recipe_of(version), 1.0), least)
            for version, band in rivals.items()
        }

    def _serve(self, asked: Asked, rivals: Mapping[str, Band]) -> None:
        """Hand the champion's forecast to the predictor whose place it takes."""
        serving = self.state.ledgers[asked.series].serving
        band = rivals.get(serving.version) if serving is not None else None
        if serving is None or band is None:
            return
        name = TARGETS[asked.series]
        forecast = Forecast(
            name, asked.issued_at_s, asked.grid, band.p50, band.p10, band.p90, serving.version
        )
        self.tell(ADDRESS[asked.series], LearnedForecast(serving.version, forecast, "champion"))

    # -- keeping score -------------------------------------------------------------------------

    def _score(self, now_s: float) -> None:
        """Score the issues whose first day is over; give up on those whose truth never came."""
        ledgers, waiting = dict(self.state.ledgers), []
        for issue in self.state.waiting:
            score = self.past.score(issue, now_s)
            if score is not None:
                ledgers[issue.series] = ledgers[issue.series].with_score(score)
            elif now_s - issue.scored_from_s < WAITS_AT_MOST_S:
                waiting.append(issue)
        self.state = replace(self.state, ledgers=ledgers, waiting=tuple(waiting))

    def _judge(self, now_s: float) -> None:
        """Move trust by the scores; whoever loses control is taken back at once."""
        for name in SERIES:
            before = self.state.ledgers[name]
            after, decisions = before.judged(now_s)
            self._decide(after, decisions)
            if before.champion and not after.champion:
                why = decisions[0].line if decisions else "nobody is trusted"
                self.tell(ADDRESS[name], LearnedForecast("", None, why))

    def _decide(self, ledger: Ledger, decisions: Iterable[Decision]) -> None:
        """Take a ledger in, and tell each decision to log and history."""
        self.state = replace(self.state, ledgers={**self.state.ledgers, ledger.series: ledger})
        for decision in decisions:
            self.keep("model", decision.plain())
            self.health(Health.RUNNING, decision.line)

    def _save(self) -> None:
        """Keep the ledgers. Small, once in six hours, and no one waits for this actor."""
        plain = {name: ledger.plain() for name, ledger in self.state.ledgers.items()}
        try:
            self.models.keep_ledger(plain)
        except OSError as problem:
            self.health(Health.DEGRADED, f"trust is not saved ({problem}); it holds in memory")

    # -- training ------------------------------------------------------------------------------

    def _on_trained(self, trained: Trained) -> None:
        now_s = self.now_s()
        self.state = self.school.done(self.state, trained, now_s)
        self._enter(trained.series, trained.cards, now_s)
        self._save()

    def _enter(self, series: str, cards: Iterable[ModelCard], now_s: float) -> None:
        for card in cards:
            ledger, decision = self.state.ledgers[series].entered(card, now_s)
            if decision.what == "kept_old":
                refused = self.state.refused | {(series, card.version)}
                self.state = replace(self.state, refused=refused)
            self._decide(ledger, (decision,))

    def _on_failure(self, failed: WorkerFailed) -> None:
        """What serves goes on serving; a failed training is tried again another day."""
        if failed.worker != self.learning.training.name:
            self.state = replace(self.state, asked=_without(self.state.asked, failed.ticket))
            self.health(Health.DEGRADED, f"models: {failed.reason}")
        elif name := self.state.in_school:  # else it was dismissed
            self.state = self.school.failed(self.state, failed)
            self.health(Health.DEGRADED, f"training {name}: {failed.reason}; what serves goes on")

    def _strike(self, series: str, version: str, why: str) -> None:
        """Strike a version that cannot be asked any more; the floor serves in its place."""
        ledger = self.state.ledgers[series]
        for recipe, standing in ledger.standings.items():
            if standing.version != version:
                continue
            after = ledger.without(recipe)
            said = f"{version} cannot be asked ({why})"
            decision = Decision(
                self.now_s(), series, recipe, version, "dethroned", standing.tier, said
            )
            refused = self.state.refused | {(series, version)}
            self.state = replace(self.state, refused=refused)
            self._decide(after, (decision,))
            self._save()
            if ledger.champion and not after.champion:
                self.tell(ADDRESS[series], LearnedForecast("", None, said))

    def _tell_health(self, now_s: float) -> None:
        troubles = [f"{n}: {s.trouble}" for n, s in self.state.schooling.items() if s.trouble]
        said = "; ".join((*troubles, summary(self.state, now_s)))
        self.health(Health.DEGRADED if troubles else Health.RUNNING, said)


def _without(asked: Mapping[int, Asked], ticket: int) -> dict[int, Asked]:
    return {number: each for number, each in asked.items() if number != ticket}
