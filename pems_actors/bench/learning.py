"""`pems bench learning`: two months of a house that begins with an empty history, on virtual time.

The rules heat, the forecasters learn: training runs inline on virtual time. Late in the span the
people change their habits; whoever was trusted with the load must lose that trust within two days.
`quick` leaves the rest of the house out, not the time.
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
from pems_actors.bench.report import Target, report
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.units import DAY_S, HOUR_S, iso, seconds
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.simulate import Performance, Story, without_planner
from pems_actors.simulation.habits import NewHabits
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin

START = "2023-02-01T00:00:00Z"
DAYS = 60.0
DRIFT_FRAC = 0.75
KEPT_SERIES = "learn."
KEPT_RECORDS = ("model", "contest.", "trained", "training_failed", "issued.")


class LearningHistory(MemoryHistory):
    """Keeps what is learned from and what was decided; a minute of every sensor is not needed."""

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Store the rows that somebody learns from."""
        super().append([row for row in samples if row[0].startswith(KEPT_SERIES)])

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Store the records of forecasts and models."""
        if kind.startswith(KEPT_RECORDS):
            super().record(kind, at_s, body)


def run(
    *,
    quick: bool = False,
    days: float | None = None,
    recipes: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, Any]:
    """Let the house live, and report when each series earned its trust and when it lost it."""
    span, history = days or DAYS, LearningHistory()
    began_s, drift_s = time.process_time(), seconds(START) + int(DRIFT_FRAC * span) * DAY_S
    with tempfile.TemporaryDirectory(prefix="pems-learning-") as folder:
        learning = Learning(Path(folder), issue_every_s=6 * HOUR_S, recipes=recipes or {})
        live = branch_lived if quick else house_lived
        restarts = live(span, drift_s, learning, history)
    decisions = decisions_of(history, seconds(START) + (span + 1) * DAY_S)
    figures = {
        **figures_of(decisions, seconds(START), drift_s),
        "whole_house": not quick,
        "days": span,
        "cpu_s": round(time.process_time() - began_s, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1),
        "restarts": restarts,
    }
    targets = {"load_demoted_after_h": Target("<=", 48.0), "promotions": Target(">=", 2.0)}
    log = [f"{iso(d['at_s'])} {line_of(d)}" for d in decisions]
    return {**report("learning", figures, targets), "log": log}


def house_lived(days: float, drift_s: float, learning: Learning, history: LearningHistory) -> int:
    """Let the reference house live under its rules, learning as it goes; gives the restarts."""
    story = _story(days)
    story = replace(story, pace=replace(story.pace, learning=learning))
    scenario = _world(story, drift_s)
    model = true_model(story.house.model, story.seed)
    blocked = story.tariff.blocked
    twin = Twin(story.house, model, scenario, blocked, story.start_s, story.seed)
    performance = Performance(story, twin, scenario, scenario, history=history)
    performance.start()
    performance.run_until(story.start_s + days * DAY_S)
    performance.appliance.system.stop(10.0)
    return performance.counters()["restarts"]


def branch_lived(days: float, drift_s: float, learning: Learning, history: LearningHistory) -> int:
    """Let the forecasters live without the rest of the house; gives the restarts."""
    story = _story(days)
    branch = ForecastingBranch(story.house, story.tariff, _world(story, drift_s), history, learning)
    branch.run(days)
    branch.stop()
    return branch.system.counters()["restarts"]


def _story(days: float) -> Story:
    system = config.load(env={}).system
    return without_planner(Story(house_from(system), tariff_from(system), seconds(START), days))


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
