"""Which devices may be written to, on disk: what `pems arm` has said outlives every process.

What cannot be read arms nothing. Both generations hold the newest word, since an older one might
arm what was disarmed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from supervision.snapshots import SnapshotStore

NAME = "armed"
ALL = "all"
Armed = frozenset[str] | None


class Found(NamedTuple):
    """The devices that may be written to, None for all; and what was wrong with the note."""

    armed: Armed = frozenset()
    problem: str = ""


def load(state: Path) -> Found:
    """Read what is armed; nothing is where nobody has armed anything yet."""
    found = SnapshotStore(state).load(NAME, _read)
    if found.generation is None:
        said = f"{found.reason}; nothing is armed: `pems arm all`, or device by device"
        return Found(problem=said if found.reason else "")
    return Found(found.data, found.told)


def save(state: Path, armed: Armed, at_s: float) -> None:
    """Note what is armed, durably. Raises: OSError if the disk does not take it."""
    store, data = SnapshotStore(state), ALL if armed is None else sorted(armed)
    for _generation in ("current", "previous"):
        store.save(NAME, data, at_s)


def _read(data: Any) -> Armed:
    """Raises: ValueError for what names no devices."""
    if data == ALL:
        return None
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise ValueError("it names no devices")
    return frozenset(data)
