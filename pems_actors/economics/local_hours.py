"""Local wall-clock hours of UTC instants, cheap enough to be asked every simulated minute."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S

Spans = tuple[tuple[float, float], ...]


def local_hour(at_s: float, timezone: str) -> float:
    """Find the hour of the local day, 0 up to 24; zones change on quarter hours only."""
    return (at_s + _offset_s(timezone, int(at_s // QUARTER_S))) % DAY_S / HOUR_S


def local_day(at_s: float, timezone: str) -> int:
    """Number the local day of an instant; it goes up by one at each local midnight."""
    return int((at_s + _offset_s(timezone, int(at_s // QUARTER_S))) // DAY_S)


def local_month(at_s: float, timezone: str) -> int:
    """Find the month of the local date, 1 to 12."""
    return datetime.fromtimestamp(at_s, ZoneInfo(timezone)).month


def contains(spans: Spans, hour: float) -> bool:
    """Tell if an hour lies in one of the spans `(from, until)`; a span may cross midnight."""
    return any(
        start <= hour < until if start <= until else hour >= start or hour < until
        for start, until in spans
    )


@lru_cache(maxsize=512)
def _offset_s(timezone: str, quarter: int) -> float:
    offset = datetime.fromtimestamp(quarter * QUARTER_S, ZoneInfo(timezone)).utcoffset()
    return offset.total_seconds() if offset else 0.0
