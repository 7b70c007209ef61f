"""The picture of `pems plan`: hours as columns, quantities as rows, relays as blocks. Pure.

A plan's slots may differ in length; everything but the relays is drawn by the hour, as the mean
over the hour weighted with time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pems_actors.cli.words import clock, figure, instant, level_name, level_style

COLUMNS = 48
NEAR_H = 4.0
BLOCKS = "▁▂▃▄▅▆▇█"
MODE_MARKS = {"self_use": "─", "hold": "H", "charge_grid": "C", "sell": "S"}
TOTALS = (  # key in the plan, its name here, its unit ("" is money), digits
    ("import_cost", "import", "", 1),
    ("export_income", "export", "", 1),
    ("wear", "battery wear", "", 1),
    ("starts_cost", "relay wear", "", 1),
    ("heat_kwh", "heat", "kWh", 1),
    ("pv_kwh", "PV", "kWh", 1),
    ("import_kwh", "imported", "kWh", 1),
    ("export_kwh", "exported", "kWh", 1),
    ("peak_kw", "peak", "kW", 1),
    ("cold_kh", "too cold", "Kh", 2),
    ("starts", "starts", "", 0),
    ("mode_changes", "mode changes", "", 0),
)
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a value."""

    start: datetime
    end: datetime
    value: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the drawing: a name, one character per hour, a note, and its colour."""

    name: str
    cells: str
    note: str
    style: str = ""


def drawing(plan: Told, local: tzinfo) -> RenderableType:
    """Draw a plan as `pems plan --json` gives it."""
    slots = plan.get("slots") or []
    if not slots:
        return Text("The plan in force has no slots.")
    return Group(
        heading(plan, local),
        "",
        _grid(hour_rows(plan, local)),
        "",
        Text(relay_title(slots, local), style="dim"),
        relay_grid(slots),
        "",
        totals_text(plan),
        *softened_lines(plan),
    )


def heading(plan: Told, local: tzinfo) -> Text:
    """Say when the plan was made, how long it holds, and how it came about."""
    level, slots = plan.get("level"), plan["slots"]
    hours = sum(slot["duration_s"] for slot in slots) / 3600.0
    line = Text()
    line.append(f" {level_name(level)} ", style=f"reverse bold {level_style(level)}")
    line.append(
        f" made {clock(plan.get('issued_at'), local)}, valid until "
        f"{clock(plan.get('valid_until'), local)}, {hours:.0f} h in {len(slots)} slots"
    )
    return line


# -- hours -----------------------------------------------------------------------------------------


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


def hour_rows(plan: Told, local: tzinfo) -> list[Row]:
    """All rows of the upper drawing. What the plan does not tell has no row."""
    slots = plan["slots"]
    hours = hour_starts(slots)
    mode = hourly_most(hours, spans(slots, lambda slot: slot.get("battery_mode")))
    rows = [
        Row("", scale(hours, local), "", "dim"),
        *_price_rows(plan, hours),
        _power_row("PV", hours, slots, lambda slot: slot.get("pv_kw"), "yellow"),
        _power_row("heat", hours, slots, _heat_kw, "red"),
        _power_row("import", hours, slots, lambda slot: _above(slot.get("grid_kw")), "blue"),
        _power_row("export", hours, slots, lambda slot: _below(slot.get("grid_kw")), "green"),
        _soc_row(hours, slots),
        Row("battery", "".join(MODE_MARKS.get(each, " ") for each in mode), _mode_note(mode)),
    ]
    return [row for row in rows if row.cells.strip()]


def _heat_kw(slot: Told) -> float:
    return float(sum((slot.get("heat_kw") or {}).values()))


def _above(kw: float | None) -> float | None:
    return None if kw is None else max(kw, 0.0)


def _below(kw: float | None) -> float | None:
    return None if kw is None else max(-kw, 0.0)


def _power_row(
    name: str,
    hours: Sequence[datetime],
    slots: Sequence[Told],
    value: Callable[[Told], float | None],
    style: str,
) -> Row:
    means = hourly_mean(hours, spans(slots, value))
    known = [each for each in means if each is not None]
    peak = max(known, default=0.0)
    return Row(name, bars(means, 0.0, peak), f"up to {peak:.1f} kW, {sum(known):.0f} kWh", style)


def _soc_row(hours: Sequence[datetime], slots: Sequence[Told]) -> Row:
    means = hourly_mean(hours, spans(slots, lambda slot: slot.get("soc_frac")))
    known = [each for each in means if each is not None]
    note = f"{100 * min(known):.0f} to {100 * max(known):.0f} %" if known else ""
    return Row("charge", bars(means, 0.0, 1.0), note, "green")


def _mode_note(modes: Sequence[str | None]) -> str:
    used = [mode for mode in MODE_MARKS if mode in modes]
    return ", ".join(f"{MODE_MARKS[mode]} {mode.replace('_', ' ')}" for mode in used)


def _price_rows(plan: Told, hours: Sequence[datetime]) -> list[Row]:
    """Prices of import and the hours in which the tariff blocks heating."""
    prices = plan.get("prices")
    if not prices:
        return []
    imports = _price_spans(prices, prices["import_per_kwh"])
    means = hourly_mean(hours, imports)
    known = [each for each in means if each is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    blocked = hourly_most(hours, _price_spans(prices, prices["blocked"]))
    note = f"{low:.2f} to {high:.2f} {prices['currency']}/kWh"
    return [
        Row("price", bars(means, low - 0.15 * (high - low) - 0.01, high), note, "cyan"),
        Row("blocked", "".join("x" if each else " " for each in blocked), "no heating", "magenta"),
    ]


def _price_spans(prices: Told, values: Sequence[Any]) -> list[Span]:
    """Prices hold until the next one; the last as long as the one before it."""
    starts = [instant(text) for text in prices["start"]]
    if len(starts) < 2:
        return []
    ends = [*starts[1:], starts[-1] + (starts[-1] - starts[-2])]
    return [Span(*each) for each in zip(starts, ends, values, strict=True)]


def _grid(rows: Sequence[Row]) -> Table:
    table = Table.grid(padding=(0, 1))
    for row in rows:
        table.add_row(
            Text(row.name, style="dim"),
            Text(row.cells, style=row.style, no_wrap=True),
            Text(row.note, style="dim"),
        )
    return table


# -- relays ----------------------------------------------------------------------------------------


def near_slots(slots: Sequence[Told], hours: float = NEAR_H) -> list[Told]:
    """The slots that begin within the first hours of the plan."""
    end = instant(slots[0]["start"]) + timedelta(hours=hours)
    return [slot for slot in slots if instant(slot["start"]) < end]


def relay_title(slots: Sequence[Told], local: tzinfo) -> str:
    """Say what the lower drawing shows."""
    near = near_slots(slots)
    begin = instant(near[0]["start"]).astimezone(local)
    return f"relays from {begin:%H:%M}, a block is {near[0]['duration_s'] / 60:g} min"


def relay_blocks(slots: Sequence[Told], relay: str) -> str:
    """Draw a relay's next hours, two characters per slot."""
    return "".join("██" if slot["relays"].get(relay) else "··" for slot in slots)


