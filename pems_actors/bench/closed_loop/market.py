"""Quarter-hour prices: the recorded hours, with the ramps and the roughness of quarter-hour trade.

The record has hours. Quarters of an hour follow its neighbours (early quarters lean to the hour
before, late ones to the hour after, as they are traded) with seeded noise, and their mean is the
hour's own price, so that nobody wins or loses by the split itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pems_actors.domain.ports import PriceSource
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, QUARTER_S
from pems_actors.simulation.market import published_until_s, traded_eur_mwh
from pems_actors.simulation.randomness import generator
from pems_actors.simulation.series import slot_means

Array = npt.NDArray[np.float64]

LEAN = 0.5  # share of the step to the next hour that the outermost quarters go along
NOISE_EUR_MWH = 6.0
_PLACES = np.array([-0.75, -0.25, 0.25, 0.75])  # of the quarters about the hour's middle


class Market(PriceSource, Protocol):
    """A price source that can also tell what prices will have been."""

    def traded_eur_mwh(self, grid: TimeGrid) -> tuple[float, ...]:
        """Give prices per slot as they will have been."""


@dataclass(frozen=True)
class QuarterMarket:
    """A price source like `Scenario`, with a price of its own for each quarter of an hour."""

    seed: int
    timezone: str

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Give published prices per slot; tomorrow's are known from 13:00 local time."""
        until_s = published_until_s(now_s, self.timezone)
        ends = grid.edges_s[1:]
        return tuple(
            price if end <= until_s else None
            for price, end in zip(self.traded_eur_mwh(grid), ends, strict=True)
        )

    def traded_eur_mwh(self, grid: TimeGrid) -> tuple[float, ...]:
        """Give prices per slot as they will have been."""
        return tuple(slot_means(grid, self._day).round(6).tolist())

    def _day(self, day: int) -> Array:
        around = TimeGrid.uniform(day * DAY_S - 3600.0, 26 * 4, QUARTER_S)
        hours = np.array(traded_eur_mwh(around)).reshape(26, 4).mean(axis=1)
        slope = (hours[2:] - hours[:-2]) / 2.0
        rough = generator(self.seed, "quarters", day).normal(0.0, NOISE_EUR_MWH, (24, 4))
        rough -= rough.mean(axis=1, keepdims=True)
        split = LEAN * slope[:, None] * _PLACES + rough
        return np.asarray((hours[1:-1, None] + split).reshape(-1))


@dataclass(frozen=True)
class KnownMarket:
    """The same market for one who knows all prices beforehand."""

    market: Market

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Give every price, published or not."""
        del now_s
        return self.market.traded_eur_mwh(grid)
