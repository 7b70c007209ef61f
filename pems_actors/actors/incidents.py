"""A finding as an incident: opened when it is found, closed when it is over.

Who begins without its state does not know any more what it has opened. What is open stands in the
memory of the house, so that everything still gets its one end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pems_actors.actors.base import HouseActor
from pems_actors.domain.findings import Finding, FindingKind
from pems_actors.durable.kept import OpenIncident
from supervision.events import IncidentClosed, IncidentOpened


def open_incident(actor: HouseActor, finding: Finding) -> None:
    """Tell that an outage began."""
    opened = IncidentOpened(
        actor.now_s(), finding.path, _id(finding), finding.reason, finding.since_s, None
    )
    actor.effect(lambda: actor.context.system.journal.emit(opened))


def close_incident(actor: HouseActor, finding: Finding) -> None:
    """Tell that it is over."""
    _close(actor, OpenIncident(finding.path, _id(finding), finding.reason, finding.since_s))


def still_open(actor: HouseActor, device: str, what: FindingKind) -> Finding | None:
    """Give the finding whose incident a predecessor has left open; None if there is none."""
    path = f"{device}/{what}"
    for each in actor.incidents_open() or ():
        if each.path == path:
            return Finding(device, what, each.cause, each.start_s)
    return None


def begin_with(
    actor: HouseActor, kinds: Collection[FindingKind], standing: Collection[Finding] = ()
) -> None:
    """Tell what stands at a beginning without a state: one incident goes on, the others end.

    Args:
        kinds: what only this actor finds.    standing: what it still knows of.
    """
    known = {_id(finding) for finding in standing}
    for each in actor.incidents_open() or ():
        if each.path.rpartition("/")[2] in kinds and each.id not in known:
            _close(actor, each)
    for finding in standing:
        open_incident(actor, finding)


def lost_news(
    actor: HouseActor, shown: Iterable[OpenIncident]
) -> list[IncidentOpened | IncidentClosed]:
    """Tell again what never arrived of the beginnings and ends of incidents, by what is `shown`."""
    noted = actor.incidents_open()
    if noted is None:
        return []
    now_s, told = actor.now_s(), {each.id: each for each in shown}
    known = {each.id: each for each in noted}
    ends = [
        IncidentClosed(now_s, each.path, each.id, each.cause, each.start_s, now_s, None)
        for name, each in told.items()
        if name not in known
    ]
    begins = [
        IncidentOpened(now_s, each.path, each.id, each.cause, each.start_s, None)
        for name, each in known.items()
        if name not in told
    ]
    return [*ends, *begins]


def _close(actor: HouseActor, incident: OpenIncident) -> None:
    now_s, (path, name) = actor.now_s(), (incident.path, incident.id)
    closed = IncidentClosed(now_s, path, name, incident.cause, incident.start_s, now_s, None)
    actor.effect(lambda: actor.context.system.journal.emit(closed))


def _id(finding: Finding) -> str:
    return f"{finding.path}@{finding.since_s:.0f}"
