"""What a soak came to: counts, times of detection and recovery, memory, and how to replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pems_actors.fault_table import read_strikes
from pems_actors.simulate import places_of
from pems_actors.soak.shrinking import shrink
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.telling import Told, tell

WARM_UP_STORIES = 20  # of each process: caches fill, and the largest house has been told
WARM_UP_FRAC = 0.3
LEAST_POINTS = 20


@dataclass
class OfFault:
    """What came of all stories in which one fault struck."""

    stories: int = 0
    violations: int = 0
    detect_s: list[float] = field(default_factory=list)
    recover_s: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """Give the figures of one fault, as the proof page reads them."""
        return {
            "stories": self.stories,
            "violations": self.violations,
            "noticed": len(self.detect_s),
            "detect_s_p50": quantile(self.detect_s, 0.5),
            "detect_s_p99": quantile(self.detect_s, 0.99),
            "recover_s_p50": quantile(self.recover_s, 0.5),
            "recover_s_p99": quantile(self.recover_s, 0.99),
        }


@dataclass
class Sums:
    """Everything that was told so far; `failing` are the stories with violations."""

    stories: int = 0
    days: float = 0.0
    faults: int = 0
    violations: int = 0
    incidents: int = 0
    ended: int = 0
    cold_kh: float = 0.0
    cost: float = 0.0
    writes: int = 0
    restarts: int = 0
    cpu_s: list[float] = field(default_factory=list)
    by_fault: dict[str, OfFault] = field(default_factory=lambda: defaultdict(OfFault))
    failing: list[Told] = field(default_factory=list)
    memory: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, worker: int, told: Told) -> None:
        """Take one more story."""
        self.stories += 1
        self.days += told.days
        self.faults += told.strikes
        self.violations += len(told.violations)
        self.incidents += told.incidents
        self.ended += bool(told.ended)
        self.cold_kh += told.cold_kh
        self.cost += told.cost
        self.writes += told.writes
        self.restarts += told.restarts
        self.cpu_s.append(told.cpu_s)
        self._add_faults(told)
        points = self.memory[worker]
        points.append(((points[-1][0] if points else 0.0) + told.days, told.rss_mb))
        if told.violations:
            self.failing.append(told)

    def _add_faults(self, told: Told) -> None:
        for name in told.fault_names:
            self.by_fault[name].stories += 1
            self.by_fault[name].violations += len(told.violations)
        for timing in told.timings:
            of = self.by_fault[timing.fault]
            of.detect_s += [] if timing.detect_s is None else [timing.detect_s]
            of.recover_s += [] if timing.recover_s is None else [timing.recover_s]

    def figures(self, wall_s: float, replay: str) -> dict[str, object]:
        """Give the figures of `pems soak --json`."""
        detect_s = [s for of in self.by_fault.values() for s in of.detect_s]
        recover_s = [s for of in self.by_fault.values() for s in of.recover_s]
        return {
            "days": round(self.days, 2),
            "stories": self.stories,
            "faults": self.faults,
            "violations": self.violations,
            "failing_stories": len(self.failing),
            "core_ended": self.ended,
            "incidents": self.incidents,
            "restarts": self.restarts,
            "writes": self.writes,
            "cost": round(self.cost, 2),
            "detect_s_p50": quantile(detect_s, 0.5),
            "detect_s_p99": quantile(detect_s, 0.99),
            "recover_s_p50": quantile(recover_s, 0.5),
            "recover_s_p99": quantile(recover_s, 0.99),
            "cold_kh": round(self.cold_kh, 2),
            "rss_slope_mb_per_day": self.rss_slope_mb_per_day(),
            "cpu_s_per_story_p50": quantile(self.cpu_s, 0.5),
            "cpu_s": round(sum(self.cpu_s), 1),
            "wall_s": round(wall_s, 1),
            "replay": replay,
        }

    def faults_figures(self) -> dict[str, dict[str, float | int | None]]:
        """Give the figures of each fault, by name."""
        return {name: of.figures() for name, of in sorted(self.by_fault.items())}

    def rss_slope_mb_per_day(self) -> float | None:
        """Fit how much a process grows per simulated day once it is warm; the worst of them."""
        known = [slope for slope in map(_warm_slope, self.memory.values()) if slope is not None]
        return round(max(known), 4) if known else None


def shrunk(told: Told, retell: Callable[[Tale], Told] = tell) -> Tale:
    """Find the least faults with which a failing story still breaks one of the same laws.

    A long story stays as it is: it would be told again for hours.
    """
    if told.is_long:
        return told.tale
    laws = {violation.invariant for violation in told.violations}
    tale = told.written_out
    strikes = read_strikes(_words(tale), places_of(plot_of(tale).story))

    def with_only(part: Iterable[object]) -> Tale:
        return replace(tale, faults=",".join(map(str, part)) or "none")

    def fails(part: tuple[object, ...]) -> bool:
        again = retell(with_only(part))
        return any(violation.invariant in laws for violation in again.violations)

    return with_only(shrink(strikes, fails))


def _words(tale: Tale) -> str:
    return "" if tale.faults == "none" else tale.faults


def quantile(values: Sequence[float], share: float) -> float | None:
    """Give the value below which a share of all lies; None for no values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def _warm_slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Fit a line through (day, MB) without the beginning; None for too few points."""
    warm = points[max(WARM_UP_STORIES, int(len(points) * WARM_UP_FRAC)) :]
    if len(warm) < LEAST_POINTS:
        return None
    mean_x = sum(x for x, _ in warm) / len(warm)
    mean_y = sum(y for _, y in warm) / len(warm)
    spread = sum((x - mean_x) ** 2 for x, _ in warm)
    if spread <= 0.0:
        return None
    return sum((x - mean_x) * (y - mean_y) for x, y in warm) / spread
