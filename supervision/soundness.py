"""Whether this process may tell its guardian that it is well: the invariants behind the ping.

A thread that pings by itself would vouch for a dead tree. So whoever pings looks here before: all
supervisors have answered lately, the vital branches and their children do their duty, the vital
actors get on, and the looking itself is not late. It waits for nobody: each look reads what is
published and sends the next questions. Knows no energy, and nothing of a guardian.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from supervision.future import Reply
from supervision.heartbeat import ChildStatus
from supervision.messages import WhichChildren


class Tree(Protocol):
    """What is looked at: an `ActorSystem`."""

    def tree(self) -> tuple[ChildStatus, ...]:
        """Show every actor and supervisor."""

    def tell(self, path: str, message: object) -> bool:
        """Send by name."""


@dataclass(frozen=True, slots=True)
class Vital:
    """What must hold, in process time.

    branches: supervisors that must be well, with all their children, or be so again soon.
    beats: actors that must handle a message at least this often [s].
    answer_s: a running supervisor answers within this time.
    absence_s: what is vital may be away this long, which is a restart with its pauses.
    late_s: a look that comes later than this after the last one proves nothing.
    """

    branches: tuple[str, ...]
    beats: Mapping[str, float] = field(default_factory=dict)
    answer_s: float = 5.0
    absence_s: float = 10.0
    late_s: float = 5.0


@dataclass(slots=True)
class _Question:
    """A question to a supervisor that has no answer yet."""

    epoch: int
    asked_s: float
    reply: Reply


class Soundness:
    """Judges one tree, look by look; `now_s` is process time."""

    def __init__(self, system: Tree, vital: Vital) -> None:
        self._system, self._vital = system, vital
        self._looked_s: float | None = None
        self._open: dict[str, _Question] = {}
        self._well_s: dict[str, float] = {}
        self._beats: dict[str, tuple[int, float]] = {}  # messages handled, and when there was one

    def complaint(self, now_s: float) -> str | None:
        """Look once; None if all is sound, else the first thing that is not, as a sentence."""
        before_s, self._looked_s = self._looked_s, now_s
        tree = self._system.tree()
        complaints = (
            *self._silent(tree, now_s),
            *self._absent(tree, now_s),
            *self._stuck(tree, now_s),
        )
        late_s = 0.0 if before_s is None else now_s - before_s
        if late_s > self._vital.late_s:
            return f"nobody has looked for {late_s:.1f} s"
        return next(iter(complaints), None)

    def _silent(self, tree: Iterable[ChildStatus], now_s: float) -> list[str]:
        """Hear the answers of the supervisors, ask anew, and name those that are late."""
        found = []
        for status in tree:
            if status.kind != "supervisor":
                continue
            asked = self._open.get(status.path)
            if asked is not None and (asked.reply.done or asked.epoch != status.epoch):
                del self._open[status.path]
                asked = None
            if status.state != "running":
                self._open.pop(status.path, None)
            elif asked is None:
                self._ask(status, now_s)
            elif now_s - asked.asked_s > self._vital.answer_s:
                found.append(f"{status.path} has not answered for {now_s - asked.asked_s:.1f} s")
        return found

    def _ask(self, status: ChildStatus, now_s: float) -> None:
        question = _Question(status.epoch, now_s, Reply())
        if self._system.tell(status.path, WhichChildren(question.reply)):
            self._open[status.path] = question

    def _absent(self, tree: Iterable[ChildStatus], now_s: float) -> list[str]:
        """Name what is vital and has not done its duty for too long."""
        found = []
        shown = {status.path: status for status in tree if self._is_vital(status.path)}
        for path in {*shown, *self._vital.branches}:
            status = shown.get(path)
            if status is not None and status.well:
                self._well_s[path] = now_s
            away_s = now_s - self._well_s.setdefault(path, now_s)
            if away_s > self._vital.absence_s:
                state = "gone" if status is None else status.state
                found.append(f"{path} has been {state} for {away_s:.1f} s")
        return sorted(found)

    def _is_vital(self, path: str) -> bool:
        return path in self._vital.branches or path.rpartition("/")[0] in self._vital.branches

    def _stuck(self, tree: Iterable[ChildStatus], now_s: float) -> list[str]:
        """Name vital actors that handle nothing; judged by their count, whatever clocks do."""
        found = []
        for status in tree:
            longest_s = self._vital.beats.get(status.path)
            if longest_s is None:
                continue
            handled, since_s = self._beats.get(status.path, (-1, now_s))
            if handled != status.handled:
                handled, since_s = status.handled, now_s
            self._beats[status.path] = handled, since_s
            if now_s - since_s > longest_s:
                found.append(f"{status.path} has handled nothing for {now_s - since_s:.1f} s")
        return found
