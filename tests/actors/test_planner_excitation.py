"""A room that is asked to show itself: a small wandering of its band, in plans and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from pems_actors.domain.events import ComfortWish, HouseMode, ModeChanged, Outcome
from pems_actors.gateways.orders import check_order
from pems_actors.learning.rooms.excitation import MOST_K
from pems_actors.optimisation.outlook import comfort_bands
from tests.actors.kit import HOUSE, NOON, Stage, order
from tests.actors.plans import house_state, informed

DAY = 86400.0
PLANNER = "planning/planner"


def floors(stage: Stage, room: str) -> np.ndarray:
    """The band's floor of a room, as the question to the solver has it."""
    stage.tell(house_state())
    return np.array(stage.state.asked.comfort_low_c[room])


def excite(stage: Stage, **args: object) -> Outcome:
    stage.run(5.0)
    stage.forget()
    return stage.ask(order(PLANNER, "excite", **args))


def test_the_band_of_an_excited_room_wanders_by_half_a_kelvin_and_no_other_does():
    usual = floors(informed(), "bath"), floors(informed(), "kitchen")
    stage = informed()
    assert excite(stage, room="bath", for_s=3 * DAY).outcome == "done"
    moved = floors(stage, "bath") - usual[0]
    assert np.abs(moved).max() == pytest.approx(MOST_K)
    assert {round(float(k), 6) for k in moved} <= {-MOST_K, 0.0, MOST_K}
    assert len(set(moved.round(6))) >= 2
    assert floors(stage, "kitchen") == pytest.approx(usual[1])


def test_a_wish_and_an_absence_go_before_an_excitation():
    stage = informed()
    excite(stage, room="bath", for_s=3 * DAY)
    outlook, asked = stage.state.outlook, floors(stage, "bath")
    grid = stage.state.asked.grid
    stage.tell(ComfortWish("bath", 24.0, NOON + 5 * DAY, "user", "guests"))
    wished = comfort_bands(HOUSE, stage.state.outlook, grid)["bath"][0]
    assert len(set(wished)) == 1
    assert wished[0] != asked[0]
    stage.tell(ComfortWish("bath", None, NOON, "user", ""), ModeChanged(HouseMode.AWAY, NOON))
    away = comfort_bands(HOUSE, stage.state.outlook, grid)["bath"][0]
    assert len(set(away)) == 1
    assert outlook.excited


def test_it_ends_by_itself_and_on_request():
    stage = informed()
    usual = floors(informed(), "bath")
    excite(stage, room="bath", for_s=DAY)
    end_s = stage.state.outlook.excited["bath"].end_s
    assert end_s == pytest.approx(NOON + DAY)
    after = [k for k, at_s in enumerate(stage_grid(stage)) if at_s >= end_s]
    assert floors(stage, "bath")[after] == pytest.approx(usual[after])
    assert stage.ask(order(PLANNER, "calm")).outcome == "done"
    assert stage.state.outlook.excited == {}


def stage_grid(stage: Stage) -> tuple[float, ...]:
    floors(stage, "bath")
    return stage.state.asked.grid.starts_s


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"room": "attic", "for_s": 3 * DAY}, "no room 'attic'"),
        ({"room": "bath", "for_s": 3600.0}, "days show nothing"),
    ],
)
def test_a_strange_room_or_too_short_a_time_is_refused_with_a_sentence(args, said):
    answer = excite(informed(), **args)
    assert answer.outcome == "rejected"
    assert said in answer.reason


def test_the_order_is_known_on_both_ways_in():
    paths = frozenset({PLANNER})
    checked = check_order(PLANNER, "excite", {"room": "bath", "for": "3d"}, paths)
    assert checked == {"room": "bath", "for_s": 3 * DAY}
    assert "needs 'room'" in check_order(PLANNER, "excite", {}, paths).reason
    assert "must be a name" in check_order(PLANNER, "excite", {"room": 7}, paths).reason
