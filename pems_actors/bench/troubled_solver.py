"""The house's solver, which once gets into the trouble that a file names. Runs in the worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pems_actors.optimisation import solver

FILE_VARIABLE = "SOLVER_TROUBLE"
WELL = "well"
TROUBLES = ("signal SIGSEGV", "signal SIGKILL", "signal SIGSTOP", "memory", "endless")
STANDS_STILL = frozenset({"signal SIGSTOP", "endless"})  # noticed at the deadline only
GREED_MB = 64


def factory() -> Callable[[Any], Any]:
    """Make the solver that reads the file before each job."""
    solve = solver.factory()
    file = Path(os.environ[FILE_VARIABLE])

    def handle(problem: Any) -> Any:
        trouble = file.read_text(encoding="utf-8")
        file.write_text(WELL, encoding="utf-8")  # once: the next job finds it well again
        suffer(trouble)
        return solve(problem)

    return handle


def suffer(trouble: str) -> None:
    """Get into trouble; returns only where all is well."""
    match trouble.split():
        case ["signal", name]:
            os.kill(os.getpid(), signal.Signals[name])
        case ["memory"]:
            hoard = []
            while True:
                hoard.append(bytearray(GREED_MB << 20))
        case ["endless"]:
            while True:
                pass
