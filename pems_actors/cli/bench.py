"""`pems bench NAME`: measure a part and hold the figures against their targets."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, Literal

import typer

from pems_actors.cli.options import AsJson
from pems_actors.cli.output import BAD_USAGE, refuse, say_json

OPTIONS_OF = {
    "resilience": frozenset({"only", "kills", "writer_kills"}),
    "soak-live": frozenset({"days"}),
    "false-restarts": frozenset({"minutes"}),
}


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("bench", rich_help_panel="Measure")(bench)


def bench(
    name: Annotated[
        Literal["supervision", "mpc", "resilience", "soak-live", "false-restarts"],
        typer.Argument(help="What to measure."),
    ],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a target was missed.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="SECTIONS", help="resilience: of core,writer,solver,broker,freeze; else all."
        ),
    ] = None,
    kills: Annotated[
        int | None, typer.Option(min=1, help="resilience: how often the core is killed.")
    ] = None,
    writer_kills: Annotated[
        int | None, typer.Option(min=1, help="resilience: how often the writer is killed.")
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0.1, help="soak-live: simulated days, 30 s each.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="false-restarts: how long it is watched.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure on this machine. Targets are told, and with --strict they count."""
    sections = None if only is None else tuple(only.split(","))
    given = {
        "only": sections,
        "kills": kills,
        "writer_kills": writer_kills,
        "days": days,
        "minutes": minutes,
    }
    options = _options_for(name, given)
    module = import_module(f"pems_actors.bench.{name.replace('-', '_')}")
    try:
        told = module.run(quick=quick, **options)
    except ValueError as problem:
        refuse(f"{problem}", BAD_USAGE)
    if as_json:
        say_json(told)
    else:
        print("\n".join(lines(told)))
    if strict and not all(told["met"].values()):
        raise typer.Exit(1)


def _options_for(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what was given. Raises: Refusal for an option of another measurement."""
    options = {option: value for option, value in given.items() if value is not None}
    foreign = sorted(set(options) - OPTIONS_OF.get(name, frozenset()))
    if foreign:
        owner = next(each for each, own in OPTIONS_OF.items() if foreign[0] in own)
        option = f"--{foreign[0].replace('_', '-')}"
        refuse(f"{option} is for `bench {owner}`; leave it out for {name}", BAD_USAGE)
    return options


def lines(told: Mapping[str, Any]) -> list[str]:
    """Write each figure on a line, with its target and whether it was met."""
    width = max((len(name) for name in told["figures"]), default=0)
    rows = [f"{told['name']} on {_machine(told['machine'])}"]
    for name, value in told["figures"].items():
        target = told["targets"].get(name)
        aim = f"  {target['op']} {target['value']:g}" if target else ""
        verdict = "" if target is None else ("  met" if told["met"][name] else "  MISSED")
        rows.append(f"  {name:<{width}}  {_shown(value)}{aim}{verdict}")
    return rows


def _machine(machine: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    return str(value)
