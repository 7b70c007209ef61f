"""How long it took: from a fault to the first sign of it, and from there back to health.

Actors: from the strike to `failed`, `hung`, overflow or quarantine, and from the failure to the
successor. Everything else, where the table says who should notice or where it is told: until that
actor is not as before or that incident is opened, and from the end of the fault until all of that
is over. Of two faults with one sign at the same time only the first is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pems_actors.fault_table import Strike, Suspend, Target, row_named
from supervision import Event
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildRestarted,
    HealthChanged,
    IncidentClosed,
    IncidentOpened,
    MailboxOverflow,
    Quarantined,
)

NOTICED_WITHIN_S = 3600.0
GIVEN_UP_S = 6 * 3600.0
TICK_S = 60.0
SHOWS_WITHIN_S = 120.0  # an actor gets its next message before
SIGNS = (ChildFailed, ChildHung, MailboxOverflow, Quarantined)
WELL = "running"


class Timing(NamedTuple):
    """What became of one fault [s]; None: nobody noticed, or had to; or it was not over yet."""

    fault: str
    detect_s: float | None
    recover_s: float | None


@dataclass
class Case:
    """A fault whose signs are waited for; `before` is how its watcher was until then."""

    fault: str
    at_s: float
    over_s: float
    path: str  # of the actor that is struck, or that should notice
    incident: str  # beginning of the path at which it is told
    before: str = WELL
    standing: set[str] = field(default_factory=set)  # signs that have not passed yet
    detect_s: float | None = None
    failed_s: float | None = None
    recover_s: float | None = None

    def waits(self, at_s: float) -> bool:
        """Whether a sign or its end can still come."""
        return self.recover_s is None and at_s - self.over_s <= GIVEN_UP_S

    def noticed(self, at_s: float) -> None:
        """Take the first sign."""
        if self.detect_s is None:
            self.detect_s = at_s - self.at_s

    def appeared(self, sign: str, at_s: float) -> None:
        """Take a sign that has an end; a tick after the fault it is none of it any more."""
        if at_s <= self.over_s + TICK_S or self.standing:
            self.noticed(at_s)
            self.standing.add(sign)

    def passed(self, sign: str, at_s: float) -> None:
        """Take the end of a sign; the last one after the fault is the recovery."""
        self.standing.discard(sign)
        if at_s >= self.over_s and self.detect_s is not None and not self.standing:
            self.recover_s = at_s - self.over_s


class Stopwatch:
    """Times of one story, in seconds of true time."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._waiting: list[Case] = []  # those whose signs are still waited for
        self._health: dict[str, str] = {}

    @property
    def timings(self) -> tuple[Timing, ...]:
        """What was measured so far."""
        return tuple(Timing(case.fault, case.detect_s, case.recover_s) for case in self.cases)

    def struck(self, strike: Strike, at_s: float) -> None:
        """Start to wait for the signs of a fault."""
        row = row_named(strike.name)
        own = row.target in {Target.ACTOR, Target.BRANCH}
        path = strike.target if own else row.watcher
        incident = row.incident.replace("@", strike.target)
        if (path or incident) and not self._is_watched(path, incident, at_s):
            before, over_s = self._health.get(path, WELL), at_s + strike.lasts_s
            if isinstance(row.how, Suspend):
                at_s = over_s  # nobody can notice anything in his sleep
            case = Case(strike.name, at_s, over_s, path, incident, before)
            self.cases.append(case)
            self._waiting.append(case)

    def _is_watched(self, path: str, incident: str, at_s: float) -> bool:
        return any(
            at_s - case.over_s <= NOTICED_WITHIN_S
            and ((path and case.path == path) or (incident and case.incident == incident))
            for case in self._waiting
        )

    def heard(self, event: Event, at_s: float) -> None:
        """Take the time of a sign or of a recovery."""
        if isinstance(event, HealthChanged):
            self._health[event.path] = event.state
        for case in self._waiting:
            self._take(case, event, at_s)
        self._waiting = [case for case in self._waiting if case.waits(at_s)]

    def _take(self, case: Case, event: Event, at_s: float) -> None:
        if isinstance(event, IncidentOpened | IncidentClosed):
            if case.incident and event.path.startswith(case.incident):
                news = case.appeared if isinstance(event, IncidentOpened) else case.passed
                news(event.id, at_s)
        elif event.path != case.path:
            return
        elif row_named(case.fault).target in {Target.ACTOR, Target.BRANCH}:
            _of_actor(case, event, at_s)
        elif isinstance(event, HealthChanged):
            well = event.state == case.before
            (case.passed if well else case.appeared)(event.path, at_s)


def _of_actor(case: Case, event: Event, at_s: float) -> None:
    if case.detect_s is None and at_s - case.at_s > SHOWS_WITHIN_S:
        return  # it is another fault's
    if isinstance(event, SIGNS):
        case.noticed(at_s)
    if isinstance(event, ChildFailed | ChildHung) and case.failed_s is None:
        case.failed_s = at_s
    elif isinstance(event, ChildRestarted) and case.failed_s is not None:
        case.recover_s = at_s - case.failed_s
