"""Benches of the appliance itself: how it heals, what kills cost, whether it leaks."""

from __future__ import annotations

from typing import Annotated

import typer

from pems_actors.cli.bench.measured import Quick, Strict, measure, several
from pems_actors.cli.options import AsJson


def add_to(group: typer.Typer) -> None:
    """Put the benches of this family into `pems bench`."""
    group.command("supervision")(supervision)
    group.command("resilience")(resilience)
    group.command("soak-live")(soak_live)
    group.command("false-restarts")(false_restarts)


def supervision(quick: Quick = False, strict: Strict = False, as_json: AsJson = False) -> None:
    """Crash to ready, hang to ready, late effects, overhead, memory."""
    measure("supervision", strict=strict, as_json=as_json, quick=quick)


def resilience(
    only: Annotated[
        str | None,
        typer.Option(metavar="SECTIONS", help="Of core,writer,solver,broker,freeze; else all."),
    ] = None,
    kills: Annotated[int | None, typer.Option(min=1, help="How often the core is killed.")] = None,
    writer_kills: Annotated[
        int | None, typer.Option(min=1, help="How often the writer is killed.")
    ] = None,
    solver_rounds: Annotated[
        int | None, typer.Option(min=1, help="How often the solver gets into each trouble.")
    ] = None,
    solver_ticks: Annotated[
        int | None, typer.Option(min=0, help="And on until so many control ticks were seen.")
    ] = None,
    outage_s: Annotated[
        float | None, typer.Option(min=0.1, help="How long the broker is away.")
    ] = None,
    freezes: Annotated[int | None, typer.Option(min=1, help="How often the core freezes.")] = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Real processes killed, frozen and starved; the broker too."""
    measure(
        "resilience",
        strict=strict,
        as_json=as_json,
        quick=quick,
        only=several(only),
        kills=kills,
        writer_kills=writer_kills,
        solver_rounds=solver_rounds,
        solver_ticks=solver_ticks,
        outage_s=outage_s,
        freezes=freezes,
    )


def soak_live(
    days: Annotated[float | None, typer.Option(min=0.1, help="Simulated days, 30 s each.")] = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Days of faults on real threads: does it leak?"""
    measure("soak-live", strict=strict, as_json=as_json, quick=quick, days=days)


def false_restarts(
    minutes: Annotated[float | None, typer.Option(min=0.1, help="How long it is watched.")] = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """A core whose processor is eaten is slow, and must not be replaced."""
    measure("false-restarts", strict=strict, as_json=as_json, quick=quick, minutes=minutes)
