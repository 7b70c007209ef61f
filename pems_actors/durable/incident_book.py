"""Which incidents are open: kept, so that one that outlives a process still gets its one end.

What a process left open is taken over by the actor that still finds it, under the same name; the
rest ended with the process, and is closed when its successor is up.
"""

from __future__ import annotations

from pems_actors.durable.kept import INCIDENTS_OPEN, OpenIncident
from pems_actors.durable.memory import Memory
from supervision.events import IncidentClosed, IncidentOpened


class IncidentBook:
    """Notes each incident that begins or ends; knows those that an earlier process left open."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._open: dict[str, OpenIncident] = {}
        self._left: dict[str, OpenIncident] = {}

    def begin(self, now_s: float) -> None:
        """Look up what was left open."""
        kept = self._memory.recall(INCIDENTS_OPEN, now_s) or ()
        self._open = {each.id: each for each in kept}
        self._left = {each.path: each for each in kept}

    def note(self, event: IncidentOpened | IncidentClosed) -> None:
        """Note that an incident began, goes on, or ended."""
        left = self._left.get(event.path)
        if left is not None and left.id == event.id:
            del self._left[event.path]
        if isinstance(event, IncidentOpened):
            self._open[event.id] = OpenIncident(event.path, event.id, event.cause, event.start_s)
        else:
            self._open.pop(event.id, None)
        self._memory.keep(INCIDENTS_OPEN, tuple(self._open.values()), event.at_s)

    def knows(self, event: IncidentOpened | IncidentClosed) -> bool:
        """Tell if this is the beginning of what this process has told already."""
        told = self._open.get(event.id) and event.path not in self._left
        return isinstance(event, IncidentOpened) and bool(told)

    def replaced_by(self, event: IncidentOpened | IncidentClosed) -> IncidentClosed | None:
        """End what stands open at a place where another incident begins.

        An earlier process left it, or an actor that has lost its mind and its memory.
        """
        here = self._left.get(event.path)
        if here is None and isinstance(event, IncidentOpened):
            here = next((each for each in self._open.values() if each.path == event.path), None)
        return None if here is None or here.id == event.id else _end(here, event.at_s)

    def left_open(self, now_s: float) -> list[IncidentClosed]:
        """End everything that was left open and that nobody took over."""
        return [_end(left, now_s) for left in self._left.values()]


def _end(left: OpenIncident, now_s: float) -> IncidentClosed:
    return IncidentClosed(now_s, left.path, left.id, left.cause, left.start_s, now_s, None)
