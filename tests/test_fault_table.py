"""One table of faults: complete, readable, and the same words for drill, simulate and soak."""

import random
from dataclasses import replace

import pytest

from pems_actors.fault_table import (
    ROWS,
    TABLE,
    VIRTUAL,
    Places,
    Runs,
    Strike,
    Target,
    draw_strikes,
    possible_rows,
    read_strikes,
    row_named,
)
from pems_actors.house import actor_paths
from pems_actors.simulation.device_faults import FaultKind as DeviceKind
from pems_actors.simulation.troubles import Trouble
from supervision import Fault
from supervision.faults import FaultKind as ActorKind
from tests.actors.kit import HOUSE

ALL = Places.of(HOUSE, actor_paths(HOUSE), planning=True)
RULES_ONLY = Places.of(HOUSE, actor_paths(HOUSE, planning=False), planning=False)


def test_every_name_stands_once():
    assert len(TABLE) == len(ROWS)


def test_every_fault_that_an_actor_a_device_or_a_door_can_have_is_in_the_table():
    kinds = {getattr(row.how, "kind", row.how) for row in VIRTUAL}
    assert set(ActorKind) <= kinds
    assert set(Trouble) <= kinds
    assert set(DeviceKind) - {DeviceKind.SENSOR_STALE} <= kinds


def test_every_row_can_be_done_somewhere_and_says_what_it_does():
    for row in ROWS:
        assert row.runs
        assert row.does
        assert (Runs.VIRTUAL in row.runs) == (row.how is not None)


def test_live_names_of_actor_faults_are_those_that_a_drill_knows():
    for row in ROWS:
        if row.live and row.target is Target.ACTOR:
            assert Fault.named(row.name).kind.value == row.name


@pytest.mark.parametrize("span_s", [7200.0, 365 * 86400.0])
def test_a_strike_is_read_as_it_is_written(span_s):
    for strike in draw_strikes(random.Random(1), 200, span_s, ALL):
        assert read_strikes(str(strike), ALL) == (strike,)


def test_a_bare_name_strikes_the_usual_place_hour_by_hour():
    crash, down = read_strikes("crash, broker-down@broker", ALL)
    assert crash == Strike("crash", "planning/planner", 3600.0)
    assert down == Strike("broker-down", "broker", 7200.0, TABLE["broker-down"].lasts_s[0])
    assert read_strikes("crash", RULES_ONLY)[0].target == "devices/battery"


def test_what_a_house_has_not_is_not_broken_in_it():
    assert TABLE["load-ignores"] not in possible_rows(ALL)
    with pytest.raises(ValueError, match="this house has none"):
        read_strikes("load-ignores", ALL)
    with_car = replace(ALL, loads=("load/car",))
    assert read_strikes("load-ignores", with_car)[0].target == "load/car"
    assert TABLE["load-ignores"] in possible_rows(with_car)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("explode@rooms/bath", "give one of"),
        ("crash@rooms/attic", "there is no 'rooms/attic'"),
        ("sensor-stale@relay/bath", "it strikes a room's sensor"),
        ("kill-guardian", "real processes"),
        ("crash at noon", "write NAME@TARGET"),
    ],
)
def test_words_that_mean_nothing_are_refused_in_a_sentence(words, said):
    with pytest.raises(ValueError, match=said):
        read_strikes(words, ALL)


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="crash-loop"):
        row_named("nonsense")


def test_a_house_without_a_planner_has_no_solver_to_break():
    assert not [row for row in possible_rows(RULES_ONLY) if row.target is Target.SOLVER]
    assert not [path for path in RULES_ONLY.of_kind(Target.ACTOR) if path.startswith("planning/")]


def test_equal_seeds_draw_equal_faults_within_the_span():
    one, two = (draw_strikes(random.Random(7), 20, 3600.0, ALL) for _ in range(2))
    assert one == two
    assert all(60.0 <= strike.after_s <= 3600.0 for strike in one)
    assert [s.after_s for s in one] == sorted(s.after_s for s in one)
