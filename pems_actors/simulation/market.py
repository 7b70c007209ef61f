"""Day-ahead prices as a market publishes them: tomorrow's are known from 13:00 local time.

Recorded prices of the zone DE-LU for 2022 and 2023; other years meet them by whole weeks. Each
hour holds for four quarters. Days missing in the record repeat the week before.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pems_actors.data import spot_prices
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, utc
from pems_actors.economics.local_hours import local_hour
from pems_actors.simulation.calendars import local_midnight, moved_into
from pems_actors.simulation.series import quarter_middles, slot_means

Array = npt.NDArray[np.float64]

PUBLISHED_FROM_H = 13.0
_WEEK_H = 7 * 24


def published_until_s(now_s: float, timezone: str) -> float:
    """Find the end of the last published day: today's until 13:00 local time, then tomorrow's."""
    days = 2 if local_hour(now_s, timezone) >= PUBLISHED_FROM_H else 1
    return local_midnight(now_s, timezone, days)


def spot_eur_mwh(grid: TimeGrid, now_s: float, timezone: str) -> tuple[float | None, ...]:
    """Give the price per slot as known at `now_s`; None for slots beyond what is published."""
    known = bisect_right(grid.edges_s, published_until_s(now_s, timezone)) - 1
    known = max(known, 0)
    return (*traded_eur_mwh(grid)[:known], *(None,) * (len(grid) - known))


def traded_eur_mwh(grid: TimeGrid) -> tuple[float, ...]:
    """Give the price per slot as it will have been, published or not."""
    return tuple(slot_means(grid, _day).round(6).tolist())


def filled_days() -> tuple[str, ...]:
    """Name the UTC days with hours that repeat the week before."""
    return _prices()[1]


@lru_cache(maxsize=256)
def _day(day: int) -> Array:
    table = spot_prices()
    moved = moved_into(quarter_middles(day), table.start_s, table.end_s)
    return np.asarray(_prices()[0][((moved - table.start_s) // HOUR_S).astype(int)])


@lru_cache(maxsize=1)
def _prices() -> tuple[Array, tuple[str, ...]]:
    table = spot_prices()
    prices = table["price_de_lu_eur_mwh"].copy()
    missing = np.flatnonzero(np.isnan(prices))
    for hour in missing:
        prices[hour] = prices[hour - _WEEK_H]
    days = sorted({float((table.start_s + hour * HOUR_S) // DAY_S) for hour in missing})
    return prices, tuple(utc(day * DAY_S).date().isoformat() for day in days)
