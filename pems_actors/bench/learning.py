"""`pems bench learning`: two months of a house that begins with an empty history, on virtual time.

Plans heat, on a coarse grid (one an hour, a look at the rooms every two minutes), or the rules do
(`rules`); forecasters and rooms learn: training runs inline on virtual time. Late in the span the
people change their habits, and the house is rebuilt as it was drawn: whoever was trusted with the
load must lose that trust within two days, and so must rooms that were learned otherwise. `quick`
leaves the rest of the house out, not the time.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import config
from pems_actors.actors.learner_school import Learning
from pems_actors.bench.forecasting_branch import ForecastingBranch
from pems_actors.bench.learning_rooms import (
    WITHIN_H,
    rooms_figures_of,
    rooms_ledgers,
    worse_figures_of,
)
from pems_actors.bench.report import Target, report
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.house import HouseModel
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S, iso, seconds
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.simulate import Performance, Story
from pems_actors.simulation.habits import NewHabits
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin

START = "2023-02-01T00:00:00Z"
DAYS = 60.0
LOOK_S = 120.0
DRIFT_FRAC = 0.75
KEPT_SERIES = "learn."
OF_ROOMS = ("temp_c.", "relay.", "outdoor_c")
KEPT_RECORDS = ("model", "house_model", "contest.", "trained", "training_failed", "issued.")


class LearningHistory(MemoryHistory):
    """Keeps what is learned from and what was decided; of the rooms only quarter hours' means.

    That is how they are read; a minute of every sensor is not needed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._quarters: dict[str, tuple[float, float, int]] = {}  # start, sum and count

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Store the rows that somebody learns from."""
        kept = [row for row in samples if row[0].startswith(KEPT_SERIES)]
        for name, at_s, value in samples:
            if name.startswith(OF_ROOMS):
                kept.append(self._mean(name, at_s, value))
        super().append(kept)

    def _mean(self, name: str, at_s: float, value: float) -> tuple[str, float, float]:
        """Give the mean so far of the quarter hour; the next one replaces it."""
        start_s = at_s // QUARTER_S * QUARTER_S
        known_s, total, count = self._quarters.get(name, (start_s, 0.0, 0))
        if known_s != start_s:
            total, count = 0.0, 0
        self._quarters[name] = (start_s, total + value, count + 1)
        return name, start_s, (total + value) / (count + 1)

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Store the records of forecasts and models."""
        if kind.startswith(KEPT_RECORDS):
            super().record(kind, at_s, body)


def run(
    *,
    quick: bool = False,
    rules: bool = False,
    days: float | None = None,
    recipes: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, Any]:
    """Let the house live, and report when each series earned its trust and when it lost it."""
    span, history = days or DAYS, LearningHistory()
    began_s, drift_s = time.process_time(), seconds(START) + int(DRIFT_FRAC * span) * DAY_S
    with tempfile.TemporaryDirectory(prefix="pems-learning-") as folder:
        learning = Learning(Path(folder), issue_every_s=6 * HOUR_S, recipes=recipes or {})
        if quick:
            lived = branch_lived(span, drift_s, learning, history)
        else:
            lived = house_lived(span, drift_s, learning, history, planning=not rules)
        rooms = rooms_ledgers(Path(folder))
    decisions = decisions_of(history, seconds(START) + (span + 1) * DAY_S)
    figures = {
        **figures_of(decisions, seconds(START), drift_s),
        "whole_house": not quick,
        "days": span,
        "cpu_s": round(time.process_time() - began_s, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1),
        **lived,
    }
    targets = {"load_demoted_after_h": Target("<=", WITHIN_H), "promotions": Target(">=", 2.0)}
    if not quick:
        figures.update(rooms_figures_of(decisions, seconds(START), drift_s))
        figures.update(worse_figures_of(rooms, decisions, drift_s))
        targets["rooms_first_demoted_after_h"] = Target("<=", WITHIN_H)
        targets["rooms_worse_kept_48h"] = Target("<=", 0.0)
    log = [f"{iso(d['at_s'])} {line_of(d)}" for d in decisions]
    return {**report("learning", figures, targets), "log": log}


