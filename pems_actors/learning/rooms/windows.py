"""Hours that belong to no model: a window stood open, a stove was lit, a sensor was moved.

Seen by surprises, single ones or several in a row, far beyond what is usual in that room and that
do not announce themselves in the inputs. From just before until two hours after, the room is only
followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pems_actors.learning.rooms.network import Array
from pems_actors.learning.rooms.observer import Flags, Seen

_USUAL_TIMES = (5.0, 7.0, 10.0)
_ROWS, _LONGEST_H = (1, 2, 4), 1.0  # surprises of one sign that are added up
_LEAST_K_H = 0.8  # a smaller surprise per hour of the step is nothing strange
_BEFORE_H, _AFTER_H = 0.25, 2.0
_MOST_FRAC = 0.15


def strange_hours(
    surprise_k: Array, sigma_k: Array, dt_h: float, *, hindsight: bool = True
) -> Flags:
    """Find steps to leave out.

    Args:
        surprise_k: (T, ...), NaN where nothing was said.    sigma_k: usual ones, (...).
        hindsight: whether the time before it was noticed is left out too.
    Returns: flags (T, ...). Of a room that would lose more than a seventh only what is stranger
        still is left out, or nothing: there the model is what is strange.
    """
    surprise = np.nan_to_num(surprise_k)
    chosen = np.zeros(surprise.shape, bool)
    waiting = np.ones(surprise.shape[1:], bool)
    rows = [each for each in _ROWS if each == 1 or each * dt_h <= _LONGEST_H]
    least_k = _LEAST_K_H * max(0.25, dt_h)
    for times in _USUAL_TIMES:
        wild = _wild(surprise, sigma_k, times, rows, least_k, hindsight=hindsight)
        flags = _spread(wild, dt_h, hindsight)
        bearable = waiting & (flags.mean(axis=0) <= _MOST_FRAC)
        chosen |= flags & bearable
        waiting &= ~bearable
    return chosen


def _wild(
    surprise: Array,
    sigma_k: Array,
    times: float,
    several: Sequence[int],
    least_k: float,
    *,
    hindsight: bool,
) -> Flags:
    wild = np.zeros(surprise.shape, bool)
    for rows in several:
        total = surprise.copy()
        for lag in range(1, rows):
            total[lag:] += surprise[:-lag]
        usual = np.maximum(1.4826 * np.median(np.abs(total), axis=0), rows**0.5 * sigma_k)
        found = np.abs(total) > np.maximum(times * usual, least_k * rows**0.5)
        wild |= found
        if hindsight:
            for lag in range(1, rows):
                wild[:-lag] |= found[lag:]
    return wild


def _spread(wild: Flags, dt_h: float, hindsight: bool) -> Flags:
    spread = wild.copy()
    for lag in range(1, int(np.ceil(_AFTER_H / dt_h)) + 1):
        spread[lag:] |= wild[:-lag]
    if hindsight:
        for lead in range(1, int(np.ceil(_BEFORE_H / dt_h)) + 1):
            spread[:-lead] |= wild[lead:]
    return spread


def without(seen: Seen, strange: Flags) -> Seen:
    """Follow strange hours, and let them count for nothing."""
    return replace(seen, counts=seen.counts & ~strange, follows=seen.follows | strange)
