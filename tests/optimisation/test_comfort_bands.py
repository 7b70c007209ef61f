"""The band of a slot: what the room must be at its end, and just before."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.optimisation.outlook import MARGIN_K, Outlook, comfort_bands
from tests.actors.kit import COMFORT, HOUSE, NOON


@pytest.mark.parametrize("step_s", [QUARTER_S, HOUR_S])
def test_a_day_that_ends_with_a_slot_counts_to_its_last_moment(step_s: float) -> None:
    grid = TimeGrid(tuple(NOON + step_s * k for k in range(round(DAY_S / step_s) + 1)))
    low, high = comfort_bands(HOUSE, Outlook(), grid)["bath"]
    day_low = COMFORT.day_c - COMFORT.band_k + MARGIN_K
    falls = [k for k, (one, other) in enumerate(pairwise(low)) if other < one]
    assert [grid.edges_s[k + 1] for k in falls] == [NOON + (COMFORT.day_until_h - 12.0) * HOUR_S]
    assert low[falls[0]] == day_low
    assert all(one < other for one, other in zip(low, high, strict=True))
