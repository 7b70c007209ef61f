"""Every failure of the configuration as one sentence: where, what is wrong, what to write instead.

A `Finding` speaks of a path inside the configuration; `Problem` adds which file or variable the
value came from. Values of secrets never reach this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from pydantic import ValidationError

from config.completion import twin
from config.settings import NAMES
from config.shape import Steps, child, field_names, good_value

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend (`error`) or to know (`warning`); its text is one sentence."""

    where: str
    place: str
    says: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """Tell it as one sentence on one line, whatever the file had for keys."""
        told = ": ".join(part for part in (self.where, self.place, self.says) if part)
        return "".join(letter if letter.isprintable() else "?" for letter in told)


class ConfigError(Exception):
    """The configuration cannot be used: never start on it. All problems are listed at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at a path: `says` follows the last key, as in "is 7; give 1 to 5"."""

    path: Steps
    says: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from if not from the file: the layer and the variable's name."""

    layer: str
    variable: str


def located(finding: Finding, file: str, origins: Mapping[Steps, Origin]) -> Problem:
    """Say whose fault a finding is: the variable that set the value, else the file."""
    says = finding.says if finding.says.endswith("?") else f"{finding.says}."
    for length in range(len(finding.path), 0, -1):
        path = finding.path[:length]
        origin = origins.get(path) or origins.get(twin(path) or ())
        if origin:
            rest = "".join(f", {step}" for step in finding.path[length:])
            return Problem(origin.layer, "", f"{origin.variable}{rest} {says}", finding.severity)
    *parents, key = (_short(str(step)) for step in finding.path)
    return Problem(file, ".".join(parents), f"{key} {says}", finding.severity)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def shown(value: object) -> str:
    """Show a value as JSON would, shortened."""
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def nearest(wrong: str, known: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Find the known name that was probably meant."""
    by_fold = {name.casefold(): name for name in known}
    found = get_close_matches(wrong.casefold(), by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None


def unknown(wrong: str, known: Sequence[str], *, one_of: str = "known keys are") -> str:
    """Say that a name is not known, with the nearest or the first few that are."""
    if near := nearest(wrong, known):
        return f"is not known; did you mean {near}?"
    listed = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    return f"is not known; {one_of} {listed or 'none'}"


def findings(error: ValidationError, shape: object) -> Iterator[Finding]:
    """Turn what pydantic found into findings; `shape` is the type that was validated."""
    for detail in error.errors(include_url=False):
        yield _finding(detail["type"], detail["loc"], detail["input"], shape)


def _extra(key: str, known: Sequence[str]) -> str:
    """Say that a key does not belong here; a secret belongs in `.env`."""
    if key.upper() in NAMES:
        return f"is an address or a secret; give it as {key.upper()} in .env"
    return unknown(key, known)


def _finding(kind: str, loc: Steps, value: object, shape: object) -> Finding:
    """Word one of pydantic's errors."""
    if loc and loc[-1] == "[key]":
        return Finding(
            loc[:-1], f"is no usable key; give {good_value(child(shape, loc[:-2], key=True))}"
        )
    if kind == "extra_forbidden":
        return Finding(loc, _extra(str(loc[-1]), field_names(child(shape, loc[:-1]))))
    says = "is missing" if kind == "missing" else f"is {shown(value)}"
    return Finding(loc, f"{says}; give {good_value(child(shape, loc))}")
