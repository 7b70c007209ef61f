"""The resilience bench counts what it says: orders of two lives that contradict, lost rows."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest

from pems_actors.bench.live_house import RelayOrder, committed_rows, lost_rows, torn_files
from pems_actors.bench.resilience import TARGETS, double_actuations
from pems_actors.gateways.sqlite_history import SqliteHistory
from supervision.snapshots import SnapshotStore

DEATH_S = 10_000.0


def order(at_s: float, on: bool, reason: str = "plan: on", relay: str = "hosti") -> RelayOrder:
    return RelayOrder(relay, on, DEATH_S + at_s, reason)


def test_two_lives_that_agree_contradict_nobody() -> None:
    orders = [order(-900.0, True), order(-10.0, True), order(60.0, True), order(400.0, True)]
    assert double_actuations(orders, [DEATH_S]) == []


def test_an_order_of_a_dead_life_after_the_first_of_the_next_one_counts() -> None:
    late = order(-1.0, True)
    orders = [order(-10.0, True), order(60.0, True, relay="loznice"), late]
    assert double_actuations(orders, [DEATH_S]) == [late]


def test_a_flip_across_a_death_within_the_dwell_counts() -> None:
    flip = order(60.0, False)
    assert double_actuations([order(-30.0, True), flip], [DEATH_S]) == [flip]


def test_a_flip_after_the_dwell_is_an_ordinary_decision() -> None:
    orders = [order(-600.0, True), order(-30.0, True), order(60.0, False)]
    assert double_actuations(orders, [DEATH_S]) == []


def test_a_flip_within_one_life_is_not_the_restarts_fault() -> None:
    orders = [order(-900.0, True), order(-800.0, False), order(60.0, False)]
    assert double_actuations(orders, [DEATH_S]) == []


@pytest.mark.parametrize("rule", ["breaker", "overheat", "frost"])
def test_a_limit_that_may_break_a_dwell_may_do_so_after_a_death_too(rule: str) -> None:
    orders = [order(-30.0, True), order(60.0, False, f"{rule}: now")]
    assert double_actuations(orders, [DEATH_S]) == []


def test_rows_that_are_gone_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    history = SqliteHistory(file)
    history.append([("outdoor_c", float(k), 1.0) for k in range(20)])
    for k in range(5):
        history.record("decision", float(k), f'{{"k": {k}}}')
    assert history.flush()
    before = committed_rows(tmp_path)
    assert (before.samples, before.records) == (20, 5)
    assert lost_rows(tmp_path, before) == 0
    history.close()
    with sqlite3.connect(file) as thief:
        thief.execute("DELETE FROM record WHERE id = 5")
    assert lost_rows(tmp_path, before) == 1
    with thief:
        thief.execute("DELETE FROM sample WHERE at_ms >= 8000")
    thief.close()
    assert lost_rows(tmp_path, before) == 13


def test_torn_files_are_named_and_sound_ones_are_not(tmp_path: Path) -> None:
    SnapshotStore(tmp_path / "snapshots").save("rooms/hosti", {"on": True}, 1.0)
    (tmp_path / "run.json").write_text("{}")
    assert torn_files(tmp_path) == []
    good = json.dumps({"relays": list(range(50))})
    torn = random.Random(1).randrange(1, len(good))
    (tmp_path / "safe_state.json").write_text(good[:torn])
    assert torn_files(tmp_path) == ["safe_state.json"]


def test_the_targets_are_those_of_the_architecture() -> None:
    values = {name: target.value for name, target in TARGETS.items()}
    assert values == {
        "rules_live_s_p99": 2.0,
        "plan_s_p99": 10.0,
        "rows_lost": 0.0,
        "double_actuations": 0.0,
        "torn_snapshots": 0.0,
    }
