"""When heating is blocked in the day ahead: the tariff's hours as rooms need them.

The live contact is the truth; this is the forecast.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.economics.tariff import Tariff

LOOK_AHEAD_S = 3 * HOUR_S
QUARTERS_OF_A_DAY = 96


class Timetable(NamedTuple):
    """What the tariff blocks from a quarter hour on: in it, of the next hours, and spans."""

    quarter: float
    blocked: bool
    available_frac: float  # of the 3 h after it
    blocks: tuple[tuple[float, float], ...]  # of a day


UNREAD = Timetable(-1.0, blocked=False, available_frac=1.0, blocks=())


def timetable_of(tariff: Tariff, quarter: float) -> Timetable:
    """Look a day ahead, once a quarter hour."""
    quarters = [quarter + k for k in range(QUARTERS_OF_A_DAY + 1)]
    blocked = [tariff.blocked(q * QUARTER_S) for q in quarters]
    soon = blocked[1 : int(LOOK_AHEAD_S / QUARTER_S) + 1]
    edges = [q for q, (one, two) in zip(quarters, pairwise([False, *blocked]), strict=True)
             if one != two]  # fmt: skip
    if blocked[-1]:
        edges.append(quarters[-1] + 1)
    ends = [q * QUARTER_S for q in edges]
    blocks = tuple(zip(ends[::2], ends[1::2], strict=True))
    return Timetable(quarter, blocked[0], 1.0 - sum(soon) / len(soon), blocks)
