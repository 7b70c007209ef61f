"""Whole switches: rules that always hold, and answers that brute force agrees with."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from pems_actors.bench.planning_instances import START_S, instance, rooms_only
from pems_actors.domain.house import Relay
from pems_actors.domain.plan import PlanningProblem, RelayHistory
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.case import case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.relays import carried_duty, round_up_sums, whole_relays
from pems_actors.optimisation.sequences import Bools, bits_of, patterns
from pems_actors.optimisation.switching import caps_of, commitments_of, switch_rules
from tests.optimisation.problems import small_problems, with_state

FORMULATION = Formulation()
QUARTERS = np.array([START_S + 900.0 * k for k in range(16)])
RELAY = Relay("hosti", 1.9, 2.0, (("hosti", 1.0),))


def near_of(problem: PlanningProblem, binary_h: float = 4.0) -> Near:
    case = case_of(problem, stages_of(problem, binary_h))
    relaxed = FORMULATION.solve(case)
    assert relaxed is not None
    caps = caps_of(case, relaxed.pv_kw + relaxed.discharge_kw)
    commitments = commitments_of(case, caps, case.stages.binary)
    nothing = np.zeros(len(case.stages))
    return Near(case, relaxed, caps, commitments, case.stages.binary, nothing)


def runs(on: Bools, start_s: tuple[float, ...], end_s: float) -> list[tuple[bool, float, bool]]:
    """Runs of equal state inside a sequence: state, length, whether it ends inside."""
    found: list[tuple[bool, float, bool]] = []
    begin = 0
    for k in range(1, len(on) + 1):
        if k == len(on) or on[k] != on[begin]:
            end = start_s[k] if k < len(on) else end_s
            found.append((bool(on[begin]), end - start_s[begin], k < len(on)))
            begin = k
    return found


@settings(max_examples=30, deadline=None)
@given(small_problems())
def test_blocks_dwell_starts_and_shared_caps_hold_for_any_past(problem: PlanningProblem) -> None:
    near = near_of(problem)
    for on in (round_up_sums(near), whole_relays(near)):
        assert not (on & near.commitments.off).any()
        assert (on | ~near.commitments.on).all()
        assert (near.caps.left(on.astype(float)) > -1e-5)[:, on.any(axis=1)].all()
        start = near.case.problem.grid.starts_s[: near.slots]
        end = float(near.case.stages.edges_s[near.slots])
        for m, relay in enumerate(problem.relays):
            inner = runs(on[:, m], start, end)[1:]
            blocked = near.case.stages.blocked[: near.slots].any()
            for state, lasted, ended in inner:
                least = relay.min_on_s if state else relay.min_off_s
                assert not ended or lasted >= least - 1.0 or (state and blocked)
            assert near.rules[m].allows(bits_of(on[None, :, m]))[0]


def test_every_sequence_of_a_short_window_is_judged_as_by_hand() -> None:
    start = START_S + np.array([0.0, 300.0, 1200.0, 2100.0])
    relay = replace(RELAY, min_on_s=1000.0, min_off_s=600.0, max_starts_per_h=1)
    past = RelayHistory(on=False, since_s=START_S - 9e3, starts_s=(START_S - 3500.0,))
    rules = switch_rules(start, relay, past)
    rows = np.array(list(product((0.0, 1.0), repeat=4)), dtype=float)
    allowed = {
        tuple(map(int, row))
        for row, ok in zip(rows, rules.allows(bits_of(rows)), strict=True)
        if ok
    }
    # The old start still counts at 0 s, no longer at 300 s; a run from slot 1 needs slot 2 too.
    assert allowed == {
        (0, 0, 0, 0),
        (0, 1, 1, 0),
        (0, 1, 1, 1),
        (0, 0, 1, 1),
        (0, 0, 0, 1),
    }


def test_the_library_holds_every_sequence_with_at_most_two_runs_once() -> None:
    table = patterns(9)
    starts = np.maximum(np.diff(table, axis=1, prepend=0.0), 0.0).sum(axis=1)
    assert len(table) == len(np.unique(table, axis=0))
    assert starts.max() == 2
    everything = np.array(list(product((0.0, 1.0), repeat=9)))
    few = np.maximum(np.diff(everything, axis=1, prepend=0.0), 0.0).sum(axis=1) <= 2
    assert len(table) == few.sum()


def test_one_relay_alone_gets_the_best_of_all_sequences() -> None:
    grid = TimeGrid.uniform(START_S, 8)
    problem = rooms_only(instance("winter", 4, grid=grid), ("loznice",))
    near = near_of(with_state(problem, relays={}))
    every = np.array(list(product((False, True), repeat=8)))
    rows = every[near.rules[0].allows(bits_of(every))]
    rows = rows[~(rows & near.commitments.off[:, 0]).any(axis=1)]
    best = min(near.cost(row[:, None]) for row in rows)
    assert near.cost(whole_relays(near, passes=3)) == pytest.approx(best, abs=1e-6)


def test_answering_each_other_is_no_worse_than_rounding() -> None:
    for seed in range(3):
        near = near_of(instance("cold", seed))
        assert near.cost(whole_relays(near)) <= near.cost(round_up_sums(near)) + 1e-9


def test_heat_that_rounding_leaves_over_is_given_soon_after() -> None:
    near = near_of(instance("winter", 2))
    on = whole_relays(near)
    duty = carried_duty(near, on)
    hours = near.case.stages.hours
    rounded_off = hours[:16] @ (near.relaxed.duty[:16] - on)
    assert np.abs(rounded_off).max() > 0.05
    assert hours @ duty == pytest.approx(hours @ near.relaxed.duty, abs=1e-6)
    assert duty.min() >= 0.0
    assert duty.max() <= 1.0


def test_a_relay_just_started_stays_on_and_one_just_stopped_rests() -> None:
    problem = rooms_only(instance("winter", 0), ("hosti", "loznice"))
    slots = len(problem.grid)
    now = problem.grid.start_s
    past = {"hosti": RelayHistory(True, now - 60.0), "loznice": RelayHistory(False, now - 60.0)}
    free = replace(with_state(problem, relays=past), heating_blocked=(False,) * slots)
    near = near_of(free)
    assert near.commitments.on[0].tolist() == [True, False]
    assert near.commitments.off[0].tolist() == [False, True]
    on = whole_relays(near)
    assert on[0].tolist() == [True, False]


def test_a_dwell_gives_way_to_a_cap_and_is_named() -> None:
    problem = rooms_only(instance("winter", 0), ("hosti", "loznice"))
    now = problem.grid.start_s
    past = {name: RelayHistory(True, now - 60.0) for name in ("hosti", "loznice")}
    tight = replace(problem.limits, heating_kw=2.0)
    near = near_of(replace(with_state(problem, relays=past), limits=tight))
    assert near.commitments.released == ("loznice",)
    assert near.commitments.on[0].tolist() == [True, False]


def test_starts_of_the_last_hour_count() -> None:
    now = float(QUARTERS[0])
    tired = RelayHistory(False, now - 700.0, tuple(now - s for s in (3000.0, 2000.0, 1000.0)))
    rules = switch_rules(QUARTERS, replace(RELAY, max_starts_per_h=3), tired)
    rows = np.zeros((2, 16), dtype=float)
    rows[0, 0] = 1.0  # a fourth start within the hour
    rows[1, 2:] = 1.0  # half an hour later the oldest no longer counts
    assert rules.allows(bits_of(rows)).tolist() == [False, True]
    assert not rules.may_start([], 0)
    assert rules.may_start([False, False], 2)


def test_a_floor_that_nobody_measures_pauses_before_it_has_to_rest() -> None:
    long_on = RelayHistory(on=True, since_s=START_S - 13_000.0, rests_after_s=14_400.0)
    rules = switch_rules(QUARTERS, RELAY, long_on, START_S + 14_400.0)
    rows = np.ones((3, 16))
    rows[1, 1] = rows[2, 2] = 0.0
    assert rules.allows(bits_of(rows)).tolist() == [False, True, False]
    assert rules.may_go_on([], 0)
    assert not rules.may_go_on([True], 1)
    assert rules.may_go_on([True, False, True], 3)


def test_the_whole_house_plans_no_run_that_ends_in_a_rest() -> None:
    problem = instance("cold", 1)
    past = {
        relay.name: RelayHistory(True, problem.grid.start_s - 9000.0, (), 14_400.0)
        for relay in problem.relays
    }
    near = near_of(with_state(problem, relays=past))
    for on in (round_up_sums(near), whole_relays(near)):
        assert not on[:7].all(axis=0).any()


def test_where_not_all_fit_those_of_the_last_plan_come_first() -> None:
    near = near_of(instance("cold", 1))
    told = whole_relays(near)
    without, with_it = (round_up_sums(each) for each in (near, replace(near, agreed=told)))
    assert (with_it == told).mean() > (without == told).mean()
    assert (near.caps.left(with_it.astype(float)) > -1e-5).all()


def test_where_all_fit_the_last_plan_changes_nothing() -> None:
    near = near_of(instance("shoulder", 1))
    near = replace(near, caps=replace(near.caps, room_kw=near.caps.room_kw + 20.0))
    told = ~round_up_sums(near)
    assert (round_up_sums(replace(near, agreed=told)) == round_up_sums(near)).all()
