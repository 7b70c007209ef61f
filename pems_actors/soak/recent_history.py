"""A history for stories of many days: it keeps the newest, and counts the records it let go."""

from __future__ import annotations

from collections.abc import Sequence

from pems_actors.domain.units import DAY_S
from pems_actors.gateways.memory_history import MemoryHistory


class RecentHistory(MemoryHistory):
    """Keeps one to two days; nobody in a story looks further back."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = 0  # records
        self._cleared_s = float("-inf")

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Store rows."""
        super().append(samples)
        if samples:
            self._let_go_before(samples[0][1] - DAY_S)

    def _let_go_before(self, at_s: float) -> None:
        """Let go of what is older, once a day."""
        if at_s < self._cleared_s + DAY_S:
            return
        self._cleared_s, at_ms = at_s, round(at_s * 1000)
        with self._lock:
            for series, rows in self._filed().items():
                self._samples[series] = {ms: value for ms, value in rows.items() if ms >= at_ms}
        for kind, records in self._records.items():
            kept = [record for record in records if record[0] >= at_ms]
            self.let_go += len(records) - len(kept)
            self._records[kind] = kept
