"""Expectations over time: three quantiles on a time grid, and the day-ahead prices."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from pems_actors.domain.time_grid import TimeGrid


@dataclass(frozen=True, slots=True)
class Forecast:
    """Means over the slots of `grid`, with P10 and P90 where known.

    `name` is one of `pv_kw`, `base_load_kw`, `outdoor_c`, `ghi_w_m2`, ...; `source` tells which
    rung of the source ladder it came from.
    """

    name: str
    issued_at_s: float
    grid: TimeGrid
    p50: tuple[float, ...]
    p10: tuple[float, ...] | None = None
    p90: tuple[float, ...] | None = None
    source: str = "model"


@dataclass(frozen=True, slots=True)
class LearnedForecast:
    """What a trained model says, for the predictor whose place it takes.

    `model` names its version. None as `forecast`: nobody is trusted, the predictor is on its own;
    `reason` says why.
    """

    model: str
    forecast: Forecast | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PriceCurve:
    """All-in prices per slot in the house's currency per kWh, and where published ones end."""

    issued_at_s: float
    grid: TimeGrid
    import_per_kwh: tuple[float, ...]
    export_per_kwh: tuple[float, ...]
    published_until_s: float
    blocked: tuple[bool, ...]  # heating blocked by the tariff (HDO) in this slot, as timetabled
    currency: str = "CZK"
    source: str = "published"
    price_level: float = 1.0  # of this currency beside CZK, in which the strategies are written


@dataclass(frozen=True, slots=True)
class WeatherForecast:
    """Outdoor temperature and irradiance on one grid."""

    issued_at_s: float
    grid: TimeGrid
    outdoor_c: tuple[float, ...]
    ghi_w_m2: tuple[float, ...]
    dni_w_m2: tuple[float, ...]
    dhi_w_m2: tuple[float, ...]
    source: str = "file"


def resample(grid: TimeGrid, values: tuple[float, ...], onto: TimeGrid) -> tuple[float, ...]:
    """Average a slot series over other slots, weighted by overlap; beyond its ends the ends hold.

    Args:
        grid: slots of `values`.    values: one mean per slot.    onto: the slots wanted.
    Returns: one mean per slot of `onto`.
    Raises: ValueError if `values` does not fit `grid`.
    """
    if len(values) != len(grid):
        raise ValueError(f"{len(values)} values do not fit {len(grid)} slots")
    if onto == grid:
        return values
    edges = grid.edges_s
    means: list[float] = []
    for start, width in zip(onto.starts_s, onto.durations_s, strict=True):
        end, k = start + width, bisect_right(edges, start) - 1
        if 0 <= k < len(values) and end <= edges[k + 1]:  # the usual finer slot
            means.append(values[k])
            continue
        at, total = start, 0.0
        while at < end:
            upto = end if k >= len(values) - 1 else min(end, edges[k + 1])
            total += values[min(max(k, 0), len(values) - 1)] * (upto - at)
            at, k = upto, k + 1
        means.append(total / width)
    return tuple(means)
