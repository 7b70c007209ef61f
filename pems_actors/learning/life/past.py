"""The house's own past as columns: history rows onto even slots, weather ahead beside them.

Plain numbers, no data library: the core gathers, workers learn. What is not known is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import nan

from pems_actors.domain.forecasts import WeatherForecast, resample
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.learning.life.jobs import TARGETS, WEATHER, Columns

PREFIX = "learn."
RECENT_S = 35 * DAY_S
LONGEST_S = 730 * DAY_S
AHEAD_S = 48 * HOUR_S
WITH_WEATHER = ("load", "pv")

Rows = Sequence[tuple[float, float]]
Range = Callable[[str, float, float], Rows]


def kept_as(name: str) -> str:
    """Name of the series in the history that holds a column."""
    return f"{PREFIX}{name}"


def on_slots(
    rows: Iterable[tuple[float, float]], start_s: float, step_s: float, slots: int
) -> list[float]:
    """Put rows on even slots: the mean of what lies in each, NaN where nothing does."""
    totals, counts = [0.0] * slots, [0] * slots
    for at_s, value in rows:
        k = int((at_s - start_s) // step_s)
        if 0 <= k < slots:
            totals[k] += value
            counts[k] += 1
    return [total / n if n else nan for total, n in zip(totals, counts, strict=True)]


def held(values: list[float], slots: int) -> list[float]:
    """Carry each known value on over at most so many unknown slots: hours onto quarters."""
    carried, left, last = [], 0, nan
    for value in values:
        if value == value:  # noqa: PLR0124 - NaN is the one number that is not itself
            last, left = value, slots
        elif left > 0:
            left -= 1
        else:
            last = nan
        carried.append(last)
    return carried


def step_of(rows: Rows) -> float:
    """Find the step of prices: an hour, or a quarter where the quarters of an hour differ."""
    by_hour: dict[float, float] = {}
    for at_s, value in rows:
        if by_hour.setdefault(at_s // HOUR_S, value) != value:
            return QUARTER_S
    return HOUR_S


NO_NEWS = "climatology"  # a mean day: models know better themselves, and how little they know


def gathered(
    series: str,
    past: Range,
    start_s: float,
    until_s: float,
    ahead_s: float = 0.0,
    weather: WeatherForecast | None = None,
) -> Columns:
    """Gather the target of `[start_s, until_s)`, and the weather of that and `ahead_s` beyond.

    Args:
        past: reads rows of a series of the history between two instants.
        weather: as forecast now; the past has it as it was forecast shortly before.
    """
    rows = past(kept_as(TARGETS[series]), start_s, until_s)
    step_s = step_of(rows) if series == "price" else QUARTER_S
    slots = round((until_s + ahead_s - start_s) / step_s)
    columns: dict[str, tuple[float, ...]] = {
        TARGETS[series]: tuple(on_slots(rows, start_s, step_s, slots))
    }
    if series in WITH_WEATHER:
        columns.update(_weather(past, start_s, step_s, slots, weather))
    return Columns(start_s, step_s, columns)


def _weather(
    past: Range, start_s: float, step_s: float, slots: int, weather: WeatherForecast | None
) -> Mapping[str, tuple[float, ...]]:
    end_s = start_s + slots * step_s
    columns = {
        name: held(on_slots(past(kept_as(name), start_s, end_s), start_s, step_s, slots), 3)
        for name in WEATHER
    }
    if weather is not None and not weather.source.startswith(NO_NEWS):
        first = max(0, int((weather.grid.start_s - start_s) // step_s))
        last = min(slots, int((weather.grid.end_s - start_s) // step_s))
        if first < last:
            grid = TimeGrid.uniform(start_s + first * step_s, last - first, step_s)
            ahead = (weather.outdoor_c, weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2)
            for name, values in zip(WEATHER, ahead, strict=True):
                columns[name][first:last] = resample(weather.grid, values, grid)
    return {name: tuple(values) for name, values in columns.items()}
