"""How comfortable a simulated house was, counted minute by minute.

`cold_kh = Σ rooms ∫ max(0, band floor − air) dt`; the band is the occupants' own
(`control/comfort.py`), whose floor rises over the 3 h before an upward step. Nothing here is known
to a controller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pems_actors.control.comfort import band_c
from pems_actors.domain.house import Comfort, Emitter, HouseModel, Room
from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.simulation.truth import surface_frac

Array = npt.NDArray[np.float64]

_MINUTES = 1440
_COUNTED = ("cold_kh", "warm_kh", "coldest_c", "floor_max_c")


class ComfortMeter:
    """Kelvin-hours outside the band, the coldest air and the warmest floor, by room.

    Rooms are ordered as in the model, temperatures as in `HouseDynamics`.
    """

    def __init__(self, rooms: Sequence[Room], model: HouseModel, believed: HouseModel) -> None:
        """Tabulate the bands over the minutes of a local day.

        model, believed: the true rooms, and what is believed of them (`floor_surface_frac`).
        """
        by_name = {room.name: room.comfort for room in rooms}
        bands = np.stack([_band_by_minute(by_name[room.name]) for room in model.rooms], axis=1)
        self._low_c: Array = np.ascontiguousarray(bands[:, :, 0])
        self._high_c: Array = np.ascontiguousarray(bands[:, :, 1])
        self._floor = np.array([room.emitter is Emitter.FLOOR for room in model.rooms])
        self._count = len(model.rooms)
        by_room = {room.name: room for room in believed.rooms}
        self.surface_frac = np.array(
            [surface_frac(room, by_room[room.name]) for room in model.rooms]
        )
        self.names = tuple(room.name for room in model.rooms)
        self.cold_kh: Array = np.zeros(self._count)
        self.warm_kh: Array = np.zeros(self._count)
        self.coldest_c: Array = np.full(self._count, np.inf)
        self.floor_max_c: Array = np.full(self._count, -np.inf)

    def add(self, local_h: float, temps_c: Array, dt_s: float) -> None:
        """Count one step.

        Args:
            local_h: local hour of the day.    temps_c: screed, air, structure, shape (3R,).
            dt_s: how long it lasted [s].
        """
        minute = int(local_h * 60.0) % _MINUTES
        air = temps_c[self._count : 2 * self._count]
        dt_h = dt_s / HOUR_S
        self.cold_kh += np.maximum(self._low_c[minute] - air, 0.0) * dt_h
        self.warm_kh += np.maximum(air - self._high_c[minute], 0.0) * dt_h
        np.minimum(self.coldest_c, air, out=self.coldest_c)
        surface = air + self.surface_frac * (temps_c[: self._count] - air)
        np.maximum(self.floor_max_c, surface, out=self.floor_max_c)

    def figures(self) -> dict[str, float]:
        """Sum up over all rooms; a house without heated floors has no `floor_max_c`."""
        figures = {
            "cold_kh": float(self.cold_kh.sum()),
            "warm_kh": float(self.warm_kh.sum()),
            "coldest_c": float(self.coldest_c.min()),
        }
        if self._floor.any():
            figures["floor_max_c"] = float(self.floor_max_c[self._floor].max())
        return figures

    def floors_c(self) -> dict[str, float]:
        """Give the warmest surface of each heated floor so far, by room [°C]."""
        return {
            name: float(self.floor_max_c[k]) for k, name in enumerate(self.names) if self._floor[k]
        }

    def to_plain(self) -> dict[str, object]:
        """Give plain data for a snapshot."""
        return {name: getattr(self, name).tolist() for name in _COUNTED}

    def load_plain(self, plain: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        for name in _COUNTED:
            setattr(self, name, np.array(plain[name], float))


@lru_cache(maxsize=256)
def _band_by_minute(comfort: Comfort) -> Array:
    """Tabulate a band over the minutes of a local day, shape (1440, 2) [°C].

    Remembered, because rooms share their wishes, and many houses are simulated one after the other.
    """
    return np.array([band_c(comfort, minute * MINUTE_S, "UTC") for minute in range(_MINUTES)])
