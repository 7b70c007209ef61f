"""The house mode: which one may follow which. Pure.

An emergency is latched: only mode normal ends it. An end of its own makes sense for a mode that
somebody leaves, not for the ordinary one and not for an emergency.
"""

from __future__ import annotations

from pems_actors.domain.events import HouseMode
from pems_actors.domain.units import iso

LATCHED = frozenset({HouseMode.NORMAL, HouseMode.EMERGENCY})


def mode_problem(
    standing: HouseMode, wanted: HouseMode, until_s: float | None, now_s: float
) -> str | None:
    """Say why a mode cannot be entered, or None if it can."""
    if standing is HouseMode.EMERGENCY and wanted not in LATCHED:
        return "the house is in emergency; clear that by mode normal first"
    if until_s is not None and wanted in LATCHED:
        return f"mode {wanted} has no end of its own; leave until out"
    if until_s is not None and until_s <= now_s:
        return f"until {iso(until_s)} is over; give a time to come"
    return None
