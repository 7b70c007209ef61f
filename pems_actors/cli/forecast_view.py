"""The picture of `pems forecast --plot`: a band, a line, and what came true. Pure, plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from math import isfinite
from typing import Any

from pems_actors.domain.units import utc

HEIGHT, MOST_COLUMNS = 14, 72
BAND, MIDDLE, TRUTH, BOTH = "░", "━", "●", "◉"
Values = Sequence[float | None]


def plot(told: Mapping[str, Any], truth: Values, local: tzinfo, unit: str) -> list[str]:
    """Draw an issue: P10 to P90 shaded, P50 as a line, truths as dots; a column is about an hour.

    Args:
        told: an issue as it is kept, with `start_s step_s p50` and `p10 p90` or None.
        truth: one value per slot, None where it is not known yet.
    """
    middle = list(told["p50"])
    low, high = told.get("p10") or middle, told.get("p90") or middle
    every = max(1, round(3600.0 / told["step_s"]), -(-len(middle) // MOST_COLUMNS))
    rows = [_joined(values, every) for values in (low, middle, high, truth)]
    known = [v for row in rows for v in row if v is not None]
    least, most = min([0.0, *known]), max([0.0, *known])
    top, bottom = most if most > least else least + 1.0, least
    columns = [_column(cell, bottom, top) for cell in zip(*rows, strict=True)]
    return [
        *(_line(k, columns, bottom, top) for k in reversed(range(HEIGHT))),
        *_axis(
            len(columns), utc(told["start_s"]), timedelta(seconds=told["step_s"] * every), local
        ),
        f"{'':9}{BAND} P10 to P90   {MIDDLE} P50   {TRUTH} what came true   [{unit}]",
    ]


def _joined(values: Values, every: int) -> list[float | None]:
    means: list[float | None] = []
    for k in range(0, len(values), every):
        part = [v for v in values[k : k + every] if v is not None and isfinite(v)]
        means.append(sum(part) / len(part) if part else None)
    return means


def _column(cell: tuple[float | None, ...], bottom: float, top: float) -> str:
    """Draw one column, lowest character first."""
    low, middle, high, true = (_height(value, bottom, top) for value in cell)
    chars = [" "] * HEIGHT
    if low is not None and high is not None:
        for k in range(low, high + 1):
            chars[k] = BAND
    if middle is not None:
        chars[middle] = MIDDLE
    if true is not None:
        chars[true] = BOTH if true == middle else TRUTH
    return "".join(chars)


def _height(value: float | None, bottom: float, top: float) -> int | None:
    if value is None:
        return None
    return min(HEIGHT - 1, max(0, round((value - bottom) / (top - bottom) * (HEIGHT - 1))))


def _line(k: int, columns: Sequence[str], bottom: float, top: float) -> str:
    marked = k % 4 == 0 or k == HEIGHT - 1
    value = bottom + (top - bottom) * k / (HEIGHT - 1)
    mark = f"{value:8.3g} " if marked else " " * 9
    return f"{mark}{''.join(column[k] for column in columns)}".rstrip()


def _axis(count: int, start: datetime, step: timedelta, local: tzinfo) -> tuple[str, str]:
    """Write ticks at every sixth hour, with the hour, and the date at midnights."""
    ticks, words = ["─"] * count, [" "] * (count + 8)
    for k in range(count):
        when = (start + k * step).astimezone(local)
        if when.hour % 6 or (k and (start + (k - 1) * step).astimezone(local).hour == when.hour):
            continue
        ticks[k] = "┬"
        said = f"{when:%d %b}" if when.hour == 0 else f"{when:%H}"
        if not "".join(words[k : k + len(said)]).strip():
            words[k : k + len(said)] = said
    return " " * 9 + "".join(ticks), " " * 9 + "".join(words).rstrip()
