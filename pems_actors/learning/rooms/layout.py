"""Records laid out for a search: inputs, readings, means, and the states to begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pems_actors.learning.rooms.balance import Means
from pems_actors.learning.rooms.network import KINDS, Array, Layout
from pems_actors.learning.rooms.observer import Seen
from pems_actors.learning.rooms.records import RoomRecords

SETTLING_H = 24.0


def seen_of(records: RoomRecords, layout: Layout, *, alone: Sequence[int] | None = None) -> Seen:
    """Lay records out as inputs; `alone` names the room of each set, else all are one set."""
    count = len(records.index)
    outside = np.column_stack([records.outdoor_c, records.ghi_w_m2, np.ones(count)])[:, None]
    settling = np.zeros((count, 1, 1), bool)
    settling[: round(SETTLING_H / records.step_h)] = True
    first = np.zeros((count, 1, 1), bool)
    first[: round(SETTLING_H / 2.0 / records.step_h)] = True

    def arranged(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values[:, None] if alone is None else values[:, list(alone), None]

    heat = arranged(records.heat)
    parts = [heat, np.broadcast_to(outside, (count, heat.shape[1], 3))]
    if layout.rest:
        parts.append(arranged(rest_c(records)))
    if layout.blinds:
        parts.append(arranged(kept_out_w_m2(records)))
    return Seen(
        dt_h=records.step_h,
        inputs=np.concatenate(parts, axis=2),
        air_c=arranged(records.air_c),
        counts=arranged(records.counts) & ~settling,
        follows=arranged(records.follows) | first,
    )


def kept_out_w_m2(records: RoomRecords) -> Array:
    """Irradiance that each room's blinds keep out, (T, R)."""
    shade = np.zeros_like(records.air_c) if records.shade is None else records.shade
    return np.asarray(records.ghi_w_m2[:, None] * shade)


def whole_air(records: RoomRecords) -> Array:
    """Bridge holes of temperatures by straight lines, for what only needs their rough level."""
    air = records.air_c.copy()
    at = np.arange(len(air))
    for k in range(air.shape[1]):
        known = np.isfinite(air[:, k])
        air[:, k] = np.interp(at, at[known], air[known, k]) if known.any() else 20.0
    return air


def rest_c(records: RoomRecords) -> Array:
    """Mean of the other rooms, as each room sees it, (T, R)."""
    air = whole_air(records)
    others = max(1, air.shape[1] - 1)
    return np.asarray((air.sum(axis=1, keepdims=True) - air) / others)


def means_of(records: RoomRecords, *, alone: Sequence[int] | None = None) -> Means:
    """Average a record for the balances."""
    air = whole_air(records)
    day = max(1, min(len(air) // 3, round(24.0 / records.step_h)))
    hours = max(records.step_h, (len(air) - day) * records.step_h)
    rise = (air[-day:].mean(axis=0) - air[:day].mean(axis=0)) / hours
    rest = rest_c(records).mean(axis=0)

    def arranged(values: Array) -> Array:
        return values[None] if alone is None else values[list(alone), None]

    return Means(
        heat=arranged(records.heat.mean(axis=0)),
        air_c=arranged(air.mean(axis=0)),
        rest_c=arranged(rest),
        rise_k_h=arranged(rise),
        outdoor_c=np.array([[records.outdoor_c.mean()]]),
        ghi_w_m2=_mean_sun(records, arranged),
    )


def _mean_sun(records: RoomRecords, arranged: Callable[[Array], Array]) -> Array:
    """Mean irradiance; of each room by itself where blinds keep some of it out."""
    mean = records.ghi_w_m2.mean()
    if records.shade is None:
        return np.array([[mean]])
    return arranged(mean - kept_out_w_m2(records).mean(axis=0))


class Start:
    """States before the first reading: rooms held as they were through the first day."""

    def __init__(self, layout: Layout, seen: Seen) -> None:
        self._layout = layout
        r = layout.rooms
        hours = max(2, round(3.0 / seen.dt_h))
        day = max(2, round(24.0 / seen.dt_h))
        with np.errstate(invalid="ignore"):
            first = np.where(np.isfinite(seen.air_c), seen.air_c, np.nan)
        known = np.isfinite(first)
        usual = np.where(known, first, 0.0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
        early, heard = first[:hours], known[:hours]
        mean = np.where(heard, early, 0.0).sum(axis=0) / np.maximum(1, heard.sum(axis=0))
        self._air = np.where(heard.any(axis=0), mean, usual)
        self._heat = seen.inputs[:hours, :, :r].mean(axis=0)
        self._outdoor = seen.inputs[:day, :, r].mean(axis=0)[:, None]

    def __call__(self, theta: Array) -> Array:
        """Give the states for each set, (sets, 4R)."""
        r = self._layout.rooms
        values = self._layout.values(theta)[:, : KINDS * r].reshape(len(theta), r, KINDS)
        g_in, g_out = values[..., 4], values[..., 6]
        wall = (g_in * self._air + g_out * self._outdoor) / (g_in + g_out)
        over = np.clip(values[..., 9] * self._heat / values[..., 3], 0.0, 60.0)
        return np.concatenate([self._air + over, self._air, wall, 0.0 * wall], axis=1)
