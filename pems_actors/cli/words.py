"""How figures become words: levels, ages, local times. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LEVELS = ("plan", "late plan", "path", "rules", "native")
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


def figure(value: object, digits: int, unit: str = "") -> str:
    """Show a number, no zero below zero; a dash where it is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-"
    return f"{value:z.{digits}f} {unit}".rstrip()


def value_of(device: Mapping[str, Any] | None, name: str) -> Any:
    """Pick one published value of a device; None where there is none."""
    return ((device or {}).get("values", {}).get(name) or {}).get("value")
