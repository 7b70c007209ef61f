"""The core, as its guardian starts it, but with what the environment puts in its way.

SOLVER_TROUBLE names the file in which its solver finds its next trouble; while the file that
CORE_TROUBLE names is there, it does not come up; CORE_HOGS threads burn its processor time.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

from pems_actors import core
from pems_actors.bench.troubled_solver import FILE_VARIABLE
from pems_actors.surroundings import SOLVER

BROKEN_VARIABLE, HOGS_VARIABLE = "CORE_TROUBLE", "CORE_HOGS"
DEADLINE_S = 3.0  # of the troubled solver


def main(argv: list[str]) -> int:
    """Run the core with its troubles; gives its exit code."""
    broken = os.environ.get(BROKEN_VARIABLE)
    if broken and Path(broken).exists():
        print("broken on purpose", file=sys.stderr)
        return 1
    solver = SOLVER
    if FILE_VARIABLE in os.environ:
        target = "pems_actors.bench.troubled_solver:factory"
        solver = replace(SOLVER, target=target, deadline_s=DEADLINE_S)
    for number in range(int(os.environ.get(HOGS_VARIABLE, "0"))):
        threading.Thread(target=burn, name=f"hog-{number}", daemon=True).start()
    return core.main(argv, solver)


def burn() -> None:
    """Take all the time that there is, without end."""
    while True:
        sum(range(1000))
