"""A house begins with an empty history, is trusted by numbers, and loses trust by numbers."""

from __future__ import annotations

import pytest

from pems_actors.actors.learner_school import Learning
from pems_actors.bench import learning
from pems_actors.bench.forecasting_branch import ForecastingBranch
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.learning.life.store import ModelStore
from pems_actors.simulation.scenario import Scenario

START_S = seconds("2023-05-01T00:00:00Z")
QUICK = dict.fromkeys(("load", "pv", "price"), ("seasonal",))


def branch(tmp_path, days: float, seed: int = 0):
    from config import load

    system = load(env={}).system
    house, history = house_from(system), learning.LearningHistory()
    told = Learning(tmp_path, issue_every_s=6 * HOUR_S, recipes=QUICK)
    scenario = Scenario.reference(house, START_S, days)
    made = ForecastingBranch(house, tariff_from(system), scenario, history, told, seed)
    made.run(days)
    return made, history


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_first_days_fill_history_registry_and_contest(tmp_path):
    made, history = branch(tmp_path, 5.0)
    end_s = START_S + 6 * DAY_S
    assert made.system.counters()["restarts"] == 0
    assert {card.recipe for card in ModelStore(tmp_path).cards("load")[0]} == {"seasonal"}
    assert len(history.range("learn.load_kw", START_S, end_s)) >= 5 * 96 - 2
    assert len(history.range("learn.price_eur_mwh", START_S - 7 * DAY_S, end_s)) >= 12 * 96
    assert len(history.records("issued.weather", START_S, end_s)) >= 20
    assert history.records("contest.load", START_S, end_s)
    entered = learning.decisions_of(history, end_s)
    assert {decision["series"] for decision in entered} == {"load", "pv", "price"}
    assert all(decision["numbers"]["rows"] > 0 for decision in entered if "rows" in decision)
    made.stop()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_same_seed_decides_the_same(tmp_path):
    runs = [branch(tmp_path / name, 4.0)[1] for name in ("one", "two")]
    one, two = (learning.decisions_of(history, START_S + 9 * DAY_S) for history in runs)
    assert one == two
    assert one


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_sixty_days_from_nothing_tiers_rise_and_a_drift_is_demoted_within_two_days():
    told = learning.run(quick=True)
    figures = told["figures"]
    assert figures["restarts"] == 0
    assert figures["promotions"] >= 4
    for series in ("load", "price"):
        assert figures[f"{series}_control_after_days"] is not None
    assert figures["load_demoted_after_h"] <= 48.0
    promoted = [line for line in told["log"] if "promoted" in line]
    assert all("against" in line and "days" in line for line in promoted)
