"""A picture of the house as it may be used: without nonsense, and without what was found untrue.

Values of sensors that are not believed become unknown, and windows are as they were found, so that
nobody further on has to know what is doubted and why.
"""

from __future__ import annotations

from dataclasses import replace

from pems_actors.domain.findings import Inspected
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    RoomReading,
)
from pems_actors.estimation.freshness import FLOOR_C, POWER_KW, ROOM_C, SOC_FRAC, Sensor


def struck(reading: HouseReading, inspected: Inspected) -> HouseReading:
    """Strike out what is refused, and set windows as they were found."""
    if not (inspected.refused or inspected.windows):
        return reading
    rooms = tuple(_struck_room(room, inspected) for room in reading.rooms)
    return replace(reading, rooms=rooms)


def _struck_room(room: RoomReading, inspected: Inspected) -> RoomReading:
    if room.room in inspected.refused:
        room = room._replace(temp_c=None)
    is_open = inspected.windows.get(room.room)
    return room if is_open is None else room._replace(window_open=is_open)


def sound_reading(reading: HouseReading) -> tuple[HouseReading, tuple[str, ...]]:
    """Take out of a picture what no sensor of its kind can say.

    Returns: the picture with unknowns in place of nonsense, and the names of what was nonsense.
    """
    rooms = tuple(map(_sound_room, reading.rooms))
    battery, inverter, meter = reading.battery, reading.inverter, reading.meter
    sound = replace(
        reading,
        rooms=rooms,
        battery=battery and _sound_battery(battery),
        inverter=inverter and _sound_inverter(inverter),
        meter=meter and _sound_meter(meter),
    )
    odd = [r.room for r, s in zip(reading.rooms, rooms, strict=True) if r is not s]
    odd += [name for name in ("battery", "inverter", "meter")
            if getattr(reading, name) is not getattr(sound, name)]  # fmt: skip
    return (sound, tuple(odd)) if odd else (reading, ())


def _is_sound(sensor: Sensor, value: float | None) -> bool:
    return value is None or sensor.low <= value <= sensor.high  # no comparison holds for NaN


def _sound_room(room: RoomReading) -> RoomReading:
    if _is_sound(ROOM_C, room.temp_c) and _is_sound(FLOOR_C, room.floor_c):
        return room
    return room._replace(
        temp_c=room.temp_c if _is_sound(ROOM_C, room.temp_c) else None,
        floor_c=room.floor_c if _is_sound(FLOOR_C, room.floor_c) else None,
    )


def _sound_battery(battery: BatteryReading) -> BatteryReading:
    if _is_sound(SOC_FRAC, battery.soc_frac) and _is_sound(POWER_KW, battery.power_kw):
        return battery
    return battery._replace(
        soc_frac=battery.soc_frac if _is_sound(SOC_FRAC, battery.soc_frac) else None,
        power_kw=battery.power_kw if _is_sound(POWER_KW, battery.power_kw) else None,
    )


def _sound_inverter(inverter: InverterReading) -> InverterReading:
    return inverter if _is_sound(POWER_KW, inverter.pv_kw) else inverter._replace(pv_kw=None)


def _sound_meter(meter: MeterReading) -> MeterReading:
    """A meter that says nonsense on one register is not believed on the others."""
    registers = (meter.grid_kw, meter.load_kw, *(meter.phase_kw or ()))
    if all(_is_sound(POWER_KW, kw) for kw in registers):
        return meter
    return MeterReading(meter.at_s, None)
