"""A house begins with an empty history, is trusted by numbers, and loses trust by numbers."""

from __future__ import annotations

import pytest

from pems_actors.actors.learner_school import Learning
from pems_actors.bench import learning
from pems_actors.bench.forecasting_branch import ForecastingBranch
from pems_actors.bench.learning_rooms import rooms_figures_of, worse_figures_of
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.contest import Score
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


def decided(room: str, what: str, days: float) -> dict[str, object]:
    return {"series": f"rooms/{room}", "what": what, "at_s": START_S + days * DAY_S}


def test_rooms_that_steered_are_counted_and_how_soon_they_were_let_go():
    decisions = [
        decided("den", "champion", 10.0),
        decided("bath", "champion", 11.0),
        decided("hall", "champion", 12.0),
        decided("attic", "champion", 12.0),
        decided("hall", "dethroned", 20.0),
        decided("den", "dethroned", 46.0),
        decided("bath", "dethroned", 48.5),
    ]
    figures = rooms_figures_of(decisions, START_S, START_S + 45 * DAY_S)
    assert figures == {
        "rooms_control_after_days": 10.0,
        "rooms_in_control": 3,
        "rooms_first_demoted_after_h": 24.0,
        "rooms_demoted_48h": 1,
        "rooms_demoted": 2,
    }
    never = rooms_figures_of([], START_S, START_S + 45 * DAY_S)
    assert never["rooms_control_after_days"] is None
    assert never["rooms_first_demoted_after_h"] is None


def lived(before_k: float, after_k: float, configured_k: float) -> Ledger:
    """Six weeks and two days of scores every six hours."""
    errors = [before_k] * 180 + [after_k] * 8
    scores = (
        Score(START_S + k * 0.25 * DAY_S, START_S + k * 0.25 * DAY_S, 96,
              {"identified": error, "house": configured_k}, {"identified": 0.8, "house": 0.0})
        for k, error in enumerate(errors)
    )  # fmt: skip
    return Ledger("rooms", tuple(scores))


def test_a_rebuilt_room_is_worse_only_where_the_house_as_configured_tells_it_better():
    ledgers = {
        "rooms/den": lived(0.05, 0.30, 0.15),
        "rooms/bath": lived(0.05, 0.30, 0.50),  # nothing better would serve in its place
        "rooms/hall": lived(0.02, 0.12, 0.08),  # nobody feels it
        "rooms/attic": lived(0.05, 0.40, 0.20),
    }
    decisions = [decided(room.removeprefix("rooms/"), "champion", 9.0) for room in ledgers]
    decisions.append(decided("den", "dethroned", 46.5))
    assert worse_figures_of(ledgers, decisions, START_S + 45 * DAY_S) == {
        "rooms_worse_48h": 2,
        "rooms_worse_kept_48h": 1,
        "rooms_worse_kept": ["rooms/attic"],
    }


def test_the_history_of_a_long_life_keeps_quarter_hours_of_the_rooms_and_what_was_decided():
    history = learning.LearningHistory()
    for minute in range(30):
        at_s = START_S + 60.0 * minute
        history.append([("temp_c.den", at_s, 20.0 + minute), ("soc_frac", at_s, 0.5)])
    assert history.range("temp_c.den", START_S, START_S + DAY_S) == [
        (START_S, 27.0),
        (START_S + 900.0, 42.0),
    ]
    assert history.series() == ["temp_c.den"]
    history.record("command", START_S, "{}")
    assert history.records("command", START_S - 1.0, START_S + 1.0) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_whole_house_learns_its_rooms_and_goes_by_them_within_a_fortnight():
    told = learning.run(rules=True, days=14.0, recipes=QUICK)
    figures = told["figures"]
    assert figures["restarts"] == 0
    assert figures["rooms_control_after_days"] <= 12.0
    promoted = [line for line in told["log"] if line.split()[1].startswith("rooms/")]
    assert all("K against" in line for line in promoted if "promoted" in line)
