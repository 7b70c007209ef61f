"""A `History` that keeps nothing: the plant has its own record, and a year would fill memory."""

from __future__ import annotations

from collections.abc import Sequence


class NothingKept:
    """Takes every row and forgets it."""

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Forget rows."""

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Forget a record."""

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None = None
    ) -> list[tuple[float, float]]:
        """Give no rows."""
        del series, start_s, end_s, step_s
        return []

    def last(self, series: str) -> tuple[float, float] | None:
        """Give no row."""
        del series
        return None

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Give no records."""
        del kind, start_s, end_s
        return []

    def problem(self) -> str:
        """Nothing keeps it from forgetting."""
        return ""

    def close(self) -> None:
        """Nothing to let go of."""
