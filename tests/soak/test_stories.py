"""Two words tell a story: the same ones tell the same story again."""

from dataclasses import replace

import pytest

from pems_actors.fault_table import TABLE, possible_rows, read_strikes
from pems_actors.simulate import places_of
from pems_actors.simulation.invariants import Violation
from pems_actors.soak.figures import Sums, shrunk
from pems_actors.soak.stories import Tale, pair_tale, pairs, plot_of
from pems_actors.soak.telling import Told

TOLD = Told(Tale(3, "heavy"), "", 0.5, 3, (), 2, (1.0, 2.0), (3.0,), 0.25, "", 0.4, 100.0)


def test_a_seed_draws_one_plot_and_another_seed_another():
    assert plot_of(Tale(7, "heavy")) == plot_of(Tale(7, "heavy"))
    assert plot_of(Tale(7, "heavy")).story != plot_of(Tale(8, "heavy")).story


@pytest.mark.parametrize("seed", range(5))
def test_faults_written_out_change_nothing_else_of_a_story(seed):
    drawn = plot_of(Tale(seed, "heavy"))
    again = plot_of(Tale(seed, drawn.story.faults))
    assert again == drawn
    assert plot_of(Tale(seed, "none")).orders == drawn.orders


def test_stories_last_2_to_24_hours():
    days = [plot_of(Tale(seed, "none")).story.days for seed in range(60)]
    assert min(days) >= 2.0 / 24.0
    assert max(days) <= 1.0


def test_the_replay_command_carries_seed_and_faults():
    command = Tale(9, "crash@rooms/bath:60/0").replay
    assert command == 'pems soak --stories 1 --seed 9 --faults "crash@rooms/bath:60/0"'


def test_pairs_are_all_pairs_and_each_twice():
    tales = pairs(5)
    rows = len(possible_rows(replace(places_of(plot_of(Tale(5, "none")).story), planning=True)))
    assert len(tales) == 2 * (rows * (rows - 1) // 2)
    assert len({tale.seed for tale in tales}) == len(tales)


def test_the_two_faults_of_a_pair_overlap():
    tale = pair_tale(3, TABLE["meter-lost"], TABLE["house-silent"])
    first, second = read_strikes(tale.faults, places_of(plot_of(tale).story))
    assert first.after_s < second.after_s < first.after_s + first.lasts_s


def test_figures_sum_up_all_stories():
    sums = Sums()
    for k in range(10):
        sums.add(1, replace(TOLD, rss_mb=100.0 + k))
    sums.add(2, replace(TOLD, violations=(Violation(0.0, "dwell", "too short"),)))
    figures = sums.figures(9.0, "pems soak ...")
    assert (figures["stories"], figures["violations"], figures["faults"]) == (11, 1, 33)
    assert figures["days"] == 5.5
    assert figures["rss_slope_mb_per_day"] == pytest.approx(2.0)  # 1 MB each half day
    assert (figures["detect_s_p99"], figures["recover_s_p99"]) == (2.0, 3.0)
    assert figures["replay"] == "pems soak ..."


def test_a_failing_story_is_told_again_with_ever_fewer_faults():
    broken = (Violation(0.0, "dwell", "too short"),)
    guilty = "crash@safety/guard:100/0"
    faults = f"broker-down@broker:90/600,{guilty},meter-lost@meter:200/1800"

    def retell(tale: Tale) -> Told:
        return replace(TOLD, tale=tale, violations=broken if guilty in tale.faults else ())

    least = shrunk(replace(TOLD, faults=faults, violations=broken), retell)
    assert least == Tale(3, guilty)