def relay_grid(slots: Sequence[Told]) -> Table:
    """Draw the relays that will be on at some time, with their reason of now; name the others."""
    near = near_slots(slots)
    names = sorted(near[0]["relays"])
    busy = [name for name in names if any(slot["relays"].get(name) for slot in near)]
    table = Table.grid(padding=(0, 1))
    for name in busy:
        blocks = Text(relay_blocks(near, name), style="red", no_wrap=True)
        reason = Text(str(near[0].get("reasons", {}).get(name, "")), style="dim", no_wrap=True)
        reason.truncate(200, overflow="ellipsis")
        table.add_row(name, blocks, reason)
    idle = [name for name in names if name not in busy]
    if idle:
        table.add_row("off", Text("", style="dim"), Text(", ".join(idle), style="dim"))
    return table


# -- money -----------------------------------------------------------------------------------------


def totals_text(plan: Told) -> Text:
    """Tell what the plan costs and where that comes from."""
    totals, currency = plan.get("totals") or {}, plan.get("currency", "")
    text = Text(f"cost {figure(totals.get('cost'), 1)} {currency}", style="bold")
    parts = [
        f"{name} {figure(totals[key], digits, unit)}".rstrip()
        for key, name, unit, digits in TOTALS
        if isinstance(totals.get(key), int | float)
    ]
    text.append(f"   {', '.join(parts)}" if parts else "", style="not bold")
    return text


def softened_lines(plan: Told) -> list[Text]:
    """Tell which wishes could not be kept, and by how much."""
    return [
        Text(f"not quite kept: {each['limit']} by {figure(each['by'], 2)}", style="yellow")
        for each in plan.get("softened") or []
    ]
