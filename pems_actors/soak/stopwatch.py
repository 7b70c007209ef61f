"""How long it took: from a fault to the first sign of it, and from there back to health.

Actors: from the strike to `failed`, `hung`, overflow or quarantine, and from the failure to the
successor. Everything else, where the table names who should notice: until that actor says that it
is not as before, and from the end of the fault until it says again what it said before.
"""

from __future__ import annotations

from dataclasses import dataclass

from pems_actors.fault_table import Strike, Target, row_named
from supervision import Event
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildRestarted,
    HealthChanged,
    MailboxOverflow,
    Quarantined,
)

NOTICED_WITHIN_S = 3600.0
SIGNS = (ChildFailed, ChildHung, MailboxOverflow, Quarantined)
WELL = "running"


@dataclass
class Open:
    """A fault whose signs are waited for; `before` is how its watcher was until then."""

    path: str
    at_s: float
    over_s: float
    actor: bool
    before: str
    noticed_s: float | None = None
    failed_s: float | None = None


class Stopwatch:
    """Times of one story, in seconds of true time.

    Of two faults with one watcher at the same time only the first is measured.
    """

    def __init__(self) -> None:
        self.detect_s: list[float] = []
        self.recover_s: list[float] = []
        self._open: dict[str, Open] = {}
        self._health: dict[str, str] = {}

    def struck(self, strike: Strike, at_s: float) -> None:
        """Start to wait for the signs of a fault."""
        row = row_named(strike.name)
        actor = row.target in {Target.ACTOR, Target.BRANCH}
        path = strike.target if actor else row.watcher
        case = self._open.get(path)
        if path and (case is None or at_s - case.at_s > NOTICED_WITHIN_S):
            before = self._health.get(path, WELL)
            self._open[path] = Open(path, at_s, at_s + strike.lasts_s, actor, before)

    def heard(self, event: Event, at_s: float) -> None:
        """Take the time of a sign or of a recovery."""
        case = self._open.get(event.path)
        if isinstance(event, HealthChanged):
            self._health[event.path] = event.state
        if case is not None and case.actor:
            self._of_actor(case, event, at_s)
        elif case is not None and isinstance(event, HealthChanged):
            self._of_watcher(case, event, at_s)

    def _of_actor(self, case: Open, event: Event, at_s: float) -> None:
        if isinstance(event, SIGNS) and case.noticed_s is None:
            self._notice(case, at_s)
        if isinstance(event, ChildFailed | ChildHung) and case.failed_s is None:
            case.failed_s = at_s
        elif isinstance(event, ChildRestarted) and case.failed_s is not None:
            self.recover_s.append(at_s - case.failed_s)
            del self._open[case.path]

    def _of_watcher(self, case: Open, event: HealthChanged, at_s: float) -> None:
        if event.state != case.before and case.noticed_s is None and at_s <= case.over_s:
            self._notice(case, at_s)
        elif event.state == case.before and at_s >= case.over_s:
            if case.noticed_s is not None:
                self.recover_s.append(at_s - case.over_s)
            del self._open[case.path]

    def _notice(self, case: Open, at_s: float) -> None:
        case.noticed_s = at_s
        self.detect_s.append(at_s - case.at_s)
