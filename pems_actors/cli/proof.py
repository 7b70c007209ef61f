"""`pems proof`: the page of what was promised, measured and in how many stories, from kept runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pems_actors.cli.output import refuse


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("proof", rich_help_panel="Measure")(proof)


def proof(
    kept: Annotated[
        Path, typer.Option("--from", metavar="DIR", help="Where the JSON of the runs is kept.")
    ] = Path("docs/proof"),
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Renew the page in this file, such as README.md."),
    ] = None,
) -> None:
    """Write the proof page: each row of the fault matrix, what is expected and what was measured.

    The runs: `pems soak --each 200 --json > docs/proof/each.json`, `pems soak --faults pairs ...`,
    `pems soak --stories 10000 --faults heavy ...`, `pems soak --stories 1 --days 365 ...`,
    `pems bench resilience --json > docs/proof/resilience.json`.
    """
    from pems_actors.soak.proof import Runs, page, renewed  # noqa: PLC0415 - not for other commands

    try:
        runs = Runs.kept_in(kept)
        if write is None:
            print(page(runs))
            return
        write.write_text(renewed(write.read_text(encoding="utf-8"), runs), encoding="utf-8")
    except (OSError, ValueError) as problem:
        refuse(str(problem))
