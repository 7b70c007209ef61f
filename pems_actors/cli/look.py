"""`pems status`, `pems plan`, `pems explain`: look at a running house. Reads, never orders."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pems_actors.cli import house_line, run_file
from pems_actors.cli.options import AsJson, State, state_dir
from pems_actors.cli.output import BAD_USAGE, Refusal, console, refuse, say_json, show
from pems_actors.cli.times import house_time, house_zone
from pems_actors.cli.words import clock, figure, level_name, zone

if TYPE_CHECKING:
    from rich.console import RenderableType

WATCH_EVERY_S = 1.0


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("status", rich_help_panel="Look")(status)
    app.command("plan", rich_help_panel="Look")(plan)
    app.command("explain", rich_help_panel="Look")(explain)


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every second.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="Show every actor on a line.")] = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Show the house: who decides and why, rooms, energy, supervision, incidents."""
    folder = state_dir(state)
    if watch and as_json:
        refuse("--watch draws and --json prints one object; give one of them", BAD_USAGE)
    if watch:
        _watch(folder, tree=tree)
    elif as_json:
        say_json(house_line.result(folder, "status"))
    else:
        show(_status_drawing(folder, house_line.result(folder, "status"), tree=tree))


def _status_drawing(folder: Path, told: Mapping[str, Any], *, tree: bool) -> RenderableType:
    from pems_actors.cli.status_view import drawing  # noqa: PLC0415 - draws with rich

    facts = run_file.of_state(folder)
    return drawing(
        told,
        zone(facts.timezone if facts else None),
        speed=facts.speed if facts else 1.0,
        whole_tree=tree,
    )


def _watch(folder: Path, *, tree: bool) -> None:
    """Redraw until Ctrl-C; a house that is away for a moment is waited for."""
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    def look() -> RenderableType:
        try:
            return _status_drawing(folder, house_line.result(folder, "status"), tree=tree)
        except Refusal as away:
            return Text(f"{away} (still looking, Ctrl-C ends this)", style="yellow")

    first = _status_drawing(folder, house_line.result(folder, "status"), tree=tree)
    try:
        with Live(first, console=console(), auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                time.sleep(WATCH_EVERY_S)
                live.update(look(), refresh=True)
    except KeyboardInterrupt:
        return


def plan(
    curve: Annotated[
        bool, typer.Option("--curve", help="What it would cost to be cooler or warmer.")
    ] = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Draw the plan in force: prices, sun, battery, heat, rooms, and four hours of relays."""
    folder = state_dir(state)
    if curve:
        told = house_line.result(folder, "curve", path="planning/planner")
        say_json(told) if as_json else print("\n".join(curve_lines(told)))
        return
    told = house_line.result(folder, "plan")
    if as_json:
        say_json(told)
        return
    from pems_actors.cli.plan_view import drawing  # noqa: PLC0415 - draws with rich

    show(drawing(told, house_zone(folder)))


def curve_lines(told: Mapping[str, Any]) -> list[str]:
    """Tell the cost-comfort curve, a point on a line, and how to choose one."""
    points = [
        f"{each['point']:>5.2f}  {figure(each['cost'], 1):>8} {told.get('currency', '')}"
        f"  {figure(each['cold_kh'], 1):>6} Kh too cold  {figure(each['mean_c'], 1)} °C on average"
        for each in told.get("points") or []
    ]
    return [
        "point  what the plan costs, and how cold and warm the rooms are over its hours",
        *points,
        "0 is as cheap as economic, 0.5 is balanced, 1 is as warm as comfort; choose with",
        "pems tell planning/planner point 0.75",
    ]


def explain(
    subject: Annotated[str, typer.Argument(help="A room, a load, battery or export.")],
    time_: Annotated[
        str | None,
        typer.Argument(
            metavar="[TIME]", help="06:30, the next by local time, 3h, or ISO 8601; else now."
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="ISO", help="The same as TIME.", hidden=True)
    ] = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Say why a room, the battery or the export does what it does, and what else would cost."""
    folder = state_dir(state)
    local = house_zone(folder)
    asked: dict[str, object] = {"subject": subject.rpartition("/")[2]}
    text = time_ or at
    if text is not None:
        asked["at_s"] = house_time(folder, text).timestamp()
    told = house_line.result(folder, "explain", asked)
    if as_json:
        say_json(told)
        return
    print("\n".join(explanation(told, clock(told.get("time"), local))))


def explanation(told: Mapping[str, Any], when: str) -> list[str]:
    """Tell an explanation in a few lines. Unknown parts are left out."""
    level = told.get("level")
    optional = {
        "just now": told.get("decided_by"),
        "price": _price_words(told.get("price_rank")),
        "worth": _pairs(told.get("shadow_prices")),
        "pre-heat": _preheating_words(told),
        "otherwise": _otherwise_words(told),
        "forecasts": _pairs(told.get("forecast_ids")),
    }
    return [
        f"{told.get('subject')} at {when}: {told.get('action')}",
        f"because    {told.get('reason')}",
        f"decided by {level_name(level)} (level {level})",
        *(f"{name:<10} {text}" for name, text in optional.items() if text),
    ]


def _preheating_words(told: Mapping[str, Any]) -> str:
    """Say if heat is better made now or when the room must have it."""
    gain = told.get("preheating_per_kwh")
    if not isinstance(gain, int | float):
        return ""
    does = "gains" if gain >= 0.0 else "loses"
    return f"a kWh of heat now {does} {figure(abs(gain), 2)} over one made later"


def _otherwise_words(told: Mapping[str, Any]) -> str:
    """Say what the other choice would cost, as far as the plan's shadow prices tell."""
    other = told.get("alternative_cost")
    if not isinstance(other, Mapping):
        return ""
    cost = float(other["cost"])
    than = "more" if cost >= 0.0 else "less"
    return f"{other['instead']} would cost {figure(abs(cost), 2)} {told.get('currency', '')} {than}"


def _price_words(rank: Mapping[str, Any] | None) -> str:
    if not rank:
        return ""
    cheaper = f"{100 * rank['cheaper_frac']:.0f} % of the day around it is cheaper"
    return f"{figure(rank['per_kwh'], 2)} per kWh, {cheaper}"


def _pairs(told: Mapping[str, Any] | float | None) -> str:
    """Show figures with their names on one line; what is unknown is left out."""
    if isinstance(told, Mapping):
        known = ((name.replace("_", " "), each) for name, each in told.items() if each is not None)
        return ", ".join(f"{name} {_pairs(each)}" for name, each in known)
    return figure(told, 2) if isinstance(told, float) else str(told or "")
