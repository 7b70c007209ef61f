"""How much of everything a run of `pems bench resilience` does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """Counts of what is done to the house, and how long its broker is away [s]."""

    kills: int = 20
    writer_kills: int = 100
    solver_rounds: int = 1  # of all its troubles, and more until so many control ticks were seen
    solver_ticks: int = 0
    freezes: int = 2
    outage_s: float = 30.0


QUICK = Extent(kills=5, writer_kills=20, freezes=1, outage_s=3.0)
