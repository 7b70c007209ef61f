"""The picture of `pems plan`: hours as columns, quantities as rows, relays as blocks. Pure.

Everything but the relays is drawn by the hour; how slots become hours is in `hours.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pems_actors.cli.hours import (
    Span,
    Told,
    bars,
    hour_starts,
    hourly_mean,
    hourly_most,
    scale,
    spans,
)
from pems_actors.cli.plan_rooms import room_lines
from pems_actors.cli.words import clock, figure, instant, level_name, level_style

NEAR_H = 4.0
MODE_MARKS = {"self_use": "─", "hold": "H", "charge_grid": "C", "sell": "S"}
MODE_WORDS = {"self_use": "self", "hold": "hold", "charge_grid": "charge", "sell": "sell"}
NOTABLE = 0.2  # wishes missed by less are only counted
NOTABLE_LINES = 4
TOTALS = (  # key in the plan, its name here, its unit ("" is money), digits
    ("import_cost", "import", "", 1),
    ("export_income", "export", "", 1),
    ("wear", "battery wear", "", 1),
    ("starts_cost", "relay wear", "", 1),
    ("heat_kwh", "heat", "kWh", 1),
    ("loads_kwh", "flexible loads", "kWh", 1),
    ("pv_kwh", "PV", "kWh", 1),
    ("import_kwh", "imported", "kWh", 1),
    ("export_kwh", "exported", "kWh", 1),
    ("peak_kw", "peak", "kW", 1),
    ("cold_kh", "too cold", "Kh", 2),
    ("starts", "starts", "", 0),
    ("mode_changes", "mode changes", "", 0),
)


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
        *lines(hour_rows(plan, local)),
        *_rooms(slots),
        "",
        Text(relay_title(slots, local), style="dim"),
        *lines(relay_rows(slots, local)),
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
        *_load_rows(hours, slots),
        _power_row("import", hours, slots, lambda slot: _above(slot.get("grid_kw")), "blue"),
        _power_row("export", hours, slots, lambda slot: _below(slot.get("grid_kw")), "green"),
        _soc_row(hours, slots),
        Row("battery", "".join(MODE_MARKS.get(each, " ") for each in mode), _mode_note(mode)),
    ]
    return [row for row in rows if row.cells.strip()]


def _rooms(slots: Sequence[Told]) -> list[RenderableType]:
    """Draw the rooms below the hours, under the same columns as far as their names allow."""
    rows = [Row(r.name, r.cells, r.note, "red") for r in room_lines(slots, hour_starts(slots))]
    if not rows:
        return []
    return ["", Text("rooms", style="dim"), *lines(rows)]


def _heat_kw(slot: Told) -> float:
    return float(sum((slot.get("heat_kw") or {}).values()))


def _load_rows(hours: Sequence[datetime], slots: Sequence[Told]) -> list[Row]:
    """Draw each flexible load that wants something; a house without any has no row."""
    names = sorted({name for slot in slots for name in slot.get("loads_kw") or {}})
    return [
        _power_row(
            name,
            hours,
            slots,
            lambda slot, name=name: (slot.get("loads_kw") or {}).get(name),  # type: ignore[misc]  # a default binds it
            "bright_magenta",
        )
        for name in names
    ]


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
    return Row(name, bars(means, 0.0, peak), f"{peak:.1f} kW, {sum(known):.0f} kWh", style)


def _soc_row(hours: Sequence[datetime], slots: Sequence[Told]) -> Row:
    means = hourly_mean(hours, spans(slots, lambda slot: slot.get("soc_frac")))
    known = [each for each in means if each is not None]
    note = f"{100 * min(known):.0f} to {100 * max(known):.0f} %" if known else ""
    return Row("charge", bars(means, 0.0, 1.0), note, "green")


def _mode_note(modes: Sequence[str | None]) -> str:
    used = [mode for mode in MODE_MARKS if mode in modes]
    return " ".join(f"{MODE_MARKS[mode]} {MODE_WORDS[mode]}" for mode in used)


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


def lines(rows: Sequence[Row]) -> list[Text]:
    """Write rows under each other; a narrow terminal cuts them on the right, names last."""
    name = max(len(row.name) for row in rows)
    cells = max(len(row.cells) for row in rows)
    return [
        Text.assemble(
            (f"{row.name:{name}} ", "dim"), (f"{row.cells:{cells}} ", row.style), (row.note, "dim"),
            no_wrap=True, overflow="ellipsis",
        )
        for row in rows
    ]  # fmt: skip


# -- relays ----------------------------------------------------------------------------------------


def near_slots(slots: Sequence[Told], hours: float = NEAR_H) -> list[Told]:
    """The slots that begin within the first hours of the plan."""
    end = instant(slots[0]["start"]) + timedelta(hours=hours)
    return [slot for slot in slots if instant(slot["start"]) < end]


def relay_title(slots: Sequence[Told], local: tzinfo) -> str:
    """Say what the lower drawing shows."""
    near = near_slots(slots)
    minutes = Counter(slot["duration_s"] / 60.0 for slot in near).most_common(1)[0][0]
    begin = instant(near[0]["start"]).astimezone(local)
    return f"relays for {NEAR_H:g} h from {begin:%H:%M}, a block is {minutes:g} min"


def relay_scale(slots: Sequence[Told], local: tzinfo) -> str:
    """Write the full hours over the blocks, two characters per slot."""
    starts = (instant(slot["start"]).astimezone(local) for slot in slots)
    return "".join(f"{start:%H}" if start.minute == 0 else "  " for start in starts)


def relay_blocks(slots: Sequence[Told], relay: str) -> str:
    """Draw a relay's next hours, two characters per slot."""
    return "".join("██" if slot["relays"].get(relay) else "··" for slot in slots)


def relay_rows(slots: Sequence[Told], local: tzinfo) -> list[Row]:
    """Draw the relays that will be on at some time, with their reason of now; name the others."""
    near = near_slots(slots)
    names = sorted(near[0]["relays"])
    busy = [name for name in names if any(slot["relays"].get(name) for slot in near)]
    idle = [name for name in names if name not in busy]
    reasons = near[0].get("reasons", {})
    rows = [Row("", relay_scale(near, local), "", "dim")]
    rows += [Row(n, relay_blocks(near, n), str(reasons.get(n, "")), "red") for n in busy]
    return [*rows, Row("off", "", ", ".join(idle))] if idle else rows


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
    """Tell which wishes could not be kept, the worst first; small ones are only counted."""
    worst_first = sorted(plan.get("softened") or [], key=lambda each: -float(each["by"]))
    told = [each for each in worst_first if each["by"] >= NOTABLE][:NOTABLE_LINES]
    lines = [f"not quite kept: {each['limit']} by {figure(each['by'], 2)}" for each in told]
    rest = len(worst_first) - len(told)
    if rest:
        lines.append(f"{'and ' if told else ''}{rest} wishes missed by less")
    return [Text(line, style="yellow") for line in lines]
