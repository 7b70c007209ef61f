"""Whole switches under a cap that binds: what takes turns, and who comes in together."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from pems_actors.bench.planning_instances import instance
from pems_actors.optimisation.assembly import by_turns_kw
from pems_actors.optimisation.packing import packed
from pems_actors.optimisation.relays import round_up_sums
from pems_actors.optimisation.schedule import Schedule
from pems_actors.optimisation.sequences import bits_of
from tests.optimisation.test_relays import near_of


def fairest_duty(power_kw: np.ndarray, cap_kw: float) -> float:
    """The largest duty that all relays reach alike, by turns among all sets that fit."""
    sets = np.array(
        [s for s in product((0.0, 1.0), repeat=len(power_kw)) if s @ power_kw <= cap_kw]
    )
    most = linprog(
        np.append(np.zeros(len(sets)), -1.0),
        A_ub=np.column_stack([-sets.T, np.ones(len(power_kw))]),
        b_ub=np.zeros(len(power_kw)),
        A_eq=[np.append(np.ones(len(sets)), 0.0)],
        b_eq=[1.0],
    )
    return float(most.x[-1])


@pytest.mark.parametrize("cap_kw", [3.0, 4.0, 4.6, 5.37, 5.9, 7.0])
def test_relays_under_a_cap_are_credited_with_what_turns_can_reach(cap_kw: float) -> None:
    power_kw = np.array([1.52, 1.93, 1.14, 0.78, 0.45, 0.21])
    over = np.array([power_kw.sum() - cap_kw])
    drawn = float(by_turns_kw(power_kw[None, :], over)[0]) if over[0] > 0.0 else power_kw.sum()
    reached = fairest_duty(power_kw, cap_kw) * power_kw.sum()
    assert reached - 1e-6 <= drawn <= min(cap_kw, power_kw.sum()) + 1e-6
    assert drawn <= 1.15 * reached


def test_who_is_kept_out_comes_in_where_others_make_room() -> None:
    near = near_of(instance("cold", 1))
    rounded = round_up_sums(near)
    fuller = packed(near, rounded)
    assert near.cost(fuller) < near.cost(rounded)
    assert (near.caps.left(fuller.astype(float)) > -1e-5).all()
    assert all(rule.allows(bits_of(fuller[None, :, m]))[0] for m, rule in enumerate(near.rules))


def test_where_everybody_has_room_nothing_changes() -> None:
    near = near_of(instance("shoulder", 1))
    on = round_up_sums(near)
    on[:, on.sum(axis=0) > 8] = False  # a quiet house
    assert (packed(near, on) == on).all()


def test_the_worth_of_a_slot_is_the_difference_that_it_makes() -> None:
    near = near_of(instance("cold", 2))
    schedule = Schedule(near, round_up_sums(near))
    for k, m in ((0, 0), (7, 3), (15, 11)):
        rows = np.repeat(schedule.on[:, m][None, :], 2, axis=0).astype(float)
        rows[:, k] = (0.0, 1.0)
        off, on = schedule.cost_of(m, bits_of(rows))
        assert schedule.worth_at(k)[m] == pytest.approx(off - on)
