"""Benches of the planner: its time, its distance from the best, what it saves, and its peers."""

from __future__ import annotations

from typing import Annotated

import typer

from pems_actors.cli.bench.measured import Quick, Strict, measure, several
from pems_actors.cli.options import AsJson


def add_to(group: typer.Typer) -> None:
    """Put the benches of this family into `pems bench`."""
    group.command("mpc")(mpc)
    group.command("closed-loop")(closed_loop)
    group.command("peers")(peers)


def mpc(quick: Quick = False, strict: Strict = False, as_json: AsJson = False) -> None:
    """Time to plan, re-plan, sizes and horizons, and the gap to an oracle."""
    measure("mpc", strict=strict, as_json=as_json, quick=quick)


def closed_loop(
    days: Annotated[float | None, typer.Option(min=0.1, help="Days of each fortnight.")] = None,
    fortnights: Annotated[
        int | None, typer.Option(min=1, max=6, help="How many of the six.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Worlds of each fortnight.")] = None,
    controllers: Annotated[
        str | None, typer.Option(metavar="A,B", help="Who is compared; else all.")
    ] = None,
    results: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON lines; a stopped run goes on there."),
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report", help="Run nothing, join --results.")
    ] = False,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Money saved against thermostats at equal comfort, and against hindsight."""
    measure(
        "closed-loop",
        strict=strict,
        as_json=as_json,
        quick=quick,
        days=days,
        fortnights=fortnights,
        seeds=seeds,
        controllers=several(controllers),
        results=results,
        report_only=report_only,
    )


def peers(
    rooms: Annotated[
        str | None, typer.Option(metavar="N,M", help="Of 0,1,2,4,8,16 rooms; else all.")
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Install the peer apart, from PyPI.")
    ] = False,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """The same problem for us and for EMHASS, by number of rooms."""
    measure(
        "peers",
        strict=strict,
        as_json=as_json,
        quick=quick,
        rooms=several(rooms),
        install=install,
    )
