"""`pems restart`: the core alone starts anew under its running guardian; the house does not notice.

The order is a signal, so that it reaches a core whose actors no longer listen. All devices keep
their leases meanwhile; the new core adopts relays as it finds them.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from pems_actors.cli import run_file
from pems_actors.cli.launch import LOCK as GUARDIAN_LOCK
from pems_actors.cli.options import State, state_dir
from pems_actors.cli.output import refuse
from pems_actors.gateways.control_client import NotRunningError, call
from pems_actors.gateways.control_socket import LOCK as CORE_LOCK

WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
ANSWER_S = 2.0


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("restart", rich_help_panel="Live")(restart)


def restart(
    handover: Annotated[
        bool,
        typer.Option("--handover", help="Devices keep their leases; so they do without it."),
    ] = False,
    state: State = None,
) -> None:
    """Restart the core alone, in order: relays and battery go on, the new core takes them over.

    A co-simulation begins anew with its plant's next step.
    """
    folder = state_dir(state)
    facts, core = run_file.of_state(folder), process_of(folder / CORE_LOCK)
    with_plant = facts is not None and facts.house == "cosim"
    if core is None or not (with_plant or _answers(folder)):
        refuse(f"nothing answers at the state {folder}; start it with `pems run`")
    if process_of(folder / GUARDIAN_LOCK) is None:
        refuse(
            f"the core (process {core}) has no guardian that would start it again; stop it and "
            "use `pems run`"
        )
    if not handover and not with_plant:
        print("Devices keep their leases during the restart, as with --handover.")
    began_s = time.monotonic()
    os.kill(core, signal.SIGUSR2)
    successor = _successor(folder, core, began_s + WITHIN_S, silent=with_plant)
    if successor is None:
        refuse(f"no new core within {WITHIN_S:g} s; look at the output of `pems run`")
    if with_plant:
        print("The co-simulation begins anew, at any time and seq, with its plant's next step.")
        return
    took_s = time.monotonic() - began_s
    print(f"The core is back after {took_s:.1f} s (process {successor}, before it {core}).")


def process_of(lock: Path) -> int | None:
    """Name the process that wrote itself into a lock file; None if it does not live.

    The lock itself is not tried: for a moment that would keep out a core that is just starting.
    """
    try:
        pid = int(lock.read_text(encoding="utf-8"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _successor(folder: Path, core: int, due_s: float, *, silent: bool = False) -> int | None:
    """Wait for another core, and for its answer unless it is a silent one; None if none comes."""
    while time.monotonic() < due_s:
        time.sleep(LOOK_EVERY_S)
        found = process_of(folder / CORE_LOCK)
        if found is not None and found != core and (silent or _answers(folder)):
            return found
    return None


def _answers(folder: Path) -> bool:
    try:
        final = call(folder, {"path": "", "verb": "status", "args": {}}, ANSWER_S)
    except (NotRunningError, TimeoutError, OSError, ValueError):
        return False
    return final.get("outcome") == "done"
