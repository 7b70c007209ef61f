"""`pems bench NAME`: measure a part and hold the figures against their targets.

A family of questions is a file here, and each measurement one command with options of its own.
"""

from __future__ import annotations

import typer

from pems_actors.cli.bench import appliance, histories, planning

FAMILIES = (appliance, planning, histories)


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    group = typer.Typer(help="Measure on this machine.", no_args_is_help=True)
    for family in FAMILIES:
        family.add_to(group)
    app.add_typer(group, name="bench", rich_help_panel="Measure")
