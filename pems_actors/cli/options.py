"""Options that many commands share, and where the state directory is.

Its order: `--state`, PEMS_STATE_DIR of the environment, PEMS_STATE_DIR in `.env`, `var/` in the
clone. The whole configuration is not read for that, because `pems status` must be quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MOST_SHIFT_K = 40.0  # beyond that it is no weather
CLONE = Path(__file__).resolve().parents[2]

State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        envvar="PEMS_STATE_DIR",
        help="Where the state of the appliance lives; `var/` in the clone by default.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Config = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help="A house: a file, or house17, flat3, house6-climate."
    ),
]


def state_dir(given: Path | None) -> Path:
    """Find the state directory, as an absolute path."""
    return (given or _from_dotenv() or CLONE / "var").expanduser().resolve()


def _from_dotenv() -> Path | None:
    from dotenv import dotenv_values  # noqa: PLC0415 - only without an option

    for file in (Path.cwd() / ".env", CLONE / ".env"):
        if file.is_file():
            named = dotenv_values(file).get("PEMS_STATE_DIR")
            return Path(named) if named else None
    return None
