"""What the sensors of the simulated house say: the truth with noise, steps, offsets and faults.

A room's sensor says `truth − sensor_offset_k`, so that whoever adds the configured offset gets the
truth back. Noise belongs to the minute, so a reading taken twice is the same reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import Room
from pems_actors.domain.readings import OutdoorReading, RoomReading
from pems_actors.domain.units import DAY_S, MINUTE_S
from pems_actors.simulation.device_faults import DeviceFault, FaultKind
from pems_actors.simulation.randomness import generator

Array = npt.NDArray[np.float64]

NOISE_K = 0.04
OUTDOOR_NOISE_K = 0.1
_MINUTES = 1440


class Sensors:
    """Room sensors, ordered as the rooms given, and one outdoors."""

    def __init__(self, rooms: Sequence[Room], seed: int) -> None:
        self._seed = seed
        self._offset_k = np.array([room.sensor_offset_k for room in rooms])
        steps = np.array([room.sensor_resolution_k for room in rooms])
        self._step_k = np.where(steps > 0.0, steps, 1e-6)
        self._names = tuple(room.name for room in rooms)
        self._day = -1
        self._noise: Array = np.zeros((_MINUTES, len(rooms) + 1))

    def said(self, at_s: float, air_c: Array) -> list[float]:
        """Give the raw values of healthy room sensors [°C]."""
        raw = air_c - self._offset_k + self._noise_row(at_s)[:-1]
        said: list[float] = (np.rint(raw / self._step_k) * self._step_k).round(6).tolist()
        return said

    def outdoor_said(self, at_s: float, outdoor_c: float) -> float:
        """Give the raw value of a healthy outdoor sensor [°C]."""
        return round(outdoor_c + float(self._noise_row(at_s)[-1]), 1)

    def room_readings(
        self,
        at_s: float,
        air_c: Array,
        relay_on: Sequence[bool | None],
        faults: Mapping[str, DeviceFault],
    ) -> tuple[RoomReading, ...]:
        """Read all rooms; a room without an own relay has `relay_on` None."""
        said = self.said(at_s, air_c)
        readings = [
            RoomReading(name, at_s, temp_c, on)
            for name, temp_c, on in zip(self._names, said, relay_on, strict=True)
        ]
        if faults:
            for k, name in enumerate(self._names):
                fault = faults.get(f"rooms/{name}")
                if fault is not None:
                    readings[k] = _faulty(readings[k], fault)
        return tuple(readings)

    def outdoor_reading(
        self, at_s: float, outdoor_c: float, ghi_w_m2: float, faults: Mapping[str, DeviceFault]
    ) -> OutdoorReading:
        """Read the outdoor sensors."""
        said = self.outdoor_said(at_s, outdoor_c)
        fault = faults.get("outdoor")
        if fault is None:
            return OutdoorReading(at_s, said, round(ghi_w_m2, 1))
        stamp_s, value = _through(fault, at_s, said)
        return OutdoorReading(stamp_s, value, round(ghi_w_m2, 1))

    def _noise_row(self, at_s: float) -> Array:
        day = int(at_s // DAY_S)
        if day != self._day:
            shape = (_MINUTES, len(self._names) + 1)
            noise = generator(self._seed, "sensors", day).standard_normal(shape)
            noise[:, :-1] *= NOISE_K
            noise[:, -1] *= OUTDOOR_NOISE_K
            self._noise, self._day = noise, day
        row: Array = self._noise[int(at_s % DAY_S // MINUTE_S)]
        return row


def _through(fault: DeviceFault, at_s: float, said: float) -> tuple[float, float | None]:
    """Bend a sensor's time and value by its fault."""
    match fault.kind:
        case FaultKind.SENSOR_STALE:
            return fault.since_s, fault.held
        case FaultKind.SENSOR_STUCK:
            return at_s, fault.held
        case FaultKind.SENSOR_MISSING:
            return at_s, None
        case FaultKind.SENSOR_JUMP:
            return at_s, said + fault.amount
        case _:
            return at_s, said


def _faulty(reading: RoomReading, fault: DeviceFault) -> RoomReading:
    said = reading.temp_c if reading.temp_c is not None else 0.0
    stamp_s, value = _through(fault, reading.at_s, said)
    opened = True if fault.kind is FaultKind.WINDOW_OPEN else None
    return RoomReading(reading.room, stamp_s, value, reading.relay_on, None, opened)
