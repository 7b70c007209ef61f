"""A `History` in memory: the fake for tests and simulations, proven by the same contract suite."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from math import fsum, isfinite


class MemoryHistory:
    """Keeps everything until it is closed; times are kept to the millisecond, as on disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fresh: list[tuple[tuple[str, float, float], ...]] = []  # filed when somebody reads
        self._samples: dict[str, dict[int, float]] = defaultdict(dict)
        self._records: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Store rows; the same series and time again replaces, a value that is no number is not."""
        with self._lock:
            self._fresh.append(tuple(samples))

    def _filed(self) -> dict[str, dict[int, float]]:
        """File what is new, and give all series; the lock is held."""
        series = self._samples
        for samples in self._fresh:
            for name, at_s, value in samples:
                if isfinite(value) and isfinite(at_s):
                    series[name][round(at_s * 1000)] = float(value)
        self._fresh.clear()
        return series

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Store one record."""
        with self._lock:
            self._records[kind].append((round(at_s * 1000), body))

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None = None
    ) -> list[tuple[float, float]]:
        """Read `[start_s, end_s)`; with a step its means, stamped at step starts.

        Raises: ValueError if the step is shorter than a millisecond.
        """
        start_ms, end_ms = round(start_s * 1000), round(end_s * 1000)
        with self._lock:
            rows = sorted(self._filed().get(series, {}).items())
        inside = [(at_ms, value) for at_ms, value in rows if start_ms <= at_ms < end_ms]
        if step_s is None:
            return [(at_ms / 1000.0, value) for at_ms, value in inside]
        step_ms = checked_step_ms(step_s)
        buckets: dict[int, list[float]] = defaultdict(list)
        for at_ms, value in inside:
            buckets[(at_ms - start_ms) // step_ms].append(value)
        return [(start_s + k * step_s, fsum(values) / len(values)) for k, values in buckets.items()]

    def last(self, series: str) -> tuple[float, float] | None:
        """Read the newest row of a series."""
        with self._lock:
            rows = self._filed().get(series)
            if not rows:
                return None
            newest = max(rows)
            return newest / 1000.0, rows[newest]

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read the records of one kind in `[start_s, end_s)`, oldest first."""
        start_ms, end_ms = round(start_s * 1000), round(end_s * 1000)
        with self._lock:
            rows = sorted(self._records.get(kind, ()), key=lambda row: row[0])
        return [(at_ms / 1000.0, body) for at_ms, body in rows if start_ms <= at_ms < end_ms]

    def series(self) -> list[str]:
        """List the names of all series."""
        with self._lock:
            return sorted(name for name, rows in self._filed().items() if rows)

    def problem(self) -> str:
        """Tell that nothing is wrong: memory takes everything."""
        return ""

    def flush(self, timeout_s: float = 5.0) -> bool:  # noqa: ARG002 - nothing is ever under way
        """Tell that all is stored."""
        return True

    def close(self) -> None:
        """Forget nothing; there is nothing to let go of."""


def checked_step_ms(step_s: float) -> int:
    """Turn a step into milliseconds.

    Raises: ValueError if it is shorter than one.
    """
    step_ms = round(step_s * 1000)
    if step_ms < 1:
        raise ValueError(f"step_s is {step_s}; give a step of at least 0.001 s")
    return step_ms
