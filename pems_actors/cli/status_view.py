"""The picture of `pems status`: plain data of the house in, a drawing out. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pems_actors.cli.words import (
    clock,
    figure,
    instant,
    length,
    level_name,
    level_style,
    value_of,
)

MARKS = {
    "running": ("●", "green"),
    "degraded": ("◐", "yellow"),
    "fallback": ("◌", "yellow"),
    "starting": ("…", "cyan"),
    "restarting": ("↻", "cyan"),
    "stopped": ("■", "dim"),
    "failed": ("✗", "red"),
}
RECENT = 5
OPEN = 8
Told = Mapping[str, Any]


def drawing(told: Told, local: tzinfo, speed: float = 1.0, *, whole_tree: bool) -> RenderableType:
    """Draw everything that `status` tells. `local` is the time zone of the house."""
    tree = told.get("tree", [])
    return Group(
        headline(told, local, speed),
        Text(energy_line(told), style="bold"),
        "",
        rooms_table(told),
        "",
        tree_table(tree, local) if whole_tree else branches(tree),
        *troubles(tree),
        *incident_lines(told.get("incidents", []), local),
    )


def headline(told: Told, local: tzinfo, speed: float = 1.0) -> Text:
    """Say who decides, since when and why, and what kind of run this is."""
    level = told.get("level")
    age_s = told.get("plan_age_s")
    plan = "no plan" if age_s is None else f"plan {length(age_s)} old"
    line = Text(f"{clock(told.get('time'), local)} ", style="bold")
    line.append(f" {level_name(level)} ", style=f"reverse {level_style(level)}")
    line.append(f" level {level} since {clock(told.get('since'), local)}", style="not bold")
    if told.get("demo"):
        line.append(f"  DEMO ×{speed:g}", style="magenta")
    line.append(f"\n{plan}, {_mode(told, local)}, {_armed(told.get('armed'))}", "not bold")
    alarm = told.get("alarm")
    if alarm:
        line.append(f"\nALARM since {clock(alarm['since'], local)}: {alarm['reason']}", "bold red")
    if level and told.get("reason"):
        line.append(f"\n{told['reason']}", style="not bold yellow")
    if told.get("planner") not in {None, "ok"}:
        line.append(f"\nplanner: {told['planner']}", style="not bold yellow")
    return line


def _mode(told: Told, local: tzinfo) -> str:
    until = told.get("mode_until")
    return f"mode {told.get('mode', '-')}" + (f" until {clock(until, local)}" if until else "")


def _armed(armed: object) -> str:
    if armed == "all":
        return "all devices armed"
    count = len(armed) if isinstance(armed, list) else 0
    some = "1 device armed" if count == 1 else f"{count} devices armed"
    return some if count else "ADVISORY, nothing armed"


def energy_line(told: Told) -> str:
    """Tell PV, load, grid and battery on one line. Power that feeds the house is positive."""
    devices = told.get("devices", {})
    inverter, meter = devices.get("devices/inverter"), devices.get("devices/meter")
    battery = devices.get("devices/battery")
    soc = value_of(battery, "soc_frac")
    charge = "-" if soc is None else f"{100 * soc:.0f} %"
    flow, mode = figure(value_of(battery, "battery_kw"), 1, "kW"), value_of(battery, "mode") or ""
    outdoor = _first_known(value_of(each, "outdoor_c") for each in devices.values())
    return "  ".join(
        (
            f"PV {figure(value_of(inverter, 'pv_kw'), 1, 'kW')}",
            f"load {figure(value_of(meter, 'load_kw'), 1, 'kW')}",
            f"grid {figure(value_of(meter, 'grid_kw'), 1, 'kW')}",
            f"battery {charge} {flow} {mode}",
            f"outdoor {figure(outdoor, 1, '°C')}",
        )
    )


def _first_known(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def rooms_table(told: Told) -> Table:
    """List the rooms: temperature, target, relay, who decides and why."""
    rooms = {
        path.removeprefix("rooms/"): device
        for path, device in told.get("devices", {}).items()
        if path.startswith("rooms/")
    }
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("room", no_wrap=True, min_width=max(map(len, rooms), default=4))
    for name, width in (("now", 7), ("target", 7)):
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for name, width in (("relay", 6), ("level", 5)):
        table.add_column(name, no_wrap=True, min_width=width)
    table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    for name, device in rooms.items():
        table.add_row(*_room_cells(name, device))
    return table


def _room_cells(name: str, device: Told) -> tuple[Text | str, ...]:
    temp = (device.get("values", {}).get("temp_c")) or {}
    level = device.get("level")
    sure = temp.get("quality", "good") == "good"
    return (
        name,
        Text(figure(temp.get("value"), 1, "°C"), style="" if sure else "yellow"),
        figure(value_of(device, "target_c"), 1, "°C"),
        relay_mark(value_of(device, "relay_on")),
        Text(level_name(level), style=level_style(level)),
        Text(str(device.get("reason", "")), style="dim"),
    )


def relay_mark(on: object) -> Text:
    """Show a relay; a room without one of its own shows a dash."""
    if on is None:
        return Text("-", style="dim")
    return Text("██ on", style="red") if on else Text("·· off", style="dim")


def branches(tree: list[Told]) -> Table:
    """Show the tree with a line per branch: a mark per actor, and how often it was restarted."""
    table = Table.grid(padding=(0, 2))
    for name, members in by_branch(tree).items():
        marks = Text()
        for child in members:
            mark, style = MARKS.get(child["state"], ("?", "red"))
            again = f"↻{child['restarts']}" if child.get("restarts") else ""
            marks.append(f"{mark} ", style=style)
            marks.append(f"{child['path'].rpartition('/')[2]}{again}  ", style=_calm(child))
        table.add_row(Text(name, style="bold"), marks)
    return table


def _calm(child: Told) -> str:
    return "" if child["state"] == "running" and not child.get("restarts") else "bold"


def by_branch(tree: Iterable[Told]) -> dict[str, list[Told]]:
    """Group the actors under their branch, in the order of the tree."""
    found: dict[str, list[Told]] = {}
    for child in tree:
        branch, _, name = child["path"].rpartition("/")
        if branch and name:
            found.setdefault(branch, []).append(child)
    return found


def tree_table(tree: list[Told], local: tzinfo) -> Table:
    """List every actor and supervisor on a line of its own."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("actor", "state", "since", "restarts", "level", "mailbox", "busy", "reason"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for child in tree:
        path = child["path"]
        mark, style = MARKS.get(child["state"], ("?", "red"))
        depth = 0 if path == "root" else path.count("/") + 1
        table.add_row(
            f"{'  ' * depth}{path.rpartition('/')[2]}",
            Text(f"{mark} {child['state']}", style=style),
            clock(child.get("since"), local),
            str(child.get("restarts", 0)),
            "-" if child.get("level") is None else str(child["level"]),
            str(child.get("mailbox", 0)),
            figure(child.get("busy_ms"), 0, "ms"),
            Text(child.get("reason") or "", style="dim"),
        )
    return table


