"""Weather forecasts from Open-Meteo, and a cache that keeps the last good one.

Two traps of the format are handled here and nowhere else: irradiances are means of the *preceding*
hour, and `direct_radiation` lies on the horizontal plane; what roofs need is
`direct_normal_irradiance`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import Site
from pems_actors.domain.ports import WeatherSource
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.gateways.http_feed import BROKEN_JSON, FeedError, Fetch, http_get

OPEN_METEO_URL = "https://api.open-meteo.com/v1/forecast"
FORECAST_DAYS = 4
ASK_EVERY_S = 30.0 * MINUTE_S
LONGEST_WAIT_S = 15.0 * MINUTE_S
_FIELDS = ("temperature_2m", "shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation")
_FEWEST_HOURS = 12


class OpenMeteoClient:
    """The public service as a `WeatherSource`. One request per call, no retries."""

    def __init__(self, site: Site, fetch: Fetch = http_get, url: str = OPEN_METEO_URL) -> None:
        self._fetch = fetch
        self.url = f"{url}?{_query(site)}"

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        """Read the newest forecast, on the service's own hours; None if they miss `grid`.

        Raises: FeedError if it cannot be read or believed.
        """
        issue = parse_forecast(self._fetch(self.url), now_s)
        return issue if issue.grid.end_s > grid.start_s else None


def _query(site: Site) -> str:
    return urlencode(
        {
            "latitude": f"{site.latitude_deg:.4f}",
            "longitude": f"{site.longitude_deg:.4f}",
            "elevation": f"{site.altitude_m:.0f}",
            "hourly": ",".join(_FIELDS),
            "forecast_days": FORECAST_DAYS,
            "timeformat": "unixtime",
            "timezone": "UTC",
        },
        safe=",",
    )


def parse_forecast(body: bytes, now_s: float) -> WeatherForecast:
    """Read an hourly answer with unix times.

    Args:
        body: JSON with `hourly.time` and a list per field; missing values at the end are cut off.
        now_s: the time of issue.
    Returns: slots of one hour; temperatures are means of both ends of the hour.
    Raises: FeedError if fields are missing, are no numbers, or too few hours are left.
    """
    try:
        hourly = json.loads(body)["hourly"]
        times = [float(at_s) for at_s in hourly["time"]]
        columns = [hourly[field] for field in _FIELDS]
        rows = _whole_rows(times, columns)
        grid = TimeGrid(tuple(at_s for at_s, *_ in rows))
    except BROKEN_JSON as error:
        raise FeedError(f"the forecast is not in its usual form: {error!r}") from error
    if len(grid) < _FEWEST_HOURS or any(b - a != HOUR_S for a, b in pairwise(grid.edges_s)):
        raise FeedError(f"{len(grid)} slots are no hourly forecast of {_FEWEST_HOURS} h or more")
    temps, *sun = zip(*[row[1:] for row in rows], strict=True)
    ghi, dni, dhi = (tuple(max(0.0, value) for value in column[1:]) for column in sun)
    return WeatherForecast(
        issued_at_s=now_s,
        grid=grid,
        outdoor_c=tuple((a + b) / 2.0 for a, b in pairwise(temps)),
        ghi_w_m2=ghi,
        dni_w_m2=dni,
        dhi_w_m2=dhi,
        source="open-meteo",
    )


def _whole_rows(
    times: Sequence[float], columns: Sequence[Sequence[Any]]
) -> list[tuple[float, ...]]:
    """Join the columns row by row, up to the first row in which a value is missing."""
    rows: list[tuple[float, ...]] = []
    for at_s, *values in zip(times, *columns, strict=True):
        if any(value is None for value in values):
            break
        row = tuple(float(value) for value in values)
        if not all(isfinite(value) for value in row):
            raise ValueError(f"a value at {at_s:.0f} is not a number")
        rows.append((at_s, *row))
    return rows


class CachedWeather:
    """A `WeatherSource` over another: asks every half hour, keeps the last good, never raises.

    Its forecast stays on the source's own hours; the weather ladder brings it onto a grid.
    `last_error` is the last failure in one sentence, or None when the last call went well.
    """

    def __init__(self, source: WeatherSource) -> None:
        self._source = source
        self._last: WeatherForecast | None = None
        self._asked_s = self._not_before_s = float("-inf")
        self._failures = 0
        self.last_error: str | None = None

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        """Give the newest forecast that reaches into `grid`, with its own time of issue."""
        if not self._asked_s <= now_s < self._not_before_s:  # a clock set back asks at once
            self._ask(grid, now_s)
        last = self._last
        if last is None or last.grid.end_s <= grid.start_s:
            return None
        return last

    def _ask(self, grid: TimeGrid, now_s: float) -> None:
        self._asked_s = now_s
        try:
            self._last = self._source.forecast(grid, now_s) or self._last
        except OSError as error:
            self.last_error = str(error)
            wait_s = min(LONGEST_WAIT_S, MINUTE_S * 2.0 ** min(self._failures, 10))
            self._not_before_s = now_s + max(wait_s, getattr(error, "retry_after_s", 0.0))
            self._failures += 1
        else:
            self.last_error, self._failures = None, 0
            self._not_before_s = now_s + ASK_EVERY_S
