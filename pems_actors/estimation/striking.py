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


def restamped(reading: HouseReading, by_s: float) -> HouseReading:
    """Move a picture to another clock: it was stamped just before the clock was set."""
    battery, inverter, meter = reading.battery, reading.inverter, reading.meter
    outdoor = reading.outdoor
    return replace(
        reading,
        at_s=reading.at_s + by_s,
        rooms=tuple(room._replace(at_s=room.at_s + by_s) for room in reading.rooms),
        battery=battery and battery._replace(at_s=battery.at_s + by_s),
        inverter=inverter and inverter._replace(at_s=inverter.at_s + by_s),
        meter=meter and meter._replace(at_s=meter.at_s + by_s),
        outdoor=outdoor and outdoor._replace(at_s=outdoor.at_s + by_s),
    )


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
    low, high = ROOM_C.low, ROOM_C.high
    rooms = tuple(
        [
            room  # the usual one, without a call
            if room.temp_c is not None and low <= room.temp_c <= high and room.floor_c is None
            else _sound_room(room)
            for room in reading.rooms
        ]
    )
    battery = reading.battery and _sound_battery(reading.battery)
    inverter = reading.inverter and _sound_inverter(reading.inverter)
    meter = reading.meter and _sound_meter(reading.meter)
    odd = []
    if rooms != reading.rooms:
        odd += [r.room for r, s in zip(reading.rooms, rooms, strict=True) if r is not s]
    odd += ["battery"] if battery is not reading.battery else []
    odd += ["inverter"] if inverter is not reading.inverter else []
    odd += ["meter"] if meter is not reading.meter else []
    if not odd:
        return reading, ()
    sound = replace(reading, rooms=rooms, battery=battery, inverter=inverter, meter=meter)
    return sound, tuple(odd)


def _is_sound(sensor: Sensor, value: float | None) -> bool:
    return value is None or sensor.low <= value <= sensor.high  # no comparison holds for NaN


def _sound_room(room: RoomReading) -> RoomReading:
    temp_c, floor_c = room.temp_c, room.floor_c
    if (temp_c is None or ROOM_C.low <= temp_c <= ROOM_C.high) and (
        floor_c is None or _is_sound(FLOOR_C, floor_c)
    ):
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
