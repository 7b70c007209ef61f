"""What people want of a room beyond its comfort table: overrides and absences, each with an end."""

from __future__ import annotations

from dataclasses import dataclass

from pems_actors.domain.units import DAY_S

LOWEST_C = 10.0
HIGHEST_C = 26.0
LONGEST_S = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class Override:
    """A wished temperature until a time, with who wants it and why."""

    temp_c: float
    until_s: float
    owner: str
    reason: str


def override_problem(temp_c: float, duration_s: float) -> str | None:
    """Say why a wish cannot be taken, or None if it can."""
    if not LOWEST_C <= temp_c <= HIGHEST_C:
        return f"temp_c is {temp_c:g}; give {LOWEST_C:g} to {HIGHEST_C:g} °C"
    if duration_s <= 0.0:
        return "the wish would be over before it begins; give a time to come, or like for=2h"
    if not 60.0 <= duration_s <= LONGEST_S:
        lasts = f"{duration_s:.0f} s" if duration_s < 60.0 else f"{duration_s / DAY_S:.0f} days"
        return f"the wish would last {lasts}; give 1 minute to 30 days, like for=2h"
    return None
