"""Who serves: the best of those that may, and nobody if none may."""

from __future__ import annotations

import json

import pytest

from pems_actors.learning.life.champion import ledger_from, ledgers_from
from pems_actors.learning.life.contest import Score
from pems_actors.learning.life.trust import Standing, Tier
from tests.learning.records import BEGAN_S, at, card, ledger, now_after, scores

ABLE = Standing("ridge", "ridge.1", Tier.CONTROL, BEGAN_S, BEGAN_S)
RIVAL = Standing("trees", "trees.1", Tier.CONTROL, BEGAN_S, BEGAN_S)


def test_nobody_serves_before_somebody_stands_at_control():
    record = scores([0.8] * 4)
    book, decisions = ledger(record, Standing("ridge", "ridge.1")).judged(now_after(record))
    assert book.serving is None
    assert decisions == ()


def test_the_best_at_control_becomes_champion_with_its_numbers():
    record = scores([0.8] * 40, trees=0.7)
    book, decisions = ledger(record, ABLE, RIVAL).judged(now_after(record))
    assert book.champion == "trees"
    assert decisions[-1].what == "champion"
    assert decisions[-1].numbers["error"] == pytest.approx(0.7)
    assert "load: trees.1 is the champion: error 0.7 kW against 1 of" in decisions[-1].line


def test_a_rival_must_be_clearly_better_to_take_the_place():
    close, clear = scores([0.8] * 40, trees=0.79), scores([0.8] * 40, trees=0.7)
    assert ledger(close, ABLE, RIVAL, champion="ridge").judged(now_after(close))[0].champion == (
        "ridge"
    )
    assert ledger(clear, ABLE, RIVAL, champion="ridge").judged(now_after(clear))[0].champion == (
        "trees"
    )


def test_a_champion_that_drifts_is_dethroned_and_the_floor_serves():
    record = scores([0.8] * 30 + [3.0] * 2)
    book, decisions = ledger(record, ABLE, champion="ridge").judged(now_after(record))
    assert book.serving is None
    assert [d.what for d in decisions] == ["demoted", "dethroned"]
    assert "the floor serves" in decisions[-1].reason


def test_a_new_version_of_a_trusted_recipe_takes_its_place_at_once():
    book, decision = ledger((), ABLE, champion="ridge").entered(card(number=2), at(9))
    assert book.serving is not None
    assert book.serving.version == "ridge.2"
    assert decision.what == "entered"
    assert decision.numbers["rows"] == 960


def test_a_new_version_that_does_worse_on_the_same_days_is_refused():
    worse = card(number=2, mae=0.9, present_mae=0.6)
    book, decision = ledger((), ABLE, champion="ridge").entered(worse, at(9))
    assert book.serving is not None
    assert book.serving.version == "ridge.1"
    assert decision.what == "kept_old"


def test_a_recipe_that_nobody_knows_begins_at_observe():
    book, _ = ledger().entered(card(), at(0))
    assert book.standings["ridge"].tier is Tier.OBSERVE


def test_scores_count_for_the_recipe_whatever_its_version():
    score = Score(at(0), at(0), 96, {"ridge.7": 0.5, "persistence": 1.0}, {"ridge.7": 0.8})
    book = ledger().with_score(score).with_score(score)
    assert len(book.scores) == 1
    assert book.scores[0].error == {"ridge": 0.5, "persistence": 1.0}


def test_a_ledger_survives_being_written():
    book = ledger(scores([0.8] * 5), ABLE, RIVAL, champion="ridge")
    assert ledger_from(json.loads(json.dumps(book.plain()))) == book


def test_a_ledger_that_is_none_begins_anew():
    with pytest.raises(ValueError, match="no ledger"):
        ledger_from({"series": "load"})
    assert ledgers_from({"load": {"series": 3}}, ("load", "pv"))["load"].standings == {}


def test_a_struck_recipe_serves_no_more():
    book = ledger((), ABLE, champion="ridge").without("ridge")
    assert (book.standings, book.champion) == ({}, "")


def test_of_several_issues_for_the_same_day_the_last_counts_once():
    early = Score(at(0), at(1), 96, {"ridge": 0.9, "persistence": 1.0}, {})
    late = Score(at(0.5), at(1), 96, {"ridge": 0.5, "persistence": 1.0}, {})
    assert ledger().with_score(early).with_score(late).scores == (late,)
    assert ledger().with_score(late).with_score(early).scores == (late,)


def test_bands_that_hold_too_rarely_grow_and_those_that_hold_always_shrink():
    narrow = wide = ledger()
    for few, all_ in zip(
        scores([0.8] * 20, inside=0.5), scores([0.8] * 20, inside=1.0), strict=True
    ):
        narrow, wide = narrow.with_score(few), wide.with_score(all_)
    assert narrow.stretch["ridge"] > 1.8
    assert wide.stretch["ridge"] < 0.7
    assert set(wide.stretch) == {"ridge"}
    assert ledger_from(json.loads(json.dumps(wide.plain()))) == wide
