"""How figures become words: levels, ages, local times. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LEVELS = ("plan", "late plan", "path", "rules", "native")
TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
STYLES = ("green", "green", "yellow", "yellow", "red")


def level_name(level: int | None) -> str:
    """Name a level of the ladder."""
    return "unknown" if level is None else LEVELS[level]


def level_style(level: int | None) -> str:
    """Colour of a level."""
    return "dim" if level is None else STYLES[level]


def length(seconds: float) -> str:
    """Say how long something is, in its two largest units."""
    left = round(abs(seconds))
    parts: list[str] = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def zone(name: str | None) -> tzinfo:
    """Find a time zone; UTC where none is known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def instant(text: str) -> datetime:
    """Read one of our own ISO times."""
    return datetime.fromisoformat(text)


def clock(text: str | None, local: tzinfo) -> str:
    """Show an ISO time as local time of day, with its day."""
    return "-" if text is None else instant(text).astimezone(local).strftime("%a %d %b %H:%M")


def arguments_told(args: Mapping[str, object], local: tzinfo) -> list[str]:
    """Write the arguments of an order as they are typed: instants by local time, lengths in words.

    The house lists both in seconds.
    """
    told: list[str] = []
    for name, value in args.items():
        if name in {"until_s", "at_s"} and isinstance(value, int | float):
            when = datetime.fromtimestamp(value, local)
            told.append(f"{name[:-2]}={when:%Y-%m-%dT%H:%M}")
        elif name == "for_s" and isinstance(value, int | float):
            told.append(f"for={length(value).replace(' ', '')}")
        else:
            told.append(f"{name}={value}")
    return told


def next_at(text: str, now: datetime) -> datetime:
    """Find when a time of day, such as 06:30, comes next by the clock that `now` is told by."""
    today = datetime.combine(now.date(), time.fromisoformat(text.zfill(5)), now.tzinfo)
    return today if today >= now.replace(second=0, microsecond=0) else today + timedelta(days=1)


def figure(value: object, digits: int, unit: str = "") -> str:
    """Show a number, no zero below zero; a dash where it is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-"
    return f"{value:z.{digits}f} {unit}".rstrip()


def value_of(device: Mapping[str, Any] | None, name: str) -> Any:
    """Pick one published value of a device; None where there is none."""
    return ((device or {}).get("values", {}).get(name) or {}).get("value")
