"""`pems tell`, `ask`, `arm`, `disarm`, `commands`, `report shadow`: orders and their record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pems_actors.cli import house_line
from pems_actors.cli.options import AsJson, State, state_dir
from pems_actors.cli.output import BAD_USAGE, refuse, say_json, show
from pems_actors.cli.times import house_time, house_zone
from pems_actors.cli.words import arguments_told, clock
from pems_actors.gateways.orders import verbs_of

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

Device = Annotated[str, typer.Argument(metavar="PATH", help="A device like rooms/obyvak, or all.")]


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("tell", rich_help_panel="Act")(tell)
    app.command("ask", rich_help_panel="Act")(ask)
    app.command("arm", rich_help_panel="Act")(arm)
    app.command("disarm", rich_help_panel="Act")(disarm)
    app.command("commands", rich_help_panel="Look")(commands)
    report = typer.Typer(no_args_is_help=True, help="Tell what was, or would have been.")
    report.callback()(_nothing)
    report.command("shadow")(shadow)
    app.add_typer(report, name="report", rich_help_panel="Look")


def _nothing() -> None:
    """Tell what was, or would have been."""


def tell(
    path: Annotated[str, typer.Argument(help="Who: rooms/obyvak, devices/battery, house ...")],
    verb: Annotated[str, typer.Argument(help="What: override, boost, release, mode, restart ...")],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="temp_c=22 for=2h")
    ] = None,
    price: Annotated[
        bool, typer.Option("--price", help="Only say what a wish for a room would cost.")
    ] = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Give an order: `pems tell rooms/obyvak override temp_c=22 for=2h`, `tell house mode away`."""
    folder = state_dir(state)
    args = _timed(folder, arguments(path, verb, values or ()))
    if price:
        _price(folder, path, verb, args, as_json=as_json)
        return
    finish(house_line.answer(folder, verb, args, path), f"{path} {verb}", as_json=as_json)


def _timed(folder: Path, args: dict[str, object]) -> dict[str, object]:
    """Turn times as people type them into what the house takes."""
    typed = {name: args[name] for name in ("until", "at") if isinstance(args.get(name), str)}
    return {**args, **{name: house_time(folder, str(t)).isoformat() for name, t in typed.items()}}


def _price(folder: Path, path: str, verb: str, args: dict[str, object], *, as_json: bool) -> None:
    """Say what a wish would cost; nothing is ordered."""
    from pems_actors.cli.wish_price import priced, words  # noqa: PLC0415 - loads the house

    told = priced(folder, path, verb, args)
    if as_json:
        say_json(told)
    else:
        print("\n".join(words(told, house_zone(folder))))


def arguments(path: str, verb: str, values: Sequence[str]) -> dict[str, object]:
    """Read `key=value` texts; a bare value stands for the next argument that is needed.

    Raises: Refusal if a bare value stands for nothing.
    """
    given = {key: _value(text) for key, _, text in (v.partition("=") for v in values if "=" in v)}
    known = verbs_of(path).get(verb, ())
    free = [arg.name for arg in known if arg.needed and arg.name not in given]
    for bare in (value for value in values if "=" not in value):
        if not free:
            refuse(f"{bare!r} stands for nothing in {verb}; write it like name={bare}", BAD_USAGE)
        given[free.pop(0)] = _value(bare)
    return given


def _value(text: str) -> object:
    """Read a number, true, false or null; anything else is text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value


def finish(final: Mapping[str, Any], what: str, *, as_json: bool) -> None:
    """Print how an order ended. Raises: Refusal, or Exit 1, unless it was done."""
    outcome, reason = final.get("outcome"), final.get("reason")
    if as_json:
        say_json(final)
        if outcome != "done":
            raise typer.Exit(1)
    elif outcome != "done":
        refuse(f"{what}: {outcome}, {reason}" if reason else f"{what}: {outcome}")
    else:
        print(f"done: {what}, {reason}" if reason else f"done: {what}")


def ask(
    path: Annotated[str, typer.Argument(help="An actor, like rooms/obyvak.")],
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Show what an actor has in mind just now."""
    told = house_line.result(state_dir(state), "snapshot", path=path)
    if as_json:
        say_json(told)
    else:
        print(f"{path}, epoch {told.get('epoch')}\n{told.get('state')}")


def arm(path: Device, as_json: AsJson = False, state: State = None) -> None:
    """Let the appliance write to a device; a real house begins with none."""
    _arming(state_dir(state), "arm", path, as_json=as_json)


def disarm(path: Device, as_json: AsJson = False, state: State = None) -> None:
    """Give a device back to itself, and write to it no more."""
    _arming(state_dir(state), "disarm", path, as_json=as_json)


def _arming(folder: Path, verb: str, path: str, *, as_json: bool) -> None:
    final = house_line.answer(folder, verb, {"device": path})
    finish(final, f"{verb} {path}", as_json=as_json)


def commands(as_json: AsJson = False, state: State = None) -> None:
    """List the last hundred orders and how each ended."""
    folder = state_dir(state)
    told = house_line.result(folder, "commands").get("commands", [])
    if as_json:
        say_json(told)
    elif not told:
        print("no orders yet")
    else:
        show(_table(("at", "who", "what", "ended", "why"), _command_rows(told, folder)))


def _command_rows(told: Sequence[Mapping[str, Any]], folder: Path) -> list[tuple[str, ...]]:
    local = house_zone(folder)
    return [
        (
            clock(each.get("at"), local),
            str(each.get("path") or "-"),
            " ".join((str(each.get("verb")), *arguments_told(each.get("args") or {}, local))),
            str(each.get("outcome")),
            str(each.get("reason") or ""),
        )
        for each in told
    ]


def shadow(as_json: AsJson = False, state: State = None) -> None:
    """Tell what would have been written to devices that are not armed."""
    folder = state_dir(state)
    told = house_line.result(folder, "shadow")
    if as_json:
        say_json(told)
        return
    print(f"{told.get('written')} commands written, {told.get('withheld')} withheld")
    local = house_zone(folder)
    rows = [
        (clock(each["at"], local), each["device"], each["would"]) for each in told.get("last", [])
    ]
    if rows:
        show(_table(("at", "device", "would have been told"), rows))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - draws with rich
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
