"""The arithmetic of restarting: laws that hold for every story of crashes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import Puppet

from supervision import Backoff, ChildSpec, Park, Restart, Strategy, SupervisorSpec
from supervision.policy import (
    Exit,
    Failures,
    GiveUp,
    Ledger,
    RestartBudget,
    RestNow,
    StartAgain,
    backoff_delay_s,
    companions,
    wants_restart,
)
from supervision.sequence import Order, Phase, Steps, next_steps

NAMES = ("a", "b", "c", "d")
pauses = st.lists(st.floats(0.0, 100.0), max_size=40)
shares = st.floats(0.0, 1.0)


def times(pauses_s):
    total = 0.0
    for pause_s in pauses_s:
        total += pause_s
        yield total


@given(pauses, st.integers(0, 6), st.floats(1.0, 120.0))
def test_a_budget_is_exhausted_exactly_when_a_window_holds_too_many(pauses_s, intensity, period_s):
    budget, spent = RestartBudget(intensity, period_s), []
    for now_s in times(pauses_s):
        budget = budget.spend(now_s)
        spent.append(now_s)
        in_window = sum(now_s - at_s <= period_s for at_s in spent)
        assert budget.exhausted is (in_window > intensity)


@given(st.integers(1, 200), shares)
def test_delays_start_at_none_and_stay_within_their_bounds(in_row, chance):
    backoff = Backoff()
    delay_s = backoff_delay_s(backoff, in_row, chance)
    plain_s = 0.0 if in_row == 1 else min(30.0, 0.1 * 2.0 ** min(in_row - 2, 60))
    assert plain_s * 0.8 - 1e-9 <= delay_s <= plain_s * 1.2 + 1e-9


def test_delays_double_until_their_limit():
    middle = [backoff_delay_s(Backoff(), n, 0.5) for n in range(1, 13)]
    assert middle[:5] == pytest.approx([0.0, 0.1, 0.2, 0.4, 0.8])
    assert middle[-1] == 30.0
    assert all(b >= a for a, b in pairwise(middle))


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=30))
def test_a_quiet_time_forgets_the_failures_before_it(pauses_s):
    failures, last_s = Failures(), None
    for now_s in times(pauses_s):
        before = failures.in_row
        failures = failures.after(now_s, 60.0)
        was_quiet = last_s is None or now_s - last_s > 60.0
        assert failures.in_row == (1 if was_quiet else before + 1)
        last_s = now_s


@given(st.sampled_from(Strategy), st.sampled_from(NAMES))
def test_companions_are_siblings_in_start_order(strategy, failed):
    others = companions(strategy, NAMES, failed)
    assert failed not in others
    assert list(others) == sorted(others)
    expected = {
        Strategy.ONE_FOR_ONE: set(),
        Strategy.DYNAMIC: set(),
        Strategy.ONE_FOR_ALL: set(NAMES) - {failed},
        Strategy.REST_FOR_ONE: set(NAMES[NAMES.index(failed) + 1 :]),
    }
    assert set(others) == expected[strategy]


@pytest.mark.parametrize(
    ("restart", "returning"),
    [
        (Restart.PERMANENT, set(Exit)),
        (Restart.TRANSIENT, {Exit.FAILED, Exit.KILLED}),
        (Restart.TEMPORARY, set()),
    ],
)
def test_who_returns_after_which_end(restart, returning):
    assert {how for how in Exit if wants_restart(restart, how)} == returning


def child(name, **options):
    return ChildSpec(name, Puppet, **options)


failures = st.lists(st.tuples(st.floats(0.0, 30.0), st.sampled_from(NAMES), shares), max_size=60)


@given(failures, st.integers(0, 5))
def test_a_story_of_failures_goes_on_until_it_is_given_up_once(story, total):
    specs = {name: child(name) for name in NAMES}
    ledger, now_s, spent = Ledger(RestartBudget(total, 60.0)), 0.0, []
    for pause_s, name, chance in story:
        now_s += pause_s
        ledger, verdict = ledger.charge(specs[name], now_s, chance, Exit.FAILED, "boom")
        spent.append(now_s)
        too_many = sum(now_s - at_s <= 60.0 for at_s in spent) > total
        assert isinstance(verdict, GiveUp) is too_many
        if too_many:
            assert "boom" in verdict.reason
            return
        assert isinstance(verdict, StartAgain)


@given(failures)
def test_a_child_that_parks_never_ends_its_supervisor(story):
    specs = {name: child(name, intensity=2, when_exhausted=Park(77.0)) for name in NAMES}
    ledger, now_s = Ledger(RestartBudget(0, 60.0)), 0.0
    for pause_s, name, chance in story:
        now_s += pause_s
        ledger, verdict = ledger.charge(specs[name], now_s, chance, Exit.FAILED, "boom")
        assert isinstance(verdict, StartAgain) or verdict == RestNow(77.0, "boom")
    assert ledger.total.times_s == ()


def test_a_branch_that_used_up_its_restarts_is_parked_at_once():
    ledger = Ledger(RestartBudget(5, 60.0))
    spec = SupervisorSpec("pv", when_exhausted=Park())
    _, verdict = ledger.charge(spec, 0.0, 0.5, Exit.EXHAUSTED, "boom")
    assert verdict == RestNow(300.0, "boom")


def test_a_parking_branch_that_crashes_is_tried_like_a_child():
    ledger = Ledger(RestartBudget(0, 60.0))
    spec = SupervisorSpec("pv", when_exhausted=Park())
    verdicts = []
    for number in range(6):
        ledger, verdict = ledger.charge(spec, float(number), 0.5, Exit.FAILED, "boom")
        verdicts.append(type(verdict))
    assert verdicts == [StartAgain] * 5 + [RestNow]


def freshness(spec, total, count=4):
    ledger, fresh = Ledger(RestartBudget(total, 60.0)), []
    for number in range(count):
        ledger, verdict = ledger.charge(spec, float(number), 0.5, Exit.FAILED, "boom")
        fresh.append(verdict.fresh)
    return fresh


def test_the_last_try_is_a_fresh_one():
    assert freshness(child("a"), total=4) == [False, False, False, True]
    parking = child("a", intensity=4, when_exhausted=Park())
    assert freshness(parking, total=0) == [False, False, False, True]


def test_a_first_failure_never_costs_the_state():
    assert freshness(child("a"), total=1, count=1) == [False]


def test_changed_limits_keep_what_was_spent():
    ledger, _ = Ledger(RestartBudget(0, 60.0)).charge(child("a"), 0.0, 0.5, Exit.FAILED, "boom")
    ledger, verdict = ledger.with_limits(2, 60.0).charge(child("a"), 1.0, 0.5, Exit.FAILED, "x")
    assert isinstance(verdict, StartAgain)
    _, verdict = ledger.charge(child("a"), 2.0, 0.5, Exit.FAILED, "x")
    assert isinstance(verdict, GiveUp)


class Kid:
    """A row of the table of children."""

    def __init__(self, name):
        self.name = name
        self.phase, self.wanted = Phase.DOWN, True
        self.must_stop = self.waiting = self.settled = False


kids = st.lists(st.tuples(st.sampled_from(Phase), *(st.booleans() for _ in range(4))), max_size=6)


def table(rows):
    made = []
    for number, (phase, wanted, must_stop, waiting, settled) in enumerate(rows):
        kid = Kid(str(number))
        kid.phase, kid.wanted, kid.must_stop = phase, wanted, must_stop
        kid.waiting, kid.settled = waiting, settled
        made.append(kid)
    return made


@given(kids, st.sampled_from(Order))
def test_only_what_may_start_is_started_and_only_what_runs_is_stopped(rows, order):
    by_name = {kid.name: kid for kid in table(rows)}
    steps = next_steps(list(by_name.values()), order)
    for name in steps.start:
        kid = by_name[name]
        assert (kid.phase, kid.wanted, kid.waiting) == (Phase.DOWN, True, False)
    for name in steps.stop:
        assert by_name[name].must_stop
        assert by_name[name].phase in {Phase.STARTING, Phase.UP}


@given(kids, st.sampled_from([Order.IN_TURN, Order.AS_ONE]))
def test_in_turn_nobody_starts_before_the_earlier_ones_are_up_and_all_stops_done(rows, order):
    made = table(rows)
    steps = next_steps(made, order)
    assert len(steps.start) <= 1
    assert len(steps.stop) <= 1
    if steps.start:
        assert not any(kid.must_stop and kid.phase is not Phase.DOWN for kid in made)
        for kid in made[: int(steps.start[0])]:
            assert kid.phase is Phase.UP or not kid.wanted or kid.settled


@given(kids, st.sampled_from(Order))
def test_a_table_that_is_worked_through_comes_to_rest(rows, order):
    """Whatever the start, doing the steps leads to all wanted up and all others down."""
    made = table(rows)
    for kid in made:
        kid.waiting = kid.settled = False
    by_name = {kid.name: kid for kid in made}
    for _ in range(40):
        steps = next_steps(made, order)
        for name in steps.stop:
            by_name[name].phase = Phase.STOPPING
        for name in steps.start:
            by_name[name].phase = Phase.STARTING
        report = next((k for k in made if k.phase in {Phase.STOPPING, Phase.STARTING}), None)
        if report is not None and report.phase is Phase.STARTING:
            report.phase = Phase.UP
        elif report is not None:
            report.phase, report.must_stop = Phase.DOWN, False
        for kid in made:
            kid.must_stop = kid.must_stop and kid.phase is not Phase.DOWN
    assert next_steps(made, order) == Steps()
    assert all(kid.phase is Phase.UP for kid in made if kid.wanted)
