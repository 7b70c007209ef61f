"""Telling one tale: from two words to what came of it, as plain data that crosses processes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pems_actors.simulation.invariants import Violation
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.witness import Witness

PAGE_MB = 4096 / 1e6


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one story. `faults` are written out; `ended` tells if the core gave up."""

    tale: Tale
    faults: str
    days: float
    strikes: int
    violations: tuple[Violation, ...]
    incidents: int
    detect_s: tuple[float, ...]
    recover_s: tuple[float, ...]
    cold_kh: float
    ended: str
    cpu_s: float
    rss_mb: float

    @property
    def written_out(self) -> Tale:
        """The same story with its faults in full."""
        return Tale(self.tale.seed, self.faults or "none")


def tell(tale: Tale) -> Told:
    """Tell a story under the eyes of the judge. Raises: ValueError for unreadable faults."""
    began = time.process_time()
    plot = plot_of(tale)
    witness = Witness(plot)
    simulation = witness.simulation
    result = witness.tell()
    strikes = simulation.strikes
    return Told(
        tale=tale,
        faults=",".join(str(strike) for strike in strikes),
        days=plot.story.days,
        strikes=len(strikes),
        violations=witness.violations,
        incidents=witness.incidents,
        detect_s=tuple(witness.stopwatch.detect_s),
        recover_s=tuple(witness.stopwatch.recover_s),
        cold_kh=float(result.figures["cold_kh"]),
        ended="; ".join(simulation.given_up),
        cpu_s=time.process_time() - began,
        rss_mb=rss_mb(),
    )


def rss_mb() -> float:
    """Read how much memory this process holds now [MB]; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * PAGE_MB if statm.exists() else 0.0
