"""Two words tell a story: the same ones tell the same story again."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.fault_table import TABLE, possible_rows, read_strikes
from pems_actors.simulate import places_of
from pems_actors.simulation.invariants import Violation
from pems_actors.soak.figures import shrunk
from pems_actors.soak.programmes import each, pairs, struck_tale
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.telling import Told

TOLD = Told(Tale(3, "heavy"), "", 0.5, 3, (), 2, (), 0.25, "")


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


def test_houses_are_told_of_with_measured_and_with_nameplate_powers():
    houses = [plot_of(Tale(seed, "none", house="house17")).story.house for seed in range(40)]
    powers_kw = Counter(round(sum(relay.power_kw for relay in house.relays), 2) for house in houses)
    assert len(powers_kw) == 2
    assert min(powers_kw.values()) >= 3


def test_the_replay_command_carries_seed_and_faults():
    command = Tale(9, "crash@rooms/bath:60/0").replay
    assert command == 'pems soak --stories 1 --seed 9 --faults "crash@rooms/bath:60/0"'


def test_a_house_that_is_given_is_told_of_by_the_same_words():
    tale = Tale(9, "none", house="house6-climate")
    assert tale.replay.endswith('--seed 9 --house house6-climate --faults "none"')
    assert {plot_of(Tale(k, "none", house="flat3")).story.house.name for k in range(9)} == {"flat3"}
    assert next(each(9, 1, "house6-climate")).house == "house6-climate"


def rows_of_a_planning_house():
    return possible_rows(replace(places_of(plot_of(Tale(5, "none")).story), planning=True))


def strikes_in(tale: Tale):
    return read_strikes(tale.faults, places_of(plot_of(tale).story))


def test_pairs_are_all_pairs_and_each_twice():
    tales, rows = list(pairs(5)), len(rows_of_a_planning_house())
    assert len(tales) == 2 * (rows * (rows - 1) // 2)
    assert len({tale.seed for tale in tales}) == len(tales)
    names = Counter(frozenset(s.name for s in strikes_in(tale)) for tale in tales[::50])
    assert all(len(pair) == 2 for pair in names)


def test_the_two_faults_of_a_pair_overlap():
    tale = struck_tale(3, [(TABLE["meter-lost"], 1200.0), (TABLE["house-silent"], 1800.0)])
    first, second = strikes_in(tale)
    assert first.after_s < second.after_s < first.after_s + first.lasts_s
    assert tale.days * DAY_S >= max(s.after_s + s.lasts_s for s in (first, second)) + HOUR_S


def test_each_fault_has_stories_of_its_own_in_houses_that_can_suffer_it():
    tales = list(each(9, 3))
    names = Counter(strike.name for tale in tales for strike in strikes_in(tale))
    assert names == {row.name: 3 for row in rows_of_a_planning_house()}
    assert all(plot_of(tale).story.armed is None for tale in tales)


def test_a_story_can_be_told_for_longer_or_shorter_than_its_seed_says():
    tale = Tale(7, "none", 0.123456789)
    assert plot_of(tale).story.days * DAY_S == round(0.123456789 * DAY_S)
    words = re.search(r"--days (\S+) --seed 7", tale.replay)
    assert plot_of(Tale(7, "none", float(words[1]))) == plot_of(tale)


def test_a_failing_story_is_told_again_with_ever_fewer_faults():
    broken = (Violation(0.0, "dwell", "too short"),)
    guilty = "crash@safety/guard:100/0"
    faults = f"broker-down@broker:90/600,{guilty},meter-lost@meter:200/1800"

    def retell(tale: Tale) -> Told:
        return replace(TOLD, tale=tale, violations=broken if guilty in tale.faults else ())

    failing = replace(TOLD, faults=faults, violations=broken)
    assert shrunk(failing, retell) == Tale(3, guilty)
    year = replace(failing, tale=Tale(3, "heavy", 365.0), days=365.0)
    assert shrunk(year, retell) == Tale(3, "heavy", 365.0)
