"""`pems bench resilience`: break the processes of a house, and see what the house notices.

Five sections, each with a house of its own and real processes, each figure with its target:
the core killed (`kill_core`), the writer killed (`kill_writer`), the solver in every trouble
(`solver_trouble`), the broker killed and back empty (`broker_away`), the core frozen
(`freeze_core`). What is seen comes through the doors of the house only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pems_actors.bench.report import Target, report
from pems_actors.bench.resilience import (
    broker_away,
    freeze_core,
    kill_core,
    kill_writer,
    solver_trouble,
)
from pems_actors.bench.resilience.extent import QUICK, Extent

Section = Callable[[Path, Extent], dict[str, Any]]
SECTIONS: Mapping[str, tuple[Section, Mapping[str, Target]]] = {
    "core": (kill_core.run, kill_core.TARGETS),
    "writer": (kill_writer.run, kill_writer.TARGETS),
    "solver": (solver_trouble.run, solver_trouble.TARGETS),
    "broker": (broker_away.run, broker_away.TARGETS),
    "freeze": (freeze_core.run, freeze_core.TARGETS),
}


def run(
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    **counts: float | None,
) -> dict[str, Any]:
    """Run the sections named (all if none is); a kill of the core takes some seven seconds.

    Args:
        counts: fields of an `Extent` that are not to be the usual ones; None leaves one as it is.
    Returns: the report of architecture, with how busy the machine was after each section.
    Raises: TimeoutError if the house does not come back; ValueError for an unknown section.
    """
    wanted: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    extent = replace(QUICK if quick else Extent(), **wanted)
    figures: dict[str, Any] = {}
    targets: dict[str, Target] = {}
    for name in chosen(only):
        section, aims = SECTIONS[name]
        with tempfile.TemporaryDirectory(prefix="pems-bench-") as folder:
            figures |= section(Path(folder), extent)
        figures[f"{name}_load_1min"] = round(os.getloadavg()[0], 2)
        targets |= aims
    return report("resilience", figures, targets)


def chosen(only: Sequence[str]) -> tuple[str, ...]:
    """Give the sections to run, in their order. Raises: ValueError for an unknown one."""
    unknown = sorted(set(only) - set(SECTIONS))
    if unknown:
        raise ValueError(f"there is no section {unknown[0]!r}; give some of {', '.join(SECTIONS)}")
    return tuple(name for name in SECTIONS if not only or name in only)
