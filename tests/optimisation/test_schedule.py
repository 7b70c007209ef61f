"""The cheapest of a relay's sequences, found without pricing the comfort of all."""

from __future__ import annotations

import numpy as np
import pytest

from pems_actors.bench.planning_instances import START_S, instance
from pems_actors.domain.house import Emitter
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.relays import round_up_sums
from pems_actors.optimisation.schedule import Schedule
from pems_actors.optimisation.sequences import listed
from tests.optimisation.test_relays import near_of


@pytest.mark.parametrize("emitter", [Emitter.FLOOR, Emitter.PANEL])
@pytest.mark.parametrize("kind", ["cold", "winter", "shoulder"])
def test_it_is_the_one_that_pricing_them_all_would_find(kind: str, emitter: Emitter) -> None:
    problem = instance(kind, 1, grid=TimeGrid.uniform(START_S, 16), emitter=emitter)
    near = near_of(problem)
    schedule, table = Schedule(near, round_up_sums(near)), listed(near.slots)
    for m in range(0, len(near.rules), 3):
        price = schedule.price_per_slot(m, schedule.left_without(m))
        apart = table.rows @ price + near.listed_apart(m)
        found = schedule.cheapest(m, table.bits, apart, lambda price: table.rows @ price)
        cost = np.where(np.isfinite(apart), schedule.cost_of(m, table.bits), np.inf)
        assert cost[found] == pytest.approx(cost.min(), abs=1e-6)
