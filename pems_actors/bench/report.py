"""Figures as data: one object for every measurement, with its targets and the machine it ran on."""

from __future__ import annotations

import operator
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

PACKAGES = ("pems-actors", "pykka", "numpy", "scipy", "casadi", "pydantic", "paho-mqtt")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at most (`<=`) or at least (`>=`) a value."""

    op: Literal["<=", ">="]
    value: float

    def met_by(self, figure: object) -> bool:
        """Whether a figure reaches it; an unknown figure does not."""
        return isinstance(figure, int | float) and _COMPARE[self.op](figure, self.value)


def report(
    name: str, figures: Mapping[str, object], targets: Mapping[str, Target]
) -> dict[str, Any]:
    """Write the one object that `--json` prints.

    Raises: KeyError if a target has no figure.
    """
    missing = sorted(set(targets) - set(figures))
    if missing:
        raise KeyError(f"{name} has no figure {missing[0]!r} for its target")
    return {
        "name": name,
        "figures": dict(figures),
        "targets": {figure: asdict(target) for figure, target in targets.items()},
        "met": {figure: target.met_by(figures[figure]) for figure, target in targets.items()},
        "machine": machine(),
        "versions": versions(),
    }


def machine() -> dict[str, Any]:
    """Say what this ran on."""
    return {
        "cpus": os.cpu_count(),
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Give the versions of the packages that matter; what is not installed is left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
