"""The command `pems`: all commands in one place, and every failure as one sentence.

Exit code 0: done; 1: failed or unsafe; 2: bad usage or configuration.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from pems_actors.cli import (
    bench,
    check,
    doctor,
    drill,
    learn,
    learned,
    logs,
    look,
    orders,
    proof,
    replay,
    restart,
    run,
    simulate,
    soak,
    wishes,
)
from pems_actors.cli.output import Refusal, complain

app = typer.Typer(
    name="pems",
    help="The energy brain of a house. Start the demo with `pems run --house twin`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
FAMILIES = (
    run, restart, look, logs, orders, wishes, drill, simulate, soak, replay, proof, bench,
    learn, learned, check, doctor,
)  # fmt: skip
# matrices of a house are small: threads of the linear algebra would only wait for each other
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
for family in FAMILIES:
    family.add_to(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns: the exit code.
    """
    for threads in ONE_THREAD:
        os.environ.setdefault(threads, "1")
    try:
        code = app(args=argv, prog_name="pems", standalone_mode=False)
    except Refusal as refusal:
        complain(str(refusal))
        return refusal.code
    except TyperException as error:
        if said := _usage(error):  # without arguments the help has been printed already
            complain(said)
        return 2
    except typer.Abort:
        return 130
    except BrokenPipeError:  # `pems plan | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("PEMS_DEBUG"):
            raise
        complain(f"{type(error).__name__}: {error}; PEMS_DEBUG=1 shows where it came from")
        return 1
    return code if isinstance(code, int) else 0


def _usage(error: TyperException) -> str:
    """Word what is wrong with the command line, and where its help is."""
    context = getattr(error, "ctx", None)
    said = error.format_message().replace("Value error, ", "").rstrip(".")
    if context is None or not said:
        return said
    return f"{said}; see `{context.command_path} --help`"
