"""A finding as an incident: opened when it is found, closed when it is over."""

from __future__ import annotations

from pems_actors.actors.base import HouseActor
from pems_actors.domain.findings import Finding
from supervision.events import IncidentClosed, IncidentOpened


def open_incident(actor: HouseActor, finding: Finding) -> None:
    """Tell that an outage began."""
    opened = IncidentOpened(
        actor.now_s(), finding.path, _id(finding), finding.reason, finding.since_s, None
    )
    actor.effect(lambda: actor.context.system.journal.emit(opened))


def close_incident(actor: HouseActor, finding: Finding) -> None:
    """Tell that it is over."""
    now_s = actor.now_s()
    closed = IncidentClosed(
        now_s, finding.path, _id(finding), finding.reason, finding.since_s, now_s, None
    )
    actor.effect(lambda: actor.context.system.journal.emit(closed))


def _id(finding: Finding) -> str:
    return f"{finding.path}@{finding.since_s:.0f}"
