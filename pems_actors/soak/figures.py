"""What a soak came to: counts, times of detection and recovery, memory, and how to replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pems_actors.fault_table import read_strikes
from pems_actors.simulate import places_of
from pems_actors.soak.shrinking import shrink
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.telling import Told, tell

WARM_UP_FRAC = 0.3


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
    cpu_s: list[float] = field(default_factory=list)
    detect_s: list[float] = field(default_factory=list)
    recover_s: list[float] = field(default_factory=list)
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
        self.cpu_s.append(told.cpu_s)
        self.detect_s += told.detect_s
        self.recover_s += told.recover_s
        points = self.memory[worker]
        points.append(((points[-1][0] if points else 0.0) + told.days, told.rss_mb))
        if told.violations:
            self.failing.append(told)

    def figures(self, wall_s: float, replay: str) -> dict[str, object]:
        """Give the figures of `pems soak --json`."""
        return {
            "days": round(self.days, 2),
            "stories": self.stories,
            "faults": self.faults,
            "violations": self.violations,
            "failing_stories": len(self.failing),
            "core_ended": self.ended,
            "incidents": self.incidents,
            "detect_s_p99": _quantile(self.detect_s, 0.99),
            "recover_s_p99": _quantile(self.recover_s, 0.99),
            "cold_kh": round(self.cold_kh, 2),
            "rss_slope_mb_per_day": self.rss_slope_mb_per_day(),
            "cpu_s_per_story_p50": _quantile(self.cpu_s, 0.5),
            "wall_s": round(wall_s, 1),
            "replay": replay,
        }

    def rss_slope_mb_per_day(self) -> float | None:
        """Fit how much a process grows per simulated day once it is warm; the worst of them."""
        slopes = [_slope(points[int(len(points) * WARM_UP_FRAC) :]) for points in
                  self.memory.values()]  # fmt: skip
        known = [slope for slope in slopes if slope is not None]
        return round(max(known), 4) if known else None


def shrunk(told: Told, retell: Callable[[Tale], Told] = tell) -> Tale:
    """Find the least faults with which a failing story still breaks one of the same laws."""
    laws = {violation.invariant for violation in told.violations}
    tale = told.written_out
    strikes = read_strikes(_words(tale), places_of(plot_of(tale).story))

    def fails(part: tuple[object, ...]) -> bool:
        again = retell(Tale(tale.seed, ",".join(map(str, part)) or "none"))
        return any(violation.invariant in laws for violation in again.violations)

    return Tale(tale.seed, ",".join(map(str, shrink(strikes, fails))) or "none")


def _words(tale: Tale) -> str:
    return "" if tale.faults == "none" else tale.faults


def _quantile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def _slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Fit a line through (day, MB) by least squares; None for too few points."""
    if len(points) < 5:
        return None
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread <= 0.0:
        return None
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
