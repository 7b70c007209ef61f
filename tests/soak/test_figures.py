"""Stories add up to figures: in all, and for each fault by itself."""

from dataclasses import replace

import pytest

from pems_actors.simulation.invariants import Violation
from pems_actors.soak.figures import LEAST_POINTS, WARM_UP_STORIES, Sums, quantile
from pems_actors.soak.stopwatch import Timing
from pems_actors.soak.stories import Tale
from pems_actors.soak.telling import Told

CRASH = Timing("crash", 1.0, 3.0)
TOLD = Told(
    Tale(3, "heavy"), "crash@rooms/bath:60/0,meter-lost@meter:90/600", 0.5, 2, (), 2,
    (CRASH, Timing("meter-lost", 200.0, None)), 0.25, "", 0.4, 100.0, 7, 1, 2.5,
)  # fmt: skip
GUILTY = replace(TOLD, violations=(Violation(0.0, "dwell", "too short"),))


def summed(*stories: Told) -> Sums:
    sums = Sums()
    for told in stories:
        sums.add(1, told)
    return sums


def test_figures_sum_up_all_stories():
    figures = summed(TOLD, TOLD, GUILTY).figures(9.0, "pems soak ...")
    assert (figures["stories"], figures["violations"], figures["faults"]) == (3, 1, 6)
    assert (figures["days"], figures["writes"], figures["restarts"]) == (1.5, 21, 3)
    assert (figures["detect_s_p99"], figures["recover_s_p99"]) == (200.0, 3.0)
    assert (figures["cost"], figures["replay"]) == (7.5, "pems soak ...")


def test_each_fault_has_figures_of_its_own():
    of = summed(TOLD, replace(GUILTY, faults="crash@rooms/bath:60/0", timings=(CRASH,)))
    crash, meter = of.faults_figures()["crash"], of.faults_figures()["meter-lost"]
    assert (crash["stories"], crash["violations"], crash["noticed"]) == (2, 1, 2)
    assert (crash["detect_s_p50"], crash["recover_s_p99"]) == (1.0, 3.0)
    assert (meter["stories"], meter["violations"], meter["noticed"]) == (1, 0, 1)
    assert (meter["detect_s_p99"], meter["recover_s_p99"]) == (200.0, None)


def grown(stories: int, mb_per_story: float, warm_up_mb: float = 0.0) -> float | None:
    warm = [warm_up_mb * min(k, WARM_UP_STORIES) / WARM_UP_STORIES for k in range(stories)]
    return summed(
        *(replace(TOLD, rss_mb=100.0 + w + k * mb_per_story) for k, w in enumerate(warm))
    ).rss_slope_mb_per_day()


def test_memory_that_grows_story_by_story_is_told_per_simulated_day():
    assert grown(60, 1.0) == pytest.approx(2.0)  # 1 MB each half day


def test_what_a_process_needs_to_get_warm_is_no_leak():
    assert grown(60, 0.0, warm_up_mb=80.0) == pytest.approx(0.0)


def test_too_few_stories_tell_nothing_about_memory():
    assert grown(WARM_UP_STORIES + LEAST_POINTS - 1, 1.0) is None


def test_the_slope_is_that_of_the_worst_process():
    sums = Sums()
    for k in range(60):
        sums.add(1, replace(TOLD, rss_mb=100.0))
        sums.add(2, replace(TOLD, rss_mb=100.0 + k))
    assert sums.rss_slope_mb_per_day() == pytest.approx(2.0)


def test_a_quantile_of_nothing_is_unknown():
    assert quantile((), 0.5) is None
    assert quantile((3.0, 1.0, 2.0), 0.5) == 2.0
