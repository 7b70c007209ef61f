"""`pems proof`: the pages of what was promised and measured, made from kept runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pems_actors.cli.output import refuse

KEPT = Path("docs/proof")


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("proof", rich_help_panel="Measure")(proof)


def proof(
    kept: Annotated[
        Path, typer.Option("--from", metavar="DIR", help="Where the JSON of the runs is kept.")
    ] = KEPT,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Renew the pages in this file, such as README.md."),
    ] = None,
) -> None:
    """Write what was measured: what planning saves, and what every fault does to the house.

    The runs: `pems soak --each 200 --json > docs/proof/each.json`, `pems soak --faults pairs ...`,
    `pems soak --stories 10000 --faults heavy ...`, `pems soak --stories 1 --days 365 ...`, and in
    the same way `pems bench` `resilience`, `closed-loop`, `mpc` and `peers`.
    """
    try:
        pages = pages_of(kept)
        if write is None:
            print("\n\n".join(pages))
            return
        text = write.read_text(encoding="utf-8")
        for page in pages:
            text = renewed(text, page)
        write.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as problem:
        refuse(str(problem))


def pages_of(folder: Path) -> tuple[str, str]:
    """Make both pages, each between its own two marks. Raises: ValueError for what is no report."""
    from pems_actors.bench import savings  # noqa: PLC0415 - not for other commands
    from pems_actors.soak import proof as faults  # noqa: PLC0415 - not for other commands

    reports = [_report(file) for file in sorted(folder.glob("*.json"))]
    return savings.page(reports), faults.page(faults.Runs.of(reports))


def _report(file: Path) -> Mapping[str, Any]:
    report = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(report, dict) or not {"name", "figures"} <= report.keys():
        raise ValueError(f"{file} is no report; keep there what `pems soak --json` prints")
    return report


def renewed(text: str, page: str) -> str:
    """Put a page into a text in the place of the one that is there, from mark to mark.

    Raises: ValueError if the text has no place for it.
    """
    begin, *_, end = page.splitlines()
    before, begins, rest = text.partition(begin)
    _, ends, after = rest.partition(end)
    if not (begins and ends):
        raise ValueError(f"there is no place for the page; write {begin} and {end} where it goes")
    return f"{before}{page}{after}"
