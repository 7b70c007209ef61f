"""The few unit conversions of the house, so that no factor of 3600 hides in a formula."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

MINUTE_S = 60.0
QUARTER_S = 900.0
HOUR_S = 3600.0
DAY_S = 86400.0


def utc(at_s: float) -> datetime:
    """Turn seconds since the epoch into an aware UTC time."""
    return datetime.fromtimestamp(at_s, UTC)


@lru_cache(maxsize=256)
def iso(at_s: float) -> str:
    """Write an instant as ISO 8601 in UTC, to the second, for the edges."""
    return utc(at_s).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds(text: str) -> float:
    """Read an ISO 8601 time with an offset into seconds since the epoch.

    Raises: ValueError if the text is no time, or has no offset (a local time is not an instant).
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset; write it in UTC, like 2026-01-15T06:00:00Z")
    return when.timestamp()


def kwh(power_kw: float, duration_s: float) -> float:
    """Energy of a constant power over a time [kWh]."""
    return power_kw * duration_s / HOUR_S