class RebuiltTwin(Twin):
    """A twin whose rooms can be rebuilt while it is lived in."""

    def rebuilt(self, model: HouseModel) -> None:
        """Be another house from now on, as warm as it is."""
        self.dynamics = HouseDynamics(model)
        self._steps.clear()


def house_lived(
    days: float,
    drift_s: float,
    learning: Learning,
    history: LearningHistory,
    *,
    planning: bool = True,
) -> dict[str, Any]:
    """Let the reference house live, learning as it goes; gives what came of it."""
    story = _story(days)
    coarse = replace(
        story.pace,
        control_tick_s=LOOK_S,
        plan_every_s=HOUR_S,
        horizon_s=DAY_S,
        planning=planning,
        learning=learning,
    )
    story = replace(story, pace=coarse)
    scenario = _world(story, drift_s)
    model = true_model(story.house.model, story.seed)
    blocked = story.tariff.blocked
    twin = RebuiltTwin(story.house, model, scenario, blocked, story.start_s, story.seed)
    performance = Performance(story, twin, scenario, scenario, history=history)
    performance.start()
    performance.run_until(min(drift_s, story.start_s + days * DAY_S))
    twin.rebuilt(story.house.model)
    performance.run_until(story.start_s + days * DAY_S)
    performance.appliance.system.stop(10.0)
    return {
        "restarts": performance.counters()["restarts"],
        "cold_kh": round(twin.figures()["cold_kh"], 3),
        **{f"level_h_{n}": round(s / HOUR_S, 1) for n, s in enumerate(performance.level_s)},
    }


def branch_lived(
    days: float, drift_s: float, learning: Learning, history: LearningHistory
) -> dict[str, Any]:
    """Let the forecasters live without the rest of the house; gives what came of it."""
    story = _story(days)
    branch = ForecastingBranch(story.house, story.tariff, _world(story, drift_s), history, learning)
    branch.run(days)
    branch.stop()
    return {"restarts": branch.system.counters()["restarts"]}


def _story(days: float) -> Story:
    system = config.load(env={}).system
    return Story(house_from(system), tariff_from(system), seconds(START), days)


def _world(story: Story, drift_s: float) -> Scenario:
    usual = Scenario.reference(story.house, story.start_s, story.days)
    return NewHabits.after(usual, drift_s)


def decisions_of(history: MemoryHistory, until_s: float) -> list[dict[str, Any]]:
    """Read what was decided about models, oldest first."""
    return [json.loads(body) for _, body in history.records("model", 0.0, until_s)]


def figures_of(
    decisions: Sequence[Mapping[str, Any]], start_s: float, drift_s: float
) -> dict[str, Any]:
    """When each series was first trusted with control, and how soon a drift was noticed."""
    figures: dict[str, Any] = {
        "promotions": sum(d["what"] == "promoted" for d in decisions),
        "demotions": sum(d["what"] == "demoted" for d in decisions),
    }
    for series in ("load", "pv", "price"):
        own = [d for d in decisions if d["series"] == series]
        first = next((d["at_s"] for d in own if d["what"] == "champion"), None)
        figures[f"{series}_control_after_days"] = (
            None if first is None else round((first - start_s) / DAY_S, 2)
        )
    served = next(
        (
            d["at_s"]
            for d in decisions
            if d["series"] == "load" and d["what"] == "dethroned" and d["at_s"] >= drift_s
        ),
        None,
    )
    figures["load_demoted_after_h"] = None if served is None else (served - drift_s) / HOUR_S
    return figures


def line_of(decision: Mapping[str, Any]) -> str:
    """Tell a decision on a line."""
    what, tier = decision["what"], decision["tier"]
    return f"{decision['series']} {decision['version']} {what} ({tier}): {decision['reason']}"
