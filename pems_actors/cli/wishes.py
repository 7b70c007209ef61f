"""`pems boost`, `away`, `undo`: the orders of every day, in a word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated

import typer

from pems_actors.cli import house_line
from pems_actors.cli.options import AsJson, State, state_dir
from pems_actors.cli.orders import finish
from pems_actors.cli.output import refuse
from pems_actors.cli.times import EXAMPLES, house_now, house_time, house_zone
from pems_actors.cli.undo import Back, taking_back
from pems_actors.cli.words import arguments_told, clock


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("boost", rich_help_panel="Act")(boost)
    app.command("away", rich_help_panel="Act")(away)
    app.command("undo", rich_help_panel="Act")(undo)


def boost(
    name: Annotated[str, typer.Argument(help="A room, or a load like loads/boiler.")],
    length: Annotated[str | None, typer.Argument(metavar="[LENGTH]", help="90m, 2h")] = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Make a room warm now, or let a load draw now: `pems boost obyvak 2h`."""
    path = name if "/" in name else f"rooms/{name}"
    args = {} if length is None else {"for": length}
    final = house_line.answer(state_dir(state), "boost", args, path)
    finish(final, f"{path} boost", as_json=as_json)


def away(
    until: Annotated[
        str | None, typer.Argument(metavar="[UNTIL]", help=f"When you are back: {EXAMPLES}.")
    ] = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Leave the house; it is warm again when you are back. `pems undo` if you stay after all."""
    folder, args = state_dir(state), {"mode": "away"}
    if until is not None:
        args["until"] = house_time(folder, until).isoformat()
    finish(house_line.answer(folder, "mode", args, "house"), "house away", as_json=as_json)


def undo(as_json: AsJson = False, state: State = None) -> None:
    """Take back the last wish that stands, of whoever it was."""
    folder = state_dir(state)
    now = house_now(folder)
    orders = house_line.result(folder, "commands").get("commands", [])
    back = taking_back(orders, now.timestamp())
    if back is None:
        refuse("no wish stands that could be taken back; `pems commands` lists the orders")
    final = house_line.answer(folder, back.verb, back.args, back.path)
    finish(final, _words(back, house_zone(folder)), as_json=as_json)


def _words(back: Back, local: tzinfo) -> str:
    """Say what is done about which wish."""
    wish = back.wish
    ours = _order(back.path, back.verb, back.args, local)
    theirs = _order(wish["path"], wish["verb"], wish.get("args") or {}, local)
    return f"{ours} (took back {theirs} of {clock(wish.get('at'), local)})"


def _order(path: str, verb: str, args: Mapping[str, object], local: tzinfo) -> str:
    return " ".join((path, verb, *arguments_told(args, local)))
