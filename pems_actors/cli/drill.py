"""`pems drill FAULT TARGET`: break something on purpose and watch the house deal with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pems_actors.cli import house_line, run_file
from pems_actors.cli.drill_view import Drill, Limits, Looks, report_lines
from pems_actors.cli.options import AsJson, State, state_dir
from pems_actors.cli.output import BAD_USAGE, Refusal, complain, refuse, say_json
from pems_actors.cli.run_file import RunFile

if TYPE_CHECKING:
    from pathlib import Path

EVERY_S = 0.05
LONGEST_S = 60.0
SETTLED_S = 0.5  # as long without news counts as over
RIDDEN_OUT_S = 5.0  # a fault that nobody noticed by then did no harm
NOTICED_LATE = frozenset({"hang", "spin", "kill"})  # these show only at a deadline or a next job


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("drill", rich_help_panel="Act")(drill)


def drill(
    fault: Annotated[
        str,
        typer.Argument(help="crash, crash-base, crash-start, hang, spin, slow, poison, flood ..."),
    ],
    target: Annotated[
        str, typer.Argument(help="An actor like rooms/obyvak; for kill planning/solver.")
    ],
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Inject a fault into a run with --drills, and tell what it did: detected, recovered, level."""
    _check(fault)
    folder = state_dir(state)
    facts = run_file.of_state(folder)
    if facts is not None and not facts.drills:
        refuse("this house runs without drills; start it with `pems run --drills`")
    if not as_json:
        complain(f"{fault} goes to {target} ...")
    seen = watch(folder, fault, target, _limits(facts))
    if as_json:
        say_json(asdict(seen.outcome()))
    else:
        print("\n".join(report_lines(seen)))
    if not seen.outcome().well:
        raise typer.Exit(1)


def _check(fault: str) -> None:
    """Refuse what the table of faults does not know, or knows for simulations only."""
    from pems_actors.fault_table import ROWS, row_named  # noqa: PLC0415 - the table knows the house

    live = ", ".join(row.name for row in ROWS if row.live)
    try:
        known = row_named(fault)
    except ValueError:
        refuse(f"there is no drill {fault!r}; give one of: {live}", BAD_USAGE)
    if not known.live:
        told = f"{fault!r} is played in `pems simulate`, `soak` and `replay`, not on a living house"
        refuse(f"{told}; a drill is one of: {live}", BAD_USAGE)


def _limits(facts: RunFile | None) -> Limits:
    return Limits() if facts is None else Limits(facts.frost_c, facts.ceiling_c, facts.import_kw)


def watch(
    folder: Path,
    fault: str,
    target: str,
    limits: Limits,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Drill:
    """Inject a fault, then look at the house until it is over or had its minute.

    Raises: Refusal if the house does not take the fault.
    """
    injected = house_line.result(folder, "drill", {"fault": fault, "target": target})
    seen = Drill(fault, target, float(injected["injected_process_s"]), Looks(limits, target))
    if fault == "crash-start":  # it waits for a start
        house_line.result(folder, "restart", path=target)
    began_s = news_s = clock()
    while (now_s := clock()) - began_s < LONGEST_S:
        if _look(folder, seen):
            news_s = now_s
        if _is_over(seen, quiet_s=now_s - news_s, watched_s=now_s - began_s):
            break
        pause(EVERY_S)
    return seen


def _look(folder: Path, seen: Drill) -> bool:
    """Take one look; whether there was news. A house that is away for a moment is no news."""
    try:
        events: list[Mapping[str, Any]] = house_line.result(folder, "events")["events"]
        status = house_line.result(folder, "status")
    except Refusal:
        return False
    seen.looks.take(status)
    return seen.hear(events)


def _is_over(seen: Drill, *, quiet_s: float, watched_s: float) -> bool:
    if seen.detect_s is None:
        return seen.fault not in NOTICED_LATE and watched_s >= RIDDEN_OUT_S
    if seen.recover_s is None:
        return seen.only_overflowed and quiet_s >= SETTLED_S
    return quiet_s >= SETTLED_S
