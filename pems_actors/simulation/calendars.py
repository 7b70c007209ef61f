"""Which day of a recorded year stands for a simulated day, and when local days begin."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from pems_actors.domain.units import DAY_S

Array = npt.NDArray[np.float64]

_YEAR_DAYS = 365.2425
_FARTHEST_YEARS = 60


def moved_into(at_s: Array, first_s: float, end_s: float) -> Array:
    """Move instants by whole weeks, about whole years, into a recorded span.

    The weekday stays and the season shifts by at most four days. Instants inside stay.

    Args:
        at_s: instants, shape (n,).    first_s, end_s: the span, of more than a year.
    Raises: ValueError if an instant is over 60 years away.
    """
    moved = np.array(at_s, float)
    outside = (moved < first_s) | (moved >= end_s)
    for years in chain.from_iterable((n, -n) for n in range(1, _FARTHEST_YEARS)):
        if not outside.any():
            return moved
        candidate = np.asarray(at_s, float) - round(years * _YEAR_DAYS / 7.0) * 7.0 * DAY_S
        fits = outside & (candidate >= first_s) & (candidate < end_s)
        moved[fits] = candidate[fits]
        outside &= ~fits
    raise ValueError("an instant lies over 60 years from the recorded data; start nearer to them")


def local_midnight(at_s: float, timezone: str, days_ahead: int = 0) -> float:
    """Find the start of the local day of an instant, or of a day after it [s]."""
    zone = ZoneInfo(timezone)
    day = datetime.fromtimestamp(at_s, zone).date() + timedelta(days=days_ahead)
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def seconds_of_year(at_s: Array) -> Array:
    """Find the seconds since the start of the UTC year, with leap days played twice."""
    when = (np.asarray(at_s) * 1e3).astype("datetime64[ms]")
    start = when.astype("datetime64[Y]").astype("datetime64[ms]")
    elapsed = (when - start).astype(float) / 1e3
    year = when.astype("datetime64[Y]").astype(int) + 1970
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.asarray(elapsed - np.where(leap & (elapsed >= 59 * DAY_S), DAY_S, 0.0))
