"""The gateway: takes each picture of the house apart and sends every part to whom it concerns.

It also keeps the beat: if the house stays silent, rooms and devices still get their ticks, with
nothing read in them, so that each can fall back by its own rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pems_actors.actors.base import (
    BATTERY,
    ESTIMATOR,
    GUARD,
    HISTORY,
    INVERTER,
    LOAD,
    METER,
    POWER_BUDGET,
    PV,
    HouseActor,
    Samples,
    room_address,
)
from pems_actors.control.outdoor import OutdoorBelief
from pems_actors.domain.events import EnergyTick, LoadSample, PvSample, RoomTick, Tick
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.economics.tariff import Tariff
from supervision import Context, Health

LOOK_AHEAD_S = 3 * HOUR_S


@dataclass(frozen=True, slots=True)
class GatewayMind:
    """What the gateway remembers: the outdoor belief and when it last heard anything."""

    outdoor: OutdoorBelief = field(default_factory=OutdoorBelief)
    heard_s: float = float("-inf")
    ticked_s: float = float("-inf")
    silent: bool = False


class GatewayActor(HouseActor):
    """Fans the pictures of the house out; whoever owns the port tells them to this address."""

    state: GatewayMind

    def __init__(self, context: Context, house: House, tariff: Tariff, tick_s: float) -> None:
        super().__init__(context)
        self.house, self.tariff, self.tick_s = house, tariff, tick_s
        self.timetable = (-1.0, False, 1.0)  # quarter hour, blocked in it, share free after it
        self.offsets_k = {r.name: r.sensor_offset_k for r in house.rooms if r.sensor_offset_k}
        self.power_kw = {relay.name: relay.power_kw for relay in house.relays}

    def on_start(self) -> None:
        """Begin to listen; the clock of a silent house runs from now on."""
        super().on_start()
        self.after(2.5 * self.tick_s, Tick())

    def first_state(self) -> GatewayMind:
        """Begin with nothing known."""
        return GatewayMind()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case HouseReading():
                self._on_reading(message)
            case WeatherForecast():
                outdoor = replace(self.state.outdoor, forecast=message)
                self.state = replace(self.state, outdoor=outdoor)
            case Tick():
                self._on_silence()
            case _:
                return super().on_receive(message)
        return None

    def _on_reading(self, raw: HouseReading) -> None:
        reading = self._corrected(raw)
        outdoor = self.state.outdoor.heard(reading.outdoor)
        self.state = replace(
            self.state, outdoor=outdoor, heard_s=reading.at_s, ticked_s=reading.at_s, silent=False
        )
        self._fan_out(reading)
        self.tell(GUARD, reading)
        self.tell(ESTIMATOR, reading)
        self._tell_samples(reading)

    def _corrected(self, reading: HouseReading) -> HouseReading:
        """Add each thermometer's known offset, here and nowhere else."""
        if not self.offsets_k:
            return reading
        rooms = tuple(
            room
            if room.temp_c is None or room.room not in self.offsets_k
            else room._replace(temp_c=room.temp_c + self.offsets_k[room.room])
            for room in reading.rooms
        )
        return replace(reading, rooms=rooms)

    def _on_silence(self) -> None:
        """Beat in place of a house that has said nothing for two and a half ticks."""
        self.after(self.tick_s, Tick())
        now_s = self.now_s()
        if now_s - self.state.ticked_s < 2.5 * self.tick_s:
            return
        if not self.state.silent:
            self.health(Health.DEGRADED, "the house says nothing")
        self.state = replace(self.state, silent=True)
        self._fan_out(HouseReading(now_s))

    def _fan_out(self, reading: HouseReading) -> None:
        now_s = reading.at_s
        outdoor = self.state.outdoor.at(now_s, self.house.site.timezone)
        blocked, available = self._blocks(reading)
        by_room = {room.room: room for room in reading.rooms}
        for room in self.house.rooms:
            tick = RoomTick(now_s, by_room.get(room.name), outdoor, blocked, available)
            self.tell(room_address(room.name), tick)
        energy = EnergyTick(now_s, reading.battery, reading.inverter, reading.meter)
        for address in (BATTERY, INVERTER, METER, POWER_BUDGET):
            self.tell(address, energy)

    def _blocks(self, reading: HouseReading) -> tuple[bool, float]:
        """The live contact is the truth; the timetable is the forecast."""
        quarter = reading.at_s // QUARTER_S
        if quarter != self.timetable[0]:
            steps = range(int(LOOK_AHEAD_S / QUARTER_S) + 1)
            blocked = [self.tariff.blocked((quarter + k) * QUARTER_S) for k in steps]
            self.timetable = (quarter, blocked[0], 1.0 - sum(blocked[1:]) / len(blocked[1:]))
        _, timetabled, available = self.timetable
        live = reading.heating_blocked
        return timetabled if live is None else live, available

    def _tell_samples(self, reading: HouseReading) -> None:
        meter, inverter, battery = reading.meter, reading.inverter, reading.battery
        rows = [
            (f"temp_c.{r.room}", r.at_s, r.temp_c) for r in reading.rooms if r.temp_c is not None
        ]
        rows += [(f"relay.{r.room}", r.at_s, float(r.relay_on)) for r in reading.rooms
                 if r.relay_on is not None]  # fmt: skip
        if reading.outdoor is not None and reading.outdoor.temp_c is not None:
            rows.append(("outdoor_c", reading.at_s, reading.outdoor.temp_c))
        if meter is not None and meter.grid_kw is not None:
            rows.append(("grid_kw", meter.at_s, meter.grid_kw))
        if meter is not None and meter.load_kw is not None:
            rows.append(("load_kw", meter.at_s, meter.load_kw))
        if inverter is not None and inverter.pv_kw is not None:
            rows.append(("pv_kw", inverter.at_s, inverter.pv_kw))
            self.tell(PV, PvSample(inverter.at_s, inverter.pv_kw, self._curtailed(reading)))
        if battery is not None and battery.soc_frac is not None:
            rows.append(("soc_frac", battery.at_s, battery.soc_frac))
        if battery is not None and battery.power_kw is not None:
            rows.append(("battery_kw", battery.at_s, battery.power_kw))
        self.tell(LOAD, LoadSample(reading.at_s, self._base_load_kw(reading)))
        self.tell(HISTORY, Samples(tuple(rows)))

    def _base_load_kw(self, reading: HouseReading) -> float | None:
        """House load without our own relays; unknown if any relay is."""
        if reading.meter is None or reading.meter.load_kw is None:
            return None
        heating_kw = 0.0
        for room in reading.rooms:
            power_kw = self.power_kw.get(room.room)
            if power_kw is None:
                continue
            if room.relay_on is None:
                return None
            heating_kw += power_kw * room.relay_on
        return max(0.0, reading.meter.load_kw - heating_kw)

    def _curtailed(self, reading: HouseReading) -> bool:
        full = reading.battery is not None and (reading.battery.soc_frac or 0.0) > (
            self.house.battery.max_soc_frac - 0.02
        )
        inverter = reading.inverter
        closed = inverter is not None and inverter.export_allowed is False
        at_limit = inverter is not None and (inverter.pv_kw or 0.0) > (
            0.97 * self.house.inverter.ac_limit_kw
        )
        return (full and closed) or at_limit