def troubles(tree: list[Told]) -> list[Text]:
    """Say in words which actors are not simply running."""
    lines = []
    for child in tree:
        mark, style = MARKS.get(child["state"], ("?", "red"))
        supervised = "/" in child["path"] and child["state"] != "running"
        if supervised and not child["path"].startswith("rooms/"):
            why = child.get("reason") or "no reason told"
            lines.append(Text(f"{mark} {child['path']} {child['state']}: {why}", style=style))
    return lines


def incident_lines(incidents: list[Told], local: tzinfo) -> list[Text]:
    """Tell open incidents, then the last few that are over."""
    still = [each for each in incidents if each.get("end") is None]
    over = [each for each in incidents if each.get("end") is not None][-RECENT:]
    hidden = len(still) - OPEN
    lines = [
        _cut(f"▲ open since {clock(each['start'], local)}: {each['path']}, {each['cause']}", "red")
        for each in still[:OPEN]
    ]
    if hidden > 0:
        lines.append(Text(f"▲ and {hidden} more are open", style="red"))
    for each in reversed(over):
        took = (instant(each["end"]) - instant(each["start"])).total_seconds()
        when = f"{clock(each['start'], local)} for {length(took)}"
        lines.append(_cut(f"△ {when}: {each['path']}, {each['cause']}", "dim"))
    return ["", *lines] if lines else []  # type: ignore[list-item]  # rich takes text as well


def _cut(words: str, style: str) -> Text:
    """A line that is cut where the terminal ends."""
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")
