"""The house's solver, which once gets into the trouble that a file names. Runs in the worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pems_actors.optimisation import solver

WELL = "well"
GREED_MB = 64


def factory() -> Callable[[Any], Any]:
    solve = solver.factory()
    file = Path(os.environ["SOLVER_TROUBLE"])

    def handle(problem: Any) -> Any:
        trouble = file.read_text()
        file.write_text(WELL)  # once: the next job finds it well again
        suffer(trouble)
        return solve(problem)

    return handle


def suffer(trouble: str) -> None:
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
