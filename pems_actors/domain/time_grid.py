"""Time slots in UTC, safe over daylight saving: a local day has 92, 96 or 100 quarter hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from operator import le
from typing import TYPE_CHECKING

from pems_actors.domain.units import HOUR_S, QUARTER_S

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class TimeGrid:
    """Consecutive slots given by their edges: `edges_s` has one entry more than there are slots.

    Raises: ValueError if there is no slot or the edges do not rise.
    """

    edges_s: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse grids that are not a rising sequence of edges."""
        if len(self.edges_s) < 2 or any(map(le, self.edges_s[1:], self.edges_s)):
            raise ValueError("a time grid needs at least two rising edges")

    def __len__(self) -> int:
        """Count the slots."""
        return len(self.edges_s) - 1

    @property
    def start_s(self) -> float:
        """Start of the first slot."""
        return self.edges_s[0]

    @property
    def end_s(self) -> float:
        """End of the last slot."""
        return self.edges_s[-1]

    @cached_property
    def durations_s(self) -> tuple[float, ...]:
        """Length of each slot [s]."""
        return tuple(b - a for a, b in pairwise(self.edges_s))

    @cached_property
    def starts_s(self) -> tuple[float, ...]:
        """Start of each slot."""
        return self.edges_s[:-1]

    @classmethod
    def uniform(cls, start_s: float, slots: int, step_s: float = QUARTER_S) -> TimeGrid:
        """Make `slots` equal slots from `start_s`."""
        return cls(tuple([start_s + step_s * k for k in range(slots + 1)]))

    @classmethod
    def local_day(cls, day: date, zone: ZoneInfo, step_s: float = QUARTER_S) -> TimeGrid:
        """Make the quarter hours of one local day: 92, 96 or 100 of them."""
        first = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        after = day + timedelta(days=1)
        last = datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()
        return cls.uniform(first, round((last - first) / step_s), step_s)

    @classmethod
    def planning(cls, now_s: float, horizon_s: float = 48 * HOUR_S) -> TimeGrid:
        """Make the planner's grid: fine near, coarse far, with edges on price edges.

        Slots of 15 min for 4 h, then 30 min to 12 h, then 60 min; the first slot may be short so
        that all edges lie on quarter hours, and each coarser part begins on its own full step.
        48 h give 68 slots (up to 71 where `now_s` is off the hour).
        """
        parts = ((4 * HOUR_S, QUARTER_S), (12 * HOUR_S, 2 * QUARTER_S), (horizon_s, HOUR_S))
        edges = [now_s]
        for reach_s, step_s in parts:
            until_s = now_s + min(reach_s, horizon_s)
            while edges[-1] < until_s:
                quarters_left = -edges[-1] % step_s  # finer slots lead up to a full step
                edges.append(
                    edges[-1] + (QUARTER_S if quarters_left else step_s) - edges[-1] % QUARTER_S
                )
        return cls(tuple(edges))
