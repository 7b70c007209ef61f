"""What a law is: it hears facts, remembers what it must, and accuses.

A law handles a kind of fact by having a method `on_<kind>`, such as `on_wrote`; `close` is called
at the end of the story.
"""

from __future__ import annotations

from pems_actors.domain.house import House
from pems_actors.simulation.invariants.facts import Violation
from pems_actors.simulation.invariants.notes import Notes

TOLD_AT_MOST = 50


class Law:
    """One invariant, with what it found so far."""

    name = ""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.found: list[Violation] = []

    @property
    def house(self) -> House:
        """The house that is judged."""
        return self.notes.house

    def accuse(self, at_s: float, detail: str) -> None:
        """Note that the law was broken; a flood of the same is cut off."""
        if len(self.found) < TOLD_AT_MOST:
            self.found.append(Violation(at_s, self.name, detail))

    def close(self, at_s: float) -> None:
        """Judge what can only be judged at the end."""
