"""What a room model must beat: the last value, yesterday's curve, and an ARX of order twelve.

Same starts, same inputs, no temperature after the start. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ORDER = 12
_BEYOND_K = 10.0
_RIDGE = 1e-6


def last_value(air_c: Array, starts: Sequence[int], steps: int) -> Array:
    """Hold the last reading heard, (starts, steps, R)."""
    held = _carried(air_c)[np.asarray(starts)]
    return np.repeat(held[:, None], steps, axis=1)


def yesterday(air_c: Array, starts: Sequence[int], steps: int) -> Array:
    """Repeat the day before; what was missing then is the last reading, (starts, steps, R)."""
    rows = np.asarray(starts)[:, None] - steps + 1 + np.arange(steps)[None, :]
    before = np.where((rows >= 0)[..., None], air_c[np.maximum(rows, 0)], np.nan)
    return np.where(np.isfinite(before), before, last_value(air_c, starts, steps))


def arx(
    air_c: Array, inputs: Sequence[Array], until: int, starts: Sequence[int], steps: int
) -> Array:
    """Fit each room's next reading to twelve readings and twelve steps of inputs, and run it free.

    Args:
        air_c: (T, R).    inputs: each (T, R) or (T,): heat of the room, outdoors, sun.
        until: rows to learn from.
    Returns: (starts, steps, R).
    """
    count, rooms = air_c.shape
    whole = _carried(air_c)
    answers = np.empty((len(starts), steps, rooms))
    for k in range(rooms):
        own = [each if each.ndim == 1 else each[:, k] for each in inputs]
        drive = np.column_stack([np.ones(count), *(_lagged(each) for each in own)])
        weights = _fitted(air_c[:, k], drive, until)
        answers[:, :, k] = _free(whole[:, k], drive, weights, starts, steps)
    return answers


def _lagged(values: Array) -> Array:
    """Give the twelve values before each row, (T, 12), newest first."""
    return np.column_stack(
        [np.concatenate([np.full(lag, values[0]), values[:-lag]]) for lag in range(1, ORDER + 1)]
    )


def _fitted(air_c: Array, drive: Array, until: int) -> Array:
    rows = np.hstack([_lagged(air_c), drive])[ORDER:until]
    aim = air_c[ORDER:until]
    sound = np.isfinite(rows).all(axis=1) & np.isfinite(aim)
    if sound.sum() < rows.shape[1]:  # too little to fit: the last value
        return np.asarray(np.eye(rows.shape[1])[0])
    rows, aim = rows[sound], aim[sound]
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-9)
    rows = rows / scale
    square = rows.T @ rows + _RIDGE * np.eye(rows.shape[1])
    return np.asarray(np.linalg.solve(square, rows.T @ aim) / scale)


def _free(air_c: Array, drive: Array, weights: Array, starts: Sequence[int], steps: int) -> Array:
    rows = np.asarray(starts)
    past = np.stack([air_c[np.maximum(rows - lag, 0)] for lag in range(ORDER)], axis=1)
    low, high = np.nanmin(air_c) - _BEYOND_K, np.nanmax(air_c) + _BEYOND_K
    path = np.empty((len(rows), steps))
    for k in range(steps):
        after = past @ weights[:ORDER] + drive[rows + 1 + k] @ weights[ORDER:]
        path[:, k] = np.clip(after, low, high)
        past = np.concatenate([path[:, [k]], past[:, :-1]], axis=1)
    return path


def _carried(air_c: Array) -> Array:
    """Carry the last reading over holes; before the first one it is the first."""
    whole = air_c.copy()
    for k in range(air_c.shape[1]):
        known = np.flatnonzero(np.isfinite(air_c[:, k]))
        at = np.searchsorted(known, np.arange(len(air_c)), side="right") - 1
        whole[:, k] = air_c[known[np.maximum(at, 0)], k] if len(known) else 20.0
    return whole
