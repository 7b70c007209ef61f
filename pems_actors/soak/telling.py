"""Telling one tale: from a few words to what came of it, as plain data that crosses processes."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pems_actors.simulation.invariants import Violation
from pems_actors.soak.stopwatch import Timing
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.witness import Witness

PAGE_MB = 4096 / 1e6
LONG_DAYS = 3.0


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one story. `faults` are written out; `ended` tells if the core gave up."""

    tale: Tale
    faults: str
    days: float
    strikes: int
    violations: tuple[Violation, ...]
    incidents: int
    timings: tuple[Timing, ...]
    cold_kh: float
    ended: str
    cpu_s: float = 0.0
    rss_mb: float = 0.0
    writes: int = 0
    restarts: int = 0
    cost: float = 0.0

    @property
    def written_out(self) -> Tale:
        """The same story with its faults in full; a long one by its seed, which draws the same."""
        return self.tale if self.is_long else replace(self.tale, faults=self.faults or "none")

    @property
    def is_long(self) -> bool:
        """Whether it takes minutes to tell, and has more faults than fit into a line."""
        return self.days > LONG_DAYS

    @property
    def fault_names(self) -> frozenset[str]:
        """Names of what broke in it."""
        return frozenset(each.partition("@")[0] for each in self.faults.split(",") if each)


def tell(tale: Tale) -> Told:
    """Tell a story under the eyes of the judge. Raises: ValueError for unreadable faults."""
    began = time.process_time()
    told = _told(tale)
    gc.collect()  # an appliance knows itself in circles: let go of all of it before the next one
    return replace(told, cpu_s=time.process_time() - began, rss_mb=rss_mb())


def _told(tale: Tale) -> Told:
    plot = plot_of(tale)
    witness = Witness(plot)
    simulation = witness.simulation
    result = witness.tell()
    strikes, figures = simulation.strikes, result.figures
    return Told(
        tale=tale,
        faults=",".join(str(strike) for strike in strikes),
        days=plot.story.days,
        strikes=len(strikes),
        violations=witness.violations,
        incidents=witness.incidents,
        timings=witness.stopwatch.timings,
        cold_kh=float(figures["cold_kh"]),
        ended="; ".join(simulation.given_up),
        writes=int(figures["writes"]) + int(figures["relay_commands"]),
        restarts=int(figures["restarts"]),
        cost=float(figures["cost"]),
    )


def rss_mb() -> float:
    """Read how much memory this process holds now [MB]; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * PAGE_MB if statm.exists() else 0.0
