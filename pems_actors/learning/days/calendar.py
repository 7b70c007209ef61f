"""Local days as people live them: weekdays, holidays of the country, bridges, summer time.

A calendar never depends on measurements, so all of it is known at any issue. The country is found
by the time zone; where the zone has none, only weekdays count.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]

COUNTRY_OF = {
    "Europe/Prague": "CZ",
    "Europe/Bratislava": "SK",
    "Europe/Vienna": "AT",
    "Europe/Berlin": "DE",
    "Europe/Paris": "FR",
    "Europe/Amsterdam": "NL",
    "Europe/Brussels": "BE",
    "Europe/London": "GB",
    "Europe/Dublin": "IE",
    "Europe/Madrid": "ES",
    "Europe/Lisbon": "PT",
    "Europe/Rome": "IT",
    "Europe/Warsaw": "PL",
    "Europe/Budapest": "HU",
    "Europe/Ljubljana": "SI",
    "Europe/Zagreb": "HR",
    "Europe/Zurich": "CH",
    "Europe/Copenhagen": "DK",
    "Europe/Stockholm": "SE",
    "Europe/Oslo": "NO",
    "Europe/Helsinki": "FI",
    "America/New_York": "US",
    "America/Chicago": "US",
    "America/Denver": "US",
    "America/Los_Angeles": "US",
    "Australia/Sydney": "AU",
    "Australia/Melbourne": "AU",
}


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[tuple[int, int]]:
    """List the public holidays of a year as (month, day)."""
    import holidays  # noqa: PLC0415 - slow to load, and only learners need it

    days = holidays.country_holidays(country, years=year)
    return frozenset((day.month, day.day) for day in days)


def holiday_flags(days: pd.DatetimeIndex, timezone: str) -> Array:
    """Mark public holidays with 1.0, shape (days,); zeros where the zone has no country here."""
    country = COUNTRY_OF.get(timezone)
    if country is None:
        return np.zeros(len(days))
    return np.array([float((d.month, d.day) in _holidays(country, d.year)) for d in days])


def free_flags(days: pd.DatetimeIndex, timezone: str) -> Array:
    """Mark the days on which most people are at home: weekends and holidays, shape (days,)."""
    weekend = np.asarray(days.day_of_week) >= 5
    return np.asarray(weekend | (holiday_flags(days, timezone) > 0.0), float)


def summer_time_flags(days: pd.DatetimeIndex, timezone: str) -> Array:
    """Mark the days on which clocks show summer time at noon, shape (days,)."""
    noons = (days + pd.Timedelta(hours=12)).tz_localize(timezone)
    return np.array([float(bool(noon.dst())) for noon in noons])
