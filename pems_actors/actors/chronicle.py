"""The latest events of the tree with their process time: what a drill looks at afterwards."""

from __future__ import annotations

from collections import deque
from typing import Any

KEPT_EVENTS = 2000


class Chronicle:
    """Written from any thread, read from any thread; the oldest events are forgotten."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, str, str, str]] = deque(maxlen=KEPT_EVENTS)

    def note(self, process_s: float, path: str, kind: str, line: str) -> None:
        """Remember one event."""
        self._events.append((process_s, path, kind, line))

    def listed(self) -> list[dict[str, Any]]:
        """Give the events as plain data, oldest first."""
        return [
            {"process_s": at_s, "path": path, "kind": kind, "line": line}
            for at_s, path, kind, line in list(self._events)
        ]
