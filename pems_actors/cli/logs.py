"""`pems logs`: what happened in the house lately, event by event."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any

import typer

from pems_actors.cli import house_line
from pems_actors.cli.options import AsJson, State, state_dir
from pems_actors.cli.output import BAD_USAGE, Refusal, refuse, say_json
from pems_actors.cli.times import house_zone

LAST = 40
LOOK_EVERY_S = 1.0
QUIET = frozenset({"ChildReady", "DeadLetter"})  # of every start, and of nobody's concern

Told = Mapping[str, Any]


def add_to(app: typer.Typer) -> None:
    """Put this family's command into the program."""
    app.command("logs", rich_help_panel="Look")(logs)


def logs(
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="Only of this part of the tree, like rooms.")
    ] = "",
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="So many events.")] = LAST,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    every: Annotated[bool, typer.Option("--all", help="With every start and every stray.")] = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Tell what happened lately: who fell back and why, what failed and came back."""
    folder = state_dir(state)
    if follow and as_json:
        refuse("--follow never ends and --json prints one object; give one of them", BAD_USAGE)

    def events() -> list[Told]:
        told = house_line.result(folder, "events").get("events", [])
        return [each for each in told if _concerns(each, path.strip("/"), every=every)]

    seen = events()
    if as_json:
        say_json(seen[-last:])
        return
    local = house_zone(folder)
    for event in seen[-last:]:
        print(line(event, local))
    newest = seen[-1]["process_s"] if seen else -1.0
    while follow:
        try:
            time.sleep(LOOK_EVERY_S)
            fresh = [event for event in events() if event["process_s"] > newest]
        except KeyboardInterrupt:
            return
        except Refusal:
            continue  # it is away for a moment, and tells of it when it is back
        for event in fresh:
            print(line(event, local), flush=True)
        newest = fresh[-1]["process_s"] if fresh else newest


def _concerns(event: Told, path: str, *, every: bool) -> bool:
    where = str(event["path"])
    return (every or event["kind"] not in QUIET) and (
        not path or where == path or where.startswith(f"{path}/")
    )


def line(event: Told, local: tzinfo) -> str:
    """Write one event on a line, by local time of the house."""
    at_s, _, rest = str(event["line"]).partition(" ")
    when = datetime.fromtimestamp(float(at_s), UTC).astimezone(local)
    return f"{when:%a %d %b %H:%M:%S}  {rest}"
