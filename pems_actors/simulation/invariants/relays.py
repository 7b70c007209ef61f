"""Laws of switching: dwell times, starts per hour, the distance of starts, blocked hours.

A dwell may be broken by the breaker, overheat, frost and the guard, and only where the pictures
show their reason; a blocked hour has cut the heat already. Which rule spoke is read from the
order's own reason, whether it had a right to from the pictures.
"""

from __future__ import annotations

from collections import deque

from pems_actors.domain.commands import SetHeating
from pems_actors.domain.units import HOUR_S
from pems_actors.simulation.invariants.facts import Counted, Wrote
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes, Turned
from pems_actors.simulation.invariants.power import is_over_reserve, was_crowded

GUARD = "safety/guard"
FORCED = frozenset({"frost", "guard"})
TICK_S = 60.0
_MARGIN_K = 0.11  # half a step of a thermometer, twice
_EPS_S = 0.5


def rule_of(wrote: Wrote) -> str:
    """Read which rule spoke: the first word of the reason."""
    return wrote.command.reason.split(":", maxsplit=1)[0]


class Dwell(Law):
    """A relay stays on and off for its least times, unless a rule above the dwell has cause.

    Every break is counted, by the judge and by the relay's owner.
    """

    name = "dwell"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self.breaks: dict[str, int] = {}

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at a turn that comes early."""
        turned = self.notes.turn_of(wrote)
        if turned is None or not turned.changed:
            return
        relay, stayed_s = turned.relay, wrote.at_s - turned.since_s
        least_s = relay.min_off_s if turned.on else relay.min_on_s
        if stayed_s >= least_s - _EPS_S or self._came_late_unseen(turned, least_s, wrote.at_s):
            return
        rule = rule_of(wrote)
        if rule != "tariff":
            self.breaks[relay.name] = self.breaks.get(relay.name, 0) + 1
        if not self._may_break(rule, turned, wrote.at_s):
            state = "off" if turned.on else "on"
            detail = f"relay/{relay.name} was {state} for {stayed_s:.0f} s of {least_s:.0f} s"
            self.accuse(wrote.at_s, f"{detail} ({wrote.command.reason})")

    def on_counted(self, counted: Counted) -> None:
        """Compare with what the owner has counted; it may count an order that got lost as well."""
        breaks = self.breaks.get(counted.relay, 0)
        if counted.breaks < breaks:
            detail = f"relay/{counted.relay}: {breaks} breaks, {counted.breaks} counted"
            self.accuse(counted.at_s, detail)

    def _came_late_unseen(self, turned: Turned, least_s: float, at_s: float) -> bool:
        """Whether an order got lost, a later one did not, and no picture has shown that since."""
        notes, seen = self.notes, self.notes.seen
        unseen = seen is None or seen.at_s <= turned.since_s
        return unseen and notes.asked_for_s(turned, at_s) >= least_s - _EPS_S

    def _may_break(self, rule: str, turned: Turned, at_s: float) -> bool:
        notes, limits = self.notes, self.house.limits
        if rule == "guard":
            return True  # its own laws judge it
        if turned.on:
            return rule == "frost" and self._coldest(turned) < limits.building_floor_c + _MARGIN_K
        if rule == "tariff":
            return is_blocked(notes) or not notes.knows_blocks(at_s)
        if rule == "breaker":
            return _was_over(notes, at_s)
        return rule == "overheat" and self._warmest(turned) > limits.ceiling_c - _MARGIN_K

    def _coldest(self, turned: Turned) -> float:
        return min(self._said(turned), default=99.0)

    def _warmest(self, turned: Turned) -> float:
        return max(self._said(turned), default=0.0)

    def _said(self, turned: Turned) -> list[float]:
        members = [room for room, _ in turned.relay.members]
        return [
            picture[room] for picture in self.notes.temps_c() for room in members if room in picture
        ]


def is_blocked(notes: Notes) -> bool:
    """Tell if heating is blocked: by the contact as last seen, or as it really is by now."""
    seen = notes.seen is not None and notes.seen.reading.heating_blocked is True
    return seen or (notes.truth is not None and notes.truth.blocked)


def _was_over(notes: Notes, at_s: float) -> bool:
    """Whether the breaker may have been in danger, as far as anybody could know.

    A house that has said nothing for long has no meter: what was on must have been too much for
    the reserve.
    """
    if was_crowded(notes):
        return True
    added = [] if notes.seen is None else [notes.relays[n] for n in notes.on_since(notes.seen.at_s)]
    return notes.meter(at_s) is None and is_over_reserve(notes, added)


class StartsPerHour(Law):
    """Not more starts of a relay within an hour than it may have; frost and guard are above it."""

    name = "starts per hour"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._starts_s: dict[str, deque[float]] = {}

    def on_wrote(self, wrote: Wrote) -> None:
        """Count starts."""
        turned = self.notes.turn_of(wrote)
        if turned is None or not (turned.changed and turned.on):
            return
        starts_s = self._starts_s.setdefault(turned.relay.name, deque())
        starts_s.append(wrote.at_s)
        while starts_s[0] <= wrote.at_s - HOUR_S + _EPS_S:
            starts_s.popleft()
        if len(starts_s) > turned.relay.max_starts_per_h and rule_of(wrote) not in FORCED:
            detail = f"relay/{turned.relay.name}: {len(starts_s)} starts within the hour"
            self.accuse(wrote.at_s, f"{detail} ({wrote.command.reason})")


class StartGap(Law):
    """Relays start one after another, never two within the gap; the guard need not wait."""

    name = "distance of starts"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._last: tuple[float, str] = (float("-inf"), "")

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at the time since the last start of any relay."""
        turned = self.notes.turn_of(wrote)
        if turned is None or not (turned.changed and turned.on) or wrote.author == GUARD:
            return
        gap_s = wrote.at_s - self._last[0]
        if gap_s < self.house.limits.start_gap_s - _EPS_S:
            detail = f"relay/{turned.relay.name} {gap_s:.1f} s after {self._last[1]}"
            self.accuse(wrote.at_s, detail)
        self._last = (wrote.at_s, f"relay/{turned.relay.name}")


class NoHeatInBlock(Law):
    """No order to heat while the tariff blocks heating, at any level and by nobody."""

    name = "no heating in a block"

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at orders to heat, once the block has lasted a control tick."""
        command, since_s = wrote.command, self.notes.blocked_since_s
        if not isinstance(command, SetHeating) or not command.on or since_s is None:
            return
        truth = self.notes.truth
        known = truth is not None and wrote.at_s - truth.at_s <= TICK_S + _EPS_S
        if known and self.notes.knows_blocks(wrote.at_s) and wrote.at_s - since_s > TICK_S + _EPS_S:
            detail = f"relay/{command.relay} ordered on, {wrote.at_s - since_s:.0f} s into a block"
            self.accuse(wrote.at_s, f"{detail} ({command.reason})")
