"""Results as they come: one JSON line for each controller in each world, so that a run can go on.

A long measurement is stopped and taken up again; what is in the file is not run twice. The file
belongs to one state of the code: for a new one, take a new file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Key(NamedTuple):
    """What a line is about."""

    span: str
    days: int
    seed: int
    controller: str


@dataclass(frozen=True, slots=True)
class Journal:
    """The file of results; `path` None keeps nothing beyond the run."""

    path: Path | None = None

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Read all results; a line that was cut off in the middle is passed over."""
        if self.path is None or not self.path.exists():
            return
        for text in self.path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            if isinstance(line, dict):
                yield line

    def results(self) -> dict[Key, Mapping[str, Any]]:
        """Read the newest result of each key."""
        return {key_of(line): line for line in self.lines()}

    def add(self, line: Mapping[str, Any]) -> None:
        """Write one result. Raises: OSError if the file cannot be written."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def key_of(line: Mapping[str, Any]) -> Key:
    """Tell what a line is about."""
    return Key(line["span"], line["days"], line["seed"], line["controller"])
