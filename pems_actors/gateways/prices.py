"""Day-ahead prices from the Czech market operator, and a cache that never forgets a good one.

`parse_day` turns a published chart into the quarter hours of one local day and refuses one that
belongs to another day. `CachedPrices` is the `PriceSource`: it asks for a day when it can be out,
keeps what was good by absolute time, and answers None where nothing is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil, isfinite
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, MINUTE_S, QUARTER_S
from pems_actors.gateways.http_feed import BROKEN_JSON, FeedError, Fetch, http_get

OTE_URL = (
    "https://www.ote-cr.cz/en/short-term-markets/electricity/day-ahead-market/@@chart-data"
    "?report_date={day}&time_resolution=PT15M"
)
MARKET_ZONE = ZoneInfo("Europe/Prague")
PUBLISHED_FROM_H = 13.0  # local hour at which tomorrow can first be out
ASK_AGAIN_S = 15.0 * MINUTE_S
MOST_ASKS = 2  # in one call: the caller waits
LONGEST_WAIT_S = 1.0 * HOUR_S
KEPT_S = 9.0 * DAY_S
_DATE = re.compile(r"(\d{1,2})[./]\s*(\d{1,2})[./]\s*(\d{4})|(\d{4})-(\d{2})-(\d{2})")


class DayAhead(Protocol):
    """A market that publishes whole days."""

    def day(self, day: date) -> tuple[float, ...] | None:
        """Read the prices of a local day per quarter hour [EUR/MWh]; None if not published yet.

        Raises: FeedError if the market cannot be read or believed.
        """


class OteClient:
    """The operator's public chart data. One request per call, no retries: the cache has those."""

    def __init__(self, fetch: Fetch = http_get, url: str = OTE_URL) -> None:
        self._fetch = fetch
        self._url = url

    def day(self, day: date) -> tuple[float, ...] | None:
        """Read the prices of a local day per quarter hour [EUR/MWh]; None if not published yet.

        Raises: FeedError if the market cannot be read or believed.
        """
        return parse_day(self._fetch(self._url.format(day=day.isoformat())), day)


def parse_day(body: bytes, day: date) -> tuple[float, ...] | None:
    """Read the chart of one delivery day.

    Args:
        body: JSON with `data.dataLine[].point[] {x, y}`; prices are the line of EUR/MWh, hours or
            quarter hours.    day: the delivery day that was asked for.
    Returns: prices per quarter hour, 92, 96 or 100 of them; None if the chart is still empty.
    Raises: FeedError for another day's chart, a wrong number of points, or what is no number.
    """
    try:
        chart = json.loads(body)
        lines = chart["data"]["dataLine"]
        title = str(chart.get("graph", {}).get("title", ""))
        points = _price_line(lines)["point"] if lines else []
        read = {int(point["x"]): float(point["y"]) for point in points}
    except BROKEN_JSON as error:
        raise FeedError(f"the price chart of {day} is not in its usual form: {error!r}") from error
    _check_day(title, day)
    if not read:
        return None
    return _quarters(read, day)


