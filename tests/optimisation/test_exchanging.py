"""Two slots exchange who is on: prices exact but for what neighbours feel, every rule kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.planning_instances import START_S, instance, rooms_only
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.exchanging import exchanged
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.relays import round_up_sums, whole_relays
from pems_actors.optimisation.sequences import Bools, bits_of
from tests.optimisation.test_relays import near_of

LITTLE = 0.05  # of a crown: warmth of neighbours, and starts
ROOMS = ("hosti", "loznice", "pracovna", "satna_nahore")


def tight(seed: int) -> Near:
    """Four rooms under a cap that lets in a little more than half of them."""
    problem = rooms_only(instance("cold", seed, grid=TimeGrid.uniform(START_S, 16)), ROOMS)
    most_kw = 0.6 * sum(relay.power_kw for relay in problem.relays)
    return near_of(replace(problem, limits=replace(problem.limits, heating_kw=most_kw)))


def kept(near: Near, on: Bools) -> bool:
    rules = all(near.allowed(m, bits_of(on[None, :, m]))[0] for m in range(on.shape[1]))
    return rules and bool((near.caps.left(on.astype(float)) > -1e-5).all())


def best_exchange_by_hand(near: Near, on: Bools) -> float:
    costs = [near.cost(on)]
    for one in range(near.slots):
        for two in range(one):
            after = on.copy()
            after[[one, two]] = on[[two, one]]
            if kept(near, after):
                costs.append(near.cost(after))
    return min(costs)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_where_it_ends_no_exchange_saves_anything(seed: int) -> None:
    near = tight(seed)
    on = round_up_sums(near)
    after = exchanged(near, on)
    assert kept(near, after)
    assert near.cost(after) <= near.cost(on)
    assert near.cost(after) == pytest.approx(best_exchange_by_hand(near, after), abs=LITTLE)


def test_everybody_is_on_for_as_many_slots_as_before() -> None:
    near = tight(1)
    on = round_up_sums(near)
    assert (exchanged(near, on).sum(axis=0) == on.sum(axis=0)).all()


def test_it_saves_where_a_cap_keeps_relays_out() -> None:
    saved = []
    for seed in range(4):
        near = tight(seed)
        on = round_up_sums(near)
        saved.append(near.cost(on) - near.cost(exchanged(near, on)))
    assert sum(saved) > 0.0


def test_where_everybody_has_room_nothing_changes() -> None:
    near = near_of(instance("shoulder", 1))
    on = whole_relays(near)
    on[:, on.sum(axis=0) > 8] = False  # a quiet house
    assert (exchanged(near, on) == on).all()


def test_a_short_plan_under_a_cap_cannot_be_bettered_by_two_slots() -> None:
    near = tight(2)
    assert near.is_all
    on = whole_relays(near, passes=4)
    assert near.cost(on) <= best_exchange_by_hand(near, on) + LITTLE
    assert np.any(on)
