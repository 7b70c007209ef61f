"""Six fortnights over the year, and the short spans for a quick look.

Each begins at midnight UTC. March and October hold the days with 23 and 25 hours.
"""

from __future__ import annotations

from dataclasses import dataclass

from pems_actors.domain.units import DAY_S, seconds

WINTER, SHOULDER, SUMMER = "winter", "shoulder", "summer"
RUN_IN_DAYS = 2.0


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of the year. Before it, `run_in_days` pass by rules, the same for everybody."""

    name: str
    season: str
    begins: str
    days: int = 14
    run_in_days: float = RUN_IN_DAYS

    @property
    def start_s(self) -> float:
        """When counting begins."""
        return seconds(self.begins if "T" in self.begins else f"{self.begins}T00:00:00Z")

    @property
    def end_s(self) -> float:
        """When counting ends."""
        return self.start_s + self.days * DAY_S

    @property
    def awake_s(self) -> float:
        """When the house wakes up: the run-in begins."""
        return self.start_s - self.run_in_days * DAY_S


FORTNIGHTS = (
    Span("january", WINTER, "2023-01-16"),
    Span("march", SHOULDER, "2023-03-20"),
    Span("october", SHOULDER, "2023-10-23"),
    Span("december", WINTER, "2023-11-27"),
    Span("february", WINTER, "2023-02-13"),
    Span("july", SUMMER, "2023-07-03"),
)
"""In the order in which a shortened run takes them: winter and shoulder first."""
