"""The planner in three lines: any small house, and a sentence where there is no plan."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from pems_actors.domain.house import BatteryMode, BatteryModel
from pems_actors.optimisation import create_problem, optimize


def test_two_rooms_and_a_battery_are_planned_for_six_hours() -> None:
    plan = optimize(create_problem(rooms=2, hours=6))
    assert plan.status == "solved"
    assert plan.currency == "CZK"
    assert plan.cost == pytest.approx(plan.plan.totals["cost"])
    assert sum(slot.duration_s for slot in plan.slots) == 6 * 3600.0
    assert set(plan.slots[0].relays) == {"room_1", "room_2"}
    assert plan.solve_time_s > 0.0


def test_a_battery_saves_money_over_dear_hours_and_none_stays_in_self_use() -> None:
    hilly = {"import_per_kwh": (2.0, 2.0, 9.0, 9.0, 9.0, 2.0)}
    small = optimize(create_problem(battery=False, **hilly))
    large = optimize(create_problem(battery=BatteryModel(capacity_kwh=10.0), **hilly))
    assert large.cost < small.cost
    assert {slot.battery_mode for slot in small.slots} == {BatteryMode.SELF_USE}


def test_more_rooms_and_colder_weather_cost_more() -> None:
    costs = [optimize(create_problem(rooms=n, temp_c=20.4)).cost for n in (1, 3)]
    assert costs[0] < costs[1]
    mild, cold = (optimize(create_problem(outdoor_c=c, hours=24)).cost for c in (10.0, -15.0))
    assert mild < cold


def test_a_problem_without_sense_is_refused_with_a_reason() -> None:
    none = optimize(create_problem(outdoor_c=math.nan))
    assert none.status == "refused"
    assert none.cost is None
    assert none.slots == ()
    assert "outdoor_c" in none.reason


def test_series_of_numpy_are_taken_as_lists_are() -> None:
    arrays = create_problem(outdoor_c=np.array([-2.0, -3.0]), pv_kw=np.float32(1.5))
    assert arrays == create_problem(outdoor_c=[-2.0, -3.0], pv_kw=1.5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rooms": 0}, "1 room"),
        ({"rooms": 2.5}, "2.5 rooms over 6 h"),
        ({"hours": 0.1}, "0.25 to 744 h"),
        ({"hours": math.nan}, "rooms over nan h"),
        ({"hours": math.inf}, "rooms over inf h"),
        ({"pv_kw": ()}, "no values"),
    ],
)
def test_a_house_that_cannot_be_is_refused_at_once(given, words) -> None:
    with pytest.raises(ValueError, match=words):
        create_problem(**given)


def test_one_value_stands_for_all_hours_and_a_short_list_begins_again() -> None:
    problem = create_problem(hours=6, pv_kw=(0.0, 1.0), outdoor_c=-7)
    assert set(problem.outdoor_c) == {-7.0}
    assert problem.pv_kw[:10] == (0.0,) * 4 + (1.0,) * 4 + (0.0,) * 2


def test_the_package_is_light_until_something_is_planned() -> None:
    program = (
        "import sys; from pems_actors.optimisation import create_problem; create_problem(); "
        "sys.exit('casadi' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
