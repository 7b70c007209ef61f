"""What `pems bench forecast` was asked: a series of a file, a span, a plant; read from words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from pems_actors.learning.tables.reading import WEATHER_NAMES

Series = Literal["pv", "load", "price"]
SERIES: tuple[Series, ...] = ("pv", "load", "price")

_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.")
HOUSE_ZONE = "Europe/Prague"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be forecast, from which file, over which span; dates are local."""

    series: Series
    csv: Path
    column: str
    train_until: str
    test_from: str
    test_until: str | None = None
    site: tuple[float, float] | None = None
    roofs: tuple[tuple[float, float, float], ...] = ()
    weather: tuple[tuple[str, str], ...] = ()
    timezone: str | None = None

    @property
    def zone(self) -> str:
        """Local time: as given, else the sun's at the site, else the house's."""
        if self.timezone is not None:
            return self.timezone
        if self.site is None:
            return HOUSE_ZONE
        shift = round(self.site[1] / 15.0)
        return f"Etc/GMT{-shift:+d}" if shift else "UTC"

    def instant(self, text: str) -> pd.Timestamp:
        """Read a date, local where it has no zone. Raises: ValueError with a sentence."""
        return instant_from(text, self.zone)

    def day(self, text: str) -> pd.Timestamp:
        """Read a date as a local day without a zone. Raises: ValueError with a sentence."""
        return self.instant(text).tz_convert(self.zone).tz_localize(None).normalize()


def series_from(text: str) -> Series:
    """Read what kind of series it is. Raises: ValueError with a sentence."""
    for name in SERIES:
        if text == name:
            return name
    raise ValueError(f"--series {text} is unknown; give pv, load or price")


def instant_from(text: str, zone: str) -> pd.Timestamp:
    """Read a date such as 2023-01-31 or 31.1.2023, local where it has no zone, as a UTC instant.

    Raises: ValueError with a sentence.
    """
    refused = f"{text!r} is no date; give one such as 2023-01-01"
    try:
        stamp = pd.to_datetime(text, dayfirst=_DOTTED.match(text) is not None)
    except (ValueError, OverflowError) as problem:
        raise ValueError(refused) from problem
    if pd.isna(stamp):
        raise ValueError(refused)
    local = stamp.tz_localize(zone) if stamp.tzinfo is None else stamp
    return local.tz_convert("UTC")


def site_from(text: str | None) -> tuple[float, float] | None:
    """Read `50.08,14.43`. Raises: ValueError with a sentence."""
    if text is None:
        return None
    numbers = _numbers(text, 2, "--site 50.08,14.43 (latitude, longitude)")
    if abs(numbers[0]) > 90.0 or abs(numbers[1]) > 180.0:
        raise ValueError(f"--site {text} is nowhere; give --site latitude,longitude in degrees")
    return numbers[0], numbers[1]


def roof_from(text: str) -> tuple[float, float, float]:
    """Read `5.2,35,180`: kWp, tilt, azimuth. Raises: ValueError with a sentence."""
    power, tilt, azimuth = _numbers(text, 3, "--roof 5.2,35,180 (kWp, tilt, azimuth; 180 is south)")
    if power <= 0.0:
        raise ValueError(f"--roof {text} has no power; give kWp above 0, such as --roof 5.2,35,180")
    return power, tilt, azimuth


def zone_from(text: str | None) -> str | None:
    """Read `Europe/Prague`. Raises: ValueError with a sentence."""
    if text is None:
        return None
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as problem:
        message = f"--timezone {text} is no time zone; give one such as Europe/Prague or UTC"
        raise ValueError(message) from problem


def _numbers(text: str, count: int, example: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(isfinite, numbers)):
        raise ValueError(f"{text!r} is not {count} numbers; give {example}")
    return numbers


def weather_from(text: str | None) -> tuple[tuple[str, str], ...]:
    """Understand `temp=COL,ghi=COL` as pairs of our name and the file's."""
    if not text:
        return ()
    pairs = []
    for part in text.split(","):
        name, _, column = part.partition("=")
        if not column:
            raise ValueError(f"--weather {part!r} names no column; give --weather temp=COL,ghi=COL")
        ours = name.strip()
        pairs.append((WEATHER_NAMES.get(ours, ours), column.strip()))
    return tuple(pairs)