def _price_line(lines: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Find the line of prices: of the finest resolution by its title, else the second line."""
    priced = [line for line in lines if "EUR/MWh" in str(line.get("title", ""))]
    fine = [line for line in priced if "15" in str(line["title"])]
    return (fine or priced or [lines[1]])[0]


def _check_day(title: str, day: date) -> None:
    """Refuse a chart whose title names another day."""
    found = _DATE.search(title)
    if found is None:
        return
    d, m, y, iso_y, iso_m, iso_d = (int(part) if part else 0 for part in found.groups())
    told = (y or iso_y, m or iso_m, d or iso_d)
    if told != (day.year, day.month, day.day):
        raise FeedError(f"asked for the prices of {day}, the chart is titled {title!r}")


def _quarters(read: Mapping[int, float], day: date) -> tuple[float, ...]:
    """Order the points by their number and bring hours to quarter hours."""
    wanted = len(TimeGrid.local_day(day, MARKET_ZONE))
    count = len(read)
    if count not in {wanted, wanted // 4} or set(read) != set(range(1, count + 1)):
        raise FeedError(f"{day} has {wanted} quarter hours, the chart has {count} points")
    prices = [read[k] for k in range(1, count + 1)]
    if not all(isfinite(price) for price in prices):
        raise FeedError(f"a price of {day} is not a number")
    return tuple(price for price in prices for _ in range(wanted // count))


@dataclass(frozen=True, slots=True)
class _Try:
    """When a day may be asked for again, and how often it failed in a row."""

    asked_s: float
    not_before_s: float
    failures: int = 0


class CachedPrices:
    """A `PriceSource` over a market: asks when it makes sense, remembers, never raises.

    `last_error` is the last failure in one sentence, or None when the last call went well.
    """

    def __init__(self, market: DayAhead, zone: ZoneInfo = MARKET_ZONE) -> None:
        self._market = market
        self._zone = zone
        self._known: dict[int, float] = {}
        self._days: dict[date, tuple[float, ...]] = {}
        self._tries: dict[date, _Try] = {}
        self.last_error: str | None = None

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Read the published price per slot; None where not (yet) published at `now_s`."""
        due = [day for day in self._wanted(grid, now_s) if self._due(day, now_s)]
        for day in due[:MOST_ASKS]:
            self._ask(day, now_s)
        return tuple(self._slot(start_s, end_s) for start_s, end_s in pairwise(grid.edges_s))

    def remember(self, day: date, prices: tuple[float, ...]) -> None:
        """Keep the prices of a whole local day, for example from the history after a start."""
        grid = TimeGrid.local_day(day, self._zone)
        if len(prices) != len(grid):
            raise ValueError(f"{day} has {len(grid)} quarter hours, {len(prices)} prices given")
        self._days[day] = prices
        oldest_s = grid.start_s - KEPT_S
        self._known = {q: p for q, p in self._known.items() if q * QUARTER_S >= oldest_s}
        for start_s, price in zip(grid.starts_s, prices, strict=True):
            self._known[int(start_s // QUARTER_S)] = price

    def _wanted(self, grid: TimeGrid, now_s: float) -> list[date]:
        """Days of a grid that can be published: today, tomorrow, then the past, newest first."""
        today = datetime.fromtimestamp(now_s, self._zone).date()
        first = datetime.fromtimestamp(grid.start_s, self._zone).date()
        last = datetime.fromtimestamp(grid.end_s - 1.0, self._zone).date()
        past = [today - timedelta(days=back) for back in range(1, 9)]
        return [d for d in (today, today + timedelta(days=1), *past) if first <= d <= last]

    def _due(self, day: date, now_s: float) -> bool:
        if day in self._days:
            return False
        midnight_s = TimeGrid.local_day(day, self._zone).start_s
        out_s = midnight_s - (24.0 - PUBLISHED_FROM_H) * HOUR_S
        tried = self._tries.get(day)
        return now_s >= out_s and (tried is None or not tried.asked_s <= now_s < tried.not_before_s)

    def _ask(self, day: date, now_s: float) -> None:
        failures = self._tries[day].failures if day in self._tries else 0
        try:
            prices = self._market.day(day)
            if prices is not None:
                self._check_new(day, prices)
                self.remember(day, prices)
        except (OSError, ValueError) as error:
            self.last_error = str(error)
            wait_s = min(LONGEST_WAIT_S, MINUTE_S * 2.0 ** min(failures, 10))
            asked_s = getattr(error, "retry_after_s", 0.0)
            self._tries[day] = _Try(now_s, now_s + max(wait_s, asked_s), failures + 1)
        else:
            self.last_error = None
            self._tries[day] = _Try(now_s, now_s + ASK_AGAIN_S)

    def _check_new(self, day: date, prices: tuple[float, ...]) -> None:
        """Refuse yesterday under today's name: no two real days have all prices alike."""
        if len(set(prices)) > 1 and self._days.get(day - timedelta(days=1)) == prices:
            raise FeedError(f"the prices of {day} are those of the day before, one by one")

    def _slot(self, start_s: float, end_s: float) -> float | None:
        """Mean price over a slot, None unless all of it is known."""
        total = 0.0
        for quarter in range(int(start_s // QUARTER_S), ceil(end_s / QUARTER_S)):
            price = self._known.get(quarter)
            if price is None:
                return None
            edge_s = quarter * QUARTER_S
            total += price * (min(end_s, edge_s + QUARTER_S) - max(start_s, edge_s))
        return total / (end_s - start_s)
