"""Spot prices for every slot: published where they are, otherwise a guess that says it is one.

The ladder remembers accepted prices per quarter hour. What is not published is taken from the
same local time one week before, else from the nearest day before, else a flat price. Money (tax,
distribution, fees) is the tariff's business; this is EUR/MWh as traded, negative prices kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, QUARTER_S
from pems_actors.economics.local_hours import local_hour
from pems_actors.forecasting.quarters import days_before, number, quarter_of, quarters_over

MOST_EUR_MWH = 10_000.0
FLAT_EUR_MWH = 100.0
_KEPT_QUARTERS = int(9 * DAY_S // QUARTER_S)
_TIMES_TOO_MUCH = 25.0  # a day this many times the usual one is a wrong unit, not a market
_DAY_TOO_MUCH_EUR_MWH = 2000.0  # no whole European day was ever traded near this
_LADDER = ("published", "week_before", "day_before", "flat")
_DAYS_BACK = (7, 1, 2, 3, 4, 5, 6)
_OUT_BY_H = 16.0  # local hour by which a market has told its next day, late days included


@dataclass(frozen=True, slots=True)
class SpotSeries:
    """Spot prices over a grid, with the rung of each slot and the worst of them as `source`.

    `published_until_s` is where the unbroken published prices end, counted from the grid's start.
    """

    issued_at_s: float
    grid: TimeGrid
    eur_mwh: tuple[float, ...]
    sources: tuple[str, ...]
    published_until_s: float
    source: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceLadder:
    """Accepted prices by quarter hour [EUR/MWh] and what was refused of the last offer."""

    timezone: str
    known: Mapping[int, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    flat_eur_mwh: float = FLAT_EUR_MWH

    def observe(
        self, grid: TimeGrid, published: Sequence[float | None], now_s: float
    ) -> PriceLadder:
        """Accept the believable part of what a source published; None means not published.

        Give the market's own periods (hours or quarter hours): a slot counts for each quarter
        hour that begins in it. Nothing acceptable leaves the older prices as they are.
        """
        if not self.flags and self._knows(grid, published):
            return self
        offered, flags = _offered(grid, published)
        flag = self._too_much(offered)
        if flag:
            offered, flags = {}, [*flags, flag]
        oldest = quarter_of(now_s) - _KEPT_QUARTERS
        if offered.items() <= self.known.items() and tuple(flags) == self.flags:
            return self
        known = {q: price for q, price in {**self.known, **offered}.items() if q >= oldest}
        return PriceLadder(self.timezone, known, tuple(flags), self.flat_eur_mwh)

    def spot(self, grid: TimeGrid, now_s: float) -> SpotSeries:
        """Tell a price for every slot of `grid` [EUR/MWh], finite whatever was published."""
        quarters = quarters_over(grid)
        first = quarter_of(quarters.start_s)
        told = [self._quarter(first + k) for k in range(len(quarters))]
        prices, rungs = _per_slot(quarters, told, grid)
        return SpotSeries(
            issued_at_s=now_s,
            grid=grid,
            eur_mwh=prices,
            sources=tuple(_LADDER[rung] for rung in rungs),
            published_until_s=self._published_until_s(grid.start_s),
            source=_LADDER[max(rungs)],
            flags=self.flags,
        )

    def lacking(self, now_s: float) -> str:
        """Say what of the market's prices is refused or missing; empty if nothing is."""
        now = quarter_of(now_s)
        if self.flags:
            return "; ".join(self.flags)
        if now not in self.known:
            instead = self._instead[self._quarter(now)[1]]
            return f"no price is published for now; {instead}"
        late = local_hour(now_s, self.timezone) >= _OUT_BY_H
        out = days_before(now, -1, self.timezone) in self.known
        return "" if out or not late else "tomorrow's prices are not out yet"

    @property
    def _instead(self) -> tuple[str, ...]:
        flat = f"a flat {self.flat_eur_mwh:g} EUR/MWh serves"
        return "", "those of a week ago serve", "those of another day serve", flat

    def _quarter(self, quarter: int) -> tuple[float, int]:
        """Find the price of a quarter hour and its rung."""
        if quarter in self.known:
            return self.known[quarter], 0
        for days in _DAYS_BACK:
            price = self.known.get(days_before(quarter, days, self.timezone))
            if price is not None:
                return price, 1 if days == 7 else 2
        return self.flat_eur_mwh, 3

    def _published_until_s(self, start_s: float) -> float:
        quarter = quarter_of(start_s)
        if quarter not in self.known:
            return start_s
        while quarter in self.known:
            quarter += 1
        return quarter * QUARTER_S

    def _knows(self, grid: TimeGrid, published: Sequence[float | None]) -> bool:
        """Tell if an offer by quarter hours says just what is known: the usual one."""
        first = quarter_of(grid.start_s)
        if first * QUARTER_S != grid.start_s or grid.durations_s.count(QUARTER_S) != len(grid):
            return False
        return list(map(self.known.get, range(first, first + len(grid)))) == list(published)

    def _too_much(self, offered: Mapping[int, float]) -> str | None:
        """Say why a whole offer is a wrong unit; single spikes and negative prices are a market."""
        fresh = [abs(price) for q, price in offered.items() if self.known.get(q) != price]
        if len(fresh) < 4:
            return None
        typical = median(fresh)
        usual = median([abs(price) for price in self.known.values()]) if self.known else 0.0
        if typical > _DAY_TOO_MUCH_EUR_MWH or (
            typical > 500.0 and usual > 0.0 and typical > _TIMES_TOO_MUCH * usual
        ):
            return (
                f"prices around {typical:.0f} EUR/MWh refused, usual are {usual:.0f}: wrong unit?"
            )
        return None


def _offered(
    grid: TimeGrid, published: Sequence[float | None]
) -> tuple[dict[int, float], list[str]]:
    """Spread the sound prices over their quarter hours, and say how many were refused."""
    if len(published) != len(grid):
        return {}, [f"{len(published)} prices for {len(grid)} slots refused: they must match"]
    offered: dict[int, float] = {}
    refused = 0
    for (start_s, end_s), given in zip(pairwise(grid.edges_s), published, strict=True):
        if given is None:
            continue
        price = number(given)
        if price is None or abs(price) > MOST_EUR_MWH:
            refused += 1
            continue
        for quarter in range(-int(-start_s // QUARTER_S), -int(-end_s // QUARTER_S)):
            offered[quarter] = price
    flags = [f"{refused} prices refused: not numbers within ±10 000 EUR/MWh"] if refused else []
    return offered, flags


def _per_slot(
    quarters: TimeGrid, told: Sequence[tuple[float, int]], grid: TimeGrid
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Average prices over the slots; a slot is as good as its worst quarter hour."""
    if quarters == grid:
        own, of = zip(*told, strict=True)
        return own, of
    first = quarter_of(quarters.start_s)
    prices, rungs = [], []
    for start_s, end_s in pairwise(grid.edges_s):
        total, worst = 0.0, 0
        for quarter in range(quarter_of(start_s), -int(-end_s // QUARTER_S)):
            price, rung = told[quarter - first]
            edge_s = quarter * QUARTER_S
            total += price * (min(end_s, edge_s + QUARTER_S) - max(start_s, edge_s))
            worst = max(worst, rung)
        prices.append(total / (end_s - start_s))
        rungs.append(worst)
    return tuple(prices), tuple(rungs)
