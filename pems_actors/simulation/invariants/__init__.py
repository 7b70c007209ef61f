"""An independent judge of the house: laws that hold in every story, whatever breaks.

It shares nothing with the code that controls. It imports the vocabulary of `domain` and hears what
a witness can swear to (`facts.py`): orders as they passed, pictures as they were shown, the true
house, lives and incidents of the tree. Each law is one small class that accuses with a `Violation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pems_actors.domain.house import House
from pems_actors.simulation.invariants.charge import ChargeFits, NoBlindCharge
from pems_actors.simulation.invariants.facts import (
    Asked,
    Beat,
    Broke,
    Counted,
    Fact,
    Kept,
    Life,
    Outage,
    Seen,
    Told,
    Truth,
    Turn,
    Violation,
    Wrote,
)
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes
from pems_actors.simulation.invariants.outages import DeviceOutages
from pems_actors.simulation.invariants.power import ExcessEnds, SwitchOnFits
from pems_actors.simulation.invariants.relays import Dwell, NoHeatInBlock, StartGap, StartsPerHour
from pems_actors.simulation.invariants.rooms import NoModeOutlivesItsLease, RoomLimits, SocWindow
from pems_actors.simulation.invariants.tree import HeartBeats, OneIncident, OneOutcome, RowsKept
from pems_actors.simulation.invariants.writes import (
    BatterySpared,
    LivingAuthor,
    NothingUnarmed,
    OneWriter,
    WithinLimits,
)

__all__ = [
    "Asked",
    "Beat",
    "Broke",
    "Counted",
    "Fact",
    "InvariantChecker",
    "Kept",
    "Life",
    "Outage",
    "Seen",
    "Told",
    "Truth",
    "Turn",
    "Violation",
    "Wrote",
]

KINDS = (Asked, Beat, Broke, Counted, Kept, Life, Outage, Seen, Told, Truth, Wrote)


class InvariantChecker:
    """Hears the history of one story, fact by fact, and keeps the violations."""

    def __init__(
        self, house: House, *, armed: frozenset[str] | None = None, heartbeat_s: float = 900.0
    ) -> None:
        """Swear in all laws.

        Args:
            house: what is judged.    armed: devices that may be written to; None: all.
            heartbeat_s: how often the tree should say that it lives.
        """
        self.notes = notes = Notes(house)
        self.dwell = Dwell(notes)
        self.laws: tuple[Law, ...] = (
            WithinLimits(notes),
            LivingAuthor(notes),
            OneWriter(notes),
            NothingUnarmed(notes, armed),
            BatterySpared(notes),
            self.dwell,
            StartsPerHour(notes),
            StartGap(notes),
            NoHeatInBlock(notes),
            SwitchOnFits(notes),
            ExcessEnds(notes, armed),
            ChargeFits(notes),
            NoBlindCharge(notes),
            RoomLimits(notes, armed),
            SocWindow(notes),
            NoModeOutlivesItsLease(notes),
            OneIncident(notes),
            DeviceOutages(notes),
            OneOutcome(notes),
            HeartBeats(notes, heartbeat_s),
            RowsKept(notes),
        )
        self._handlers = {kind: self._handlers_of(kind) for kind in KINDS}

    def hear(self, fact: Fact) -> None:
        """Judge a fact by every law that concerns it, then remember it."""
        for handle in self._handlers[type(fact)]:
            handle(fact)
        self.notes.note(fact)

    def close(self, at_s: float) -> tuple[Violation, ...]:
        """Judge what can only be judged at the end, and give all violations, oldest first."""
        for law in self.laws:
            law.close(at_s)
        return self.violations

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations so far, oldest first."""
        return tuple(sorted(violation for law in self.laws for violation in law.found))

    def _handlers_of(self, kind: type) -> tuple[Callable[[Any], None], ...]:
        name = f"on_{kind.__name__.lower()}"
        return tuple(getattr(law, name) for law in self.laws if hasattr(law, name))
