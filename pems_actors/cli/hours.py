"""From slots of any length to hours on a page: means, bars of eight heights, a scale. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from pems_actors.cli.words import instant

COLUMNS = 48
BLOCKS = "▁▂▃▄▅▆▇█"
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a value."""

    start: datetime
    end: datetime
    value: Any


def spans(slots: Sequence[Told], value: Callable[[Told], Any]) -> list[Span]:
    """Take one value out of each slot."""
    found = []
    for slot in slots:
        start = instant(slot["start"])
        found.append(Span(start, start + timedelta(seconds=slot["duration_s"]), value(slot)))
    return found


def hour_starts(slots: Sequence[Told], most: int = COLUMNS) -> list[datetime]:
    """List the full hours that a plan touches, at most `most`."""
    first = instant(slots[0]["start"]).replace(minute=0, second=0, microsecond=0)
    end = instant(slots[-1]["start"]) + timedelta(seconds=slots[-1]["duration_s"])
    count = min(most, -(-round((end - first).total_seconds()) // 3600))
    return [first + timedelta(hours=k) for k in range(count)]


def _shares(hour: datetime, rows: Sequence[Span]) -> list[tuple[float, Any]]:
    """Seconds that each span has of an hour, with its value; unknown values are left out."""
    until = hour + timedelta(hours=1)
    found = (
        ((min(row.end, until) - max(row.start, hour)).total_seconds(), row.value) for row in rows
    )
    return [(seconds, value) for seconds, value in found if seconds > 0 and value is not None]


def hourly_mean(hours: Sequence[datetime], rows: Sequence[Span]) -> list[float | None]:
    """Mean of a value over each hour, weighted with time; None where it is unknown."""
    means: list[float | None] = []
    for hour in hours:
        shares = _shares(hour, rows)
        weight = sum(seconds for seconds, _ in shares)
        means.append(sum(s * float(v) for s, v in shares) / weight if weight else None)
    return means


def hourly_most(hours: Sequence[datetime], rows: Sequence[Span]) -> list[Any]:
    """The value that holds for most of each hour; None where it is unknown."""
    found: list[Any] = []
    for hour in hours:
        count: Counter[Any] = Counter()
        for seconds, value in _shares(hour, rows):
            count[value] += round(seconds)
        found.append(count.most_common(1)[0][0] if count else None)
    return found


def bars(values: Sequence[float | None], low: float, high: float) -> str:
    """Draw values as bars between `low` and `high`; nothing where unknown or at the bottom."""
    width = high - low
    flat = width < 1e-6
    return "".join(
        " " if value is None or flat else _bar((value - low) / width) for value in values
    )


def _bar(share: float) -> str:
    return " " if share < 0.02 else BLOCKS[min(len(BLOCKS) - 1, int(share * len(BLOCKS)))]


def scale(hours: Sequence[datetime], local: tzinfo) -> str:
    """Write local hours over the columns: every third one that is free, midnight with its day."""
    line = [" "] * (len(hours) + 6)
    free = 0
    for column, hour in enumerate(hours):
        here = hour.astimezone(local)
        text = f"{here:%a}" if here.hour == 0 else f"{here:%H}"
        if here.hour % 3 == 0 and column >= free:
            line[column : column + len(text)] = text
            free = column + len(text) + 1
    return "".join(line[: len(hours)])
