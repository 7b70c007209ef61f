"""The core, as its guardian starts it, with a solver that can be brought into trouble."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from pems_actors import core
from pems_actors.house import SOLVER, Pace

if Path(os.environ["CORE_TROUBLE"]).exists():
    sys.exit("broken on purpose")
troubled = replace(
    SOLVER, target="tests.processes.troubled_solver:factory", deadline_s=3.0, memory_limit_mb=1024.0
)
core.Pace = partial(Pace, solver=troubled)
sys.exit(core.main(sys.argv[1:]))
