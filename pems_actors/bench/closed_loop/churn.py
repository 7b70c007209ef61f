"""How often plans change their mind: relay slots of the next two hours that flip from plan to plan.

A new issue of prices or of the weather is a reason to plan otherwise; a quarter of an hour that
went by is none. So pairs of plans between which nothing was issued are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pems_actors.domain.plan import Plan
from pems_actors.domain.units import HOUR_S
from pems_actors.simulation.market import published_until_s
from pems_actors.simulation.weather_service import ISSUE_S

AHEAD_S = 2 * HOUR_S


@dataclass(frozen=True, slots=True)
class Churn:
    """Slots compared and slots flipped, over all pairs and over those without news between."""

    slots: int = 0
    flips: int = 0
    quiet_slots: int = 0
    quiet_flips: int = 0

    @classmethod
    def of(cls, plans: Sequence[Plan], timezone: str) -> Churn:
        """Compare each plan with the one after it."""
        slots = flips = quiet_slots = quiet_flips = 0
        for before, after in pairwise(plans):
            compared, flipped = _flips(before, after)
            slots, flips = slots + compared, flips + flipped
            if not news_between(before.issued_at_s, after.issued_at_s, timezone):
                quiet_slots, quiet_flips = quiet_slots + compared, quiet_flips + flipped
        return cls(slots, flips, quiet_slots, quiet_flips)

    @property
    def all_frac(self) -> float | None:
        """Share of slots that flipped, whatever was issued; None without plans to compare."""
        return self.flips / self.slots if self.slots else None

    @property
    def quiet_frac(self) -> float | None:
        """Share of slots that flipped although nothing was issued; None without such pairs."""
        return self.quiet_flips / self.quiet_slots if self.quiet_slots else None


def news_between(first_s: float, second_s: float, timezone: str) -> bool:
    """Tell if weather or prices were issued between two instants."""
    weather = first_s // ISSUE_S != second_s // ISSUE_S
    return weather or published_until_s(first_s, timezone) != published_until_s(second_s, timezone)


def _flips(before: Plan, after: Plan) -> tuple[int, int]:
    """Count the relay slots that two plans share in the two hours ahead, and those that flip."""
    told = {slot.start_s: slot for slot in before.slots if slot.binary}
    slots = flips = 0
    for slot in after.slots:
        old = told.get(slot.start_s)
        if slot.start_s >= after.slots[0].start_s + AHEAD_S or not slot.binary:
            break
        if old is not None:
            slots += len(slot.relays)
            flips += sum(old.relays[name] is not on for name, on in slot.relays.items())
    return slots, flips
