"""`pems bench soak-live`: days of faults on real threads, a day in half a minute: does it leak?

Memory, threads and open files of the process are looked at each second. What the first fifth of
the run takes is warm-up: caches fill, allocators find their size. The slope is that of a straight
line through all looks after it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pems_actors.bench.fast_house import DAY_TAKES_S, FastHouse
from pems_actors.bench.report import Target, report
from pems_actors.bench.supervision import resident_mb

DAYS, QUICK_DAYS = 6.0, 1.0
FAULTS_PER_DAY = 12.0
LOOK_EVERY_S = 1.0
WARM_UP_FRAC = 0.2
TARGETS = {
    "rss_slope_mb_per_day": Target("<=", 1.0),
    "threads_growth": Target("<=", 2.0),
    "files_growth": Target("<=", 4.0),
    "gave_up": Target("<=", 0.0),
}


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the process."""

    day: float
    rss_mb: float
    threads: int
    files: int


def run(*, quick: bool = False, days: float | None = None) -> dict[str, Any]:
    """Live so many simulated days, 30 s each.

    Returns: the report of architecture; growths are from the first fifth to the last fifth.
    """
    wanted = days or (QUICK_DAYS if quick else DAYS)
    with tempfile.TemporaryDirectory(prefix="pems-bench-") as folder:
        house = FastHouse(Path(folder), wanted, FAULTS_PER_DAY)
        house.start()
        try:
            return report("soak-live", live(house, wanted), TARGETS)
        finally:
            house.stop()


def live(house: FastHouse, days: float) -> dict[str, Any]:
    """Let the house live, look at it, and count."""
    looks: list[Look] = []
    system = house.appliance.system
    due_s = time.monotonic()
    while house.day() < days and system.verdict is None:
        house.step()
        if time.monotonic() >= due_s:
            due_s += LOOK_EVERY_S
            looks.append(look(house.day()))
    counted = system.counters()
    return {
        "days": round(house.day(), 2),
        "day_takes_s": DAY_TAKES_S,
        "faults": house.struck,
        "crashes": counted["crashes"],
        "hangs": counted["hangs"],
        "restarts": counted["restarts"],
        "plans": house.mqtt.counts["pems/plan"],
        "gave_up": int(system.verdict is not None),
        **growth(looks),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def look(day: float) -> Look:
    """Look at this process."""
    return Look(
        day,
        resident_mb(os.getpid()) or 0.0,
        threading.active_count(),
        len(list(Path("/proc/self/fd").iterdir())),
    )


def growth(looks: Sequence[Look]) -> dict[str, float]:
    """Say what grew after the warm-up: memory as a slope, threads and files by their medians."""
    fifth = max(1, int(WARM_UP_FRAC * len(looks)))
    warm = looks[fifth:] or looks
    first, last = warm[:fifth], warm[-fifth:]
    days, sizes = [each.day for each in warm], [each.rss_mb for each in warm]
    slope = statistics.linear_regression(days, sizes).slope if len(set(days)) > 1 else 0.0
    return {
        "rss_mb_first": round(statistics.median(each.rss_mb for each in first), 1),
        "rss_mb_last": round(statistics.median(each.rss_mb for each in last), 1),
        "rss_slope_mb_per_day": round(slope, 3),
        "threads": statistics.median(each.threads for each in last),
        "threads_growth": statistics.median(each.threads for each in last)
        - statistics.median(each.threads for each in first),
        "files": statistics.median(each.files for each in last),
        "files_growth": statistics.median(each.files for each in last)
        - statistics.median(each.files for each in first),
    }
