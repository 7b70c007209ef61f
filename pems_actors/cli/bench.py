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
    "learning": frozenset({"days"}),
    "false-restarts": frozenset({"minutes"}),
    "closed-loop": frozenset(
        {"days", "fortnights", "seeds", "controllers", "results", "report_only"}
    ),
    "peers": frozenset({"rooms", "install"}),
    "forecast": frozenset(
        {"series", "csv", "column", "train_until", "test_from", "test_until"}
        | {"site", "roof", "weather", "timezone"}
    ),
    "rooms": frozenset({"csv", "train_until", "test_until", "rename", "timezone"}),
}


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("bench", rich_help_panel="Measure")(bench)


def bench(
    name: Annotated[
        Literal[
            "supervision",
            "mpc",
            "peers",
            "rooms",
            "forecast",
            "closed-loop",
            "resilience",
            "soak-live",
            "false-restarts",
            "learning",
        ],
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
        float | None,
        typer.Option(
            min=0.1, help="soak-live: simulated days, 30 s each; closed-loop: of each fortnight."
        ),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="false-restarts: how long it is watched.")
    ] = None,
    fortnights: Annotated[
        int | None, typer.Option(min=1, max=6, help="closed-loop: how many of the six.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="closed-loop: worlds of each fortnight.")
    ] = None,
    controllers: Annotated[
        str | None, typer.Option(metavar="A,B", help="closed-loop: who is compared; else all.")
    ] = None,
    results: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="closed-loop: JSON lines; a stopped run goes on there."),
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report", help="closed-loop: run nothing, join --results.")
    ] = False,
    rooms: Annotated[
        str | None, typer.Option(metavar="N,M", help="peers: of 0,1,2,4,8,16 rooms; else all.")
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="peers: install the peer apart, from PyPI.")
    ] = False,
    csv: Annotated[
        str | None, typer.Option(metavar="FILE", help="rooms, forecast: a history of your own.")
    ] = None,
    train_until: Annotated[
        str | None, typer.Option(metavar="DATE", help="rooms, forecast: end of training.")
    ] = None,
    test_until: Annotated[
        str | None, typer.Option(metavar="DATE", help="rooms, forecast: end of the test.")
    ] = None,
    rename: Annotated[
        str | None, typer.Option("--map", metavar="NEW=OLD,…", help="rooms: names of columns.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="rooms, forecast: as Europe/Prague.")
    ] = None,
    series: Annotated[
        str | None, typer.Option(metavar="pv|load|price", help="forecast: what the column is.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="forecast: the column to forecast.")
    ] = None,
    test_from: Annotated[
        str | None, typer.Option(metavar="DATE", help="forecast: first day of the test.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="forecast: where the roofs stand.")
    ] = None,
    roof: Annotated[
        list[str] | None,
        typer.Option(metavar="KWP,TILT,AZIMUTH", help="forecast: a roof; 180 is south. Repeat."),
    ] = None,
    weather: Annotated[
        str | None,
        typer.Option(metavar="temp=COL,ghi=COL", help="forecast: columns taken as forecast."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure on this machine. Targets are told, and with --strict they count."""
    given = {
        "only": _several(only),
        "kills": kills,
        "writer_kills": writer_kills,
        "days": days,
        "minutes": minutes,
        "fortnights": fortnights,
        "seeds": seeds,
        "controllers": _several(controllers),
        "results": results,
        "report_only": report_only or None,
        "rooms": _several(rooms),
        "install": install or None,
        "csv": csv,
        "train_until": train_until,
        "test_until": test_until,
        "rename": _several(rename),
        "timezone": timezone,
        "series": series,
        "column": column,
        "test_from": test_from,
        "site": site,
        "roof": tuple(roof) if roof else None,
        "weather": weather,
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


def _several(text: str | None) -> tuple[str, ...] | None:
    """Read words with commas between them."""
    return None if text is None else tuple(text.split(","))


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
