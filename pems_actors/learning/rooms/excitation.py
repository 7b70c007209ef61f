"""A small planned excitation: set-points that wander a little, so that a room shows what it is.

A pure plan: one shift per slot, never more than half a kelvin, on average none. It is a sequence of
steps whose lengths are spread from the time in which air answers to that in which walls do; rooms
get different ones, so that neighbours can be told apart. Nobody heats here.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from random import Random
from zlib import crc32

from pems_actors.domain.excitation import Excitation
from pems_actors.domain.forecasts import PriceCurve, resample
from pems_actors.domain.house import Emitter, RoomModel
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, QUARTER_S

MOST_K = 0.5
_SHORTEST_H = {Emitter.FLOOR: 3.0, Emitter.PANEL: 1.0}
_LONGEST_H = 12.0
_WORDS = 5  # lengths of steps between the shortest and the longest


def excitation(
    rooms: Sequence[RoomModel],
    start_s: float,
    days: float,
    *,
    most_k: float = MOST_K,
    step_s: float = 900.0,
    forbidden: Sequence[bool] = (),
    seed: int = 0,
) -> tuple[Excitation, ...]:
    """Plan shifts for the rooms that are to show more of themselves.

    Args:
        most_k: largest shift either way.    forbidden: slots in which nobody may be disturbed
            (blocks of the tariff, guests), from `start_s` on; none beyond its end.
        seed: which of the many plans; the same seed gives the same one.
    Raises: ValueError for a shift that people would feel, or less than a day.
    """
    if not 0.0 < most_k <= MOST_K:
        raise ValueError(
            f"an excitation of {most_k:g} K would be felt; give more than 0 and at most {MOST_K} K"
        )
    if days < 1.0:
        raise ValueError(f"{days:g} days show nothing of a house; give one or more, usually 3 to 7")
    slots = ceil(days * 86400.0 / step_s)
    return tuple(
        Excitation(
            room.name, start_s, step_s, _shifts(room, k, slots, step_s, most_k, forbidden, seed)
        )
        for k, room in enumerate(rooms)
    )


def _shifts(
    room: RoomModel,
    which: int,
    slots: int,
    step_s: float,
    most_k: float,
    forbidden: Sequence[bool],
    seed: int,
) -> tuple[float, ...]:
    """Draw up and down in pairs of equal length, so that the mean stays."""
    random = Random(f"{seed} {which} {room.name}")
    shortest = _SHORTEST_H[room.emitter]
    ratio = (_LONGEST_H / shortest) ** (1.0 / (_WORDS - 1))
    lengths = [max(1, round(shortest * ratio**k * 3600.0 / step_s)) for k in range(_WORDS)]
    shifts: list[float] = []
    while len(shifts) < slots:
        length, sign = random.choice(lengths), random.choice((1.0, -1.0))
        left = (slots - len(shifts)) // 2
        if left == 0:
            shifts.append(0.0)
            break
        length = min(length, left)
        shifts += [sign * most_k] * length + [-sign * most_k] * length
    quiet = list(forbidden[:slots]) + [False] * (slots - len(forbidden[:slots]))
    return tuple(0.0 if still else shift for shift, still in zip(shifts, quiet, strict=True))


def excited(room: RoomModel, now_s: float, for_s: float, prices: PriceCurve | None) -> Excitation:
    """Plan the shifts of one room from now on; not while the tariff blocks heating.

    Raises: ValueError for less than a day.
    """
    start_s = now_s - now_s % QUARTER_S
    grid = TimeGrid.uniform(start_s, ceil(for_s / QUARTER_S))
    blocked = (
        () if prices is None else resample(prices.grid, tuple(map(float, prices.blocked)), grid)
    )
    known = sum(at_s < prices.grid.end_s for at_s in grid.starts_s) if prices is not None else 0
    forbidden = [share > 0.0 for share in blocked[:known]]
    (plan,) = excitation([room], start_s, for_s / DAY_S, forbidden=forbidden, seed=_seed(room.name))
    return plan


def _seed(name: str) -> int:
    """Give rooms that are excited one by one plans of their own."""
    return crc32(name.encode())
