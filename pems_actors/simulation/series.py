"""Quarter-hour series made block by block when somebody asks, and means over any slots of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, QUARTER_S

Array = npt.NDArray[np.float64]

QUARTERS = 96  # of a UTC day
BlockOf = Callable[[int], Array]


def day_of(at_s: float) -> int:
    """Number the UTC day of an instant."""
    return int(at_s // DAY_S)


def quarter_middles(day: int, days: int = 1) -> Array:
    """Give the middles of the quarter hours of UTC days, shape (96 · days,) [s]."""
    return np.asarray(day * DAY_S + (np.arange(QUARTERS * days) + 0.5) * QUARTER_S)


def slot_means(grid: TimeGrid, day_values: BlockOf) -> Array:
    """Average a quarter-hour series over slots, weighted by overlap.

    Args:
        grid: the slots.    day_values: gives the 96 quarter-hour means of a UTC day by number.
    Returns: one mean per slot, shape (slots,).
    """
    first, last = day_of(grid.start_s), day_of(grid.end_s)
    values = np.concatenate([day_values(day) for day in range(first, last + 1)])
    integral = np.concatenate([[0.0], np.cumsum(values)]) * QUARTER_S
    edges = np.asarray(grid.edges_s) - first * DAY_S
    filled = np.interp(edges, np.arange(len(integral)) * QUARTER_S, integral)
    return np.asarray(np.diff(filled) / np.diff(edges))
