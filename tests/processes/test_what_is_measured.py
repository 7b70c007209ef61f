"""The resilience bench counts what it says: orders of two lives that contradict, lost rows."""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pems_actors.bench import resilience, writer_victim
from pems_actors.bench.live_traces import RelayOrder, committed_rows, lost_rows, torn_files
from pems_actors.bench.resilience import SECTIONS, chosen, kill_writer
from pems_actors.bench.resilience.extent import QUICK, Extent
from pems_actors.bench.resilience.two_lives import double_actuations
from pems_actors.durable.order_journal import OrderJournal
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
    orders = [order(-900.0, False), order(-30.0, True), flip]
    assert double_actuations(orders, [DEATH_S]) == [flip]


def test_the_first_order_heard_may_be_a_renewal_and_no_switch() -> None:
    orders = [order(-30.0, True), order(60.0, False)]
    assert double_actuations(orders, [DEATH_S]) == []


def test_a_switch_that_the_next_life_repeats_counts() -> None:
    again = order(20.0, True)
    orders = [order(-900.0, False), order(-10.0, True), again]
    assert double_actuations(orders, [DEATH_S]) == [again]


def test_a_renewal_that_the_next_life_gives_at_once_switches_nothing() -> None:
    orders = [order(-900.0, True), order(-10.0, True), order(20.0, True)]
    assert double_actuations(orders, [DEATH_S]) == []


def test_a_flip_after_the_dwell_is_an_ordinary_decision() -> None:
    orders = [order(-600.0, True), order(-30.0, True), order(60.0, False)]
    assert double_actuations(orders, [DEATH_S]) == []


def test_a_flip_within_one_life_is_not_the_restarts_fault() -> None:
    orders = [order(-900.0, True), order(-800.0, False), order(60.0, False)]
    assert double_actuations(orders, [DEATH_S]) == []


@pytest.mark.parametrize("rule", ["breaker", "overheat", "frost", "tariff"])
def test_a_limit_that_may_break_a_dwell_may_do_so_after_a_death_too(rule: str) -> None:
    orders = [order(-900.0, False), order(-30.0, True), order(60.0, False, f"{rule}: now")]
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


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Three rounds of a writer, all of them safe."""
    history = SqliteHistory(tmp_path / writer_victim.HISTORY, outbox=True)
    snapshots = SnapshotStore(tmp_path / writer_victim.SNAPSHOTS)
    journal = OrderJournal.open(tmp_path, (f"relay/{writer_victim.RELAY}",))
    for number in (1, 2, 3):
        writer_victim.write_round(number, history, snapshots, journal)
    assert history.flush()
    history.close()
    journal.close()
    return tmp_path


def test_a_writer_that_keeps_its_word_has_lost_nothing(written: Path) -> None:
    tally = kill_writer.Tally(safe_round=3)
    kill_writer.look(written, 0, tally)
    assert (tally.rows_lost, tally.torn, tally.forgotten) == (0, 0, 0)


def test_what_a_writer_called_safe_and_is_not_there_counts(written: Path) -> None:
    with sqlite3.connect(written / writer_victim.HISTORY) as thief:
        thief.execute("DELETE FROM sample WHERE at_ms = 2000 AND series = 1")
        thief.execute("DELETE FROM record WHERE at_ms = 3000")
        thief.execute("DELETE FROM outbox WHERE id = 1")
    thief.close()
    assert kill_writer.missing_rows(written, 0, 3) == 3
    assert kill_writer.missing_rows(written, 2, 3) == 2  # the record, and the unsent line
    tally = kill_writer.Tally(safe_round=4)
    kill_writer.look(written, 3, tally)
    assert tally.torn == tally.forgotten == 1
    assert tally.rows_lost > len(writer_victim.SERIES)


@pytest.mark.slow
def test_a_killed_writer_leaves_what_it_called_safe(tmp_path: Path) -> None:
    rng, tally = random.Random(1), kill_writer.Tally()
    for _ in range(4):
        before = tally.safe_round
        tally.safe_round = max(before, kill_writer.one_life(tmp_path, rng))
        kill_writer.look(tmp_path, before, tally)
    assert tally.safe_round > 0
    assert (tally.rows_lost, tally.torn, tally.forgotten) == (0, 0, 0)


def test_sections_are_chosen_by_name_and_run_in_their_order() -> None:
    assert chosen(()) == ("core", "writer", "solver", "broker", "freeze")
    assert chosen(("freeze", "core")) == ("core", "freeze")
    with pytest.raises(ValueError, match="no section 'moon'; give some of core, writer"):
        chosen(("moon",))


def test_a_run_does_as_much_as_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Extent] = []

    def section(_folder: Path, extent: Extent) -> dict[str, Any]:
        seen.append(extent)
        return {}

    monkeypatch.setattr(resilience, "SECTIONS", {"solver": (section, {})})
    resilience.run(only=("solver",), solver_rounds=10, solver_ticks=300, kills=None)
    resilience.run(quick=True, only=("solver",), outage_s=30.0)
    assert seen == [
        replace(Extent(), solver_rounds=10, solver_ticks=300),
        replace(QUICK, outage_s=30.0),
    ]


def test_the_targets_are_those_of_the_architecture() -> None:
    values = {name: target.value for _, aims in SECTIONS.values() for name, target in aims.items()}
    assert values == {
        "rules_live_s_p99": 2.0,
        "plan_s_p99": 10.0,
        "new_plan_s_p99": 10.0,
        "rows_lost": 0.0,
        "double_actuations": 0.0,
        "torn_snapshots": 0.0,
        "writer_rows_lost": 0.0,
        "writer_torn": 0.0,
        "writer_orders_forgotten": 0.0,
        "missed_control_ticks": 0.0,
        "plan_after_solver_trouble_s_max": 13.0,
        "broker_states_right_s": 10.0,
        "house_answers_without_broker": 1.0,
        "frozen_core_killed_s_max": 15.5,
        "rules_live_after_freeze_s_max": 2.0,
    }
