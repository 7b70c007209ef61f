"""Rooms and relays as people know them: what heats which room, and which comfort is wished.

A room is told apart from the relay that heats it, because one relay may heat two rooms and a
climate entity is told a set-point where a relay is switched. Times are local hours.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.base import (
    Good,
    HeaterKw,
    HourOfDay,
    Key,
    Part,
    PartShare,
    Share,
    Text,
)

DayC = Annotated[float, Field(ge=15, le=35), Good("15 to 35 °C, usually 19 to 23")]
NightC = Annotated[float, Field(ge=10, le=30), Good("10 to 30 °C, usually 1 to 2 below the day")]
BandK = Annotated[float, Field(ge=0.1, le=5), Good("0.1 to 5 K, usually 0.5")]
Minutes = Annotated[float, Field(ge=0, le=240), Good("0 to 240 minutes, usually 10")]
Native = Literal["thermostat", "off", "keep"]
Between = Literal["open", "door", "wall", "floor"]


class Comfort(Part):
    """The comfort wish of one room: day and night temperature, and a band of ± `band_k`.

    `None` means "as in thermal_settings"; a loaded configuration has no `None` here any more.
    """

    day_c: DayC | None = None
    night_c: NightC | None = None
    band_k: BandK | None = None
    day_from_h: HourOfDay = 6.0
    day_until_h: HourOfDay = 22.0


class Thermal(Part):
    """What is believed of a room's heat before anything was measured.

    `ua_kw_k` is the heat loss to outdoors, `capacity_kwh_k` all of its mass, `solar_m2` the window
    area that counts (`solar_m2 * ghi / 1000` kW), `trust` how firmly a fit is held to all this.
    """

    ua_kw_k: Annotated[float, Field(gt=0, le=2), Good("kW per K, usually 0.005 to 0.1")] | None = (
        None
    )
    capacity_kwh_k: (
        Annotated[float, Field(gt=0, le=100), Good("kWh per K, usually 0.3 to 10")] | None
    ) = None
    solar_m2: Annotated[float, Field(ge=0, le=50), Good("0 to 50 m², usually 0 to 2")] = 0.0
    internal_kw: Annotated[float, Field(ge=0, le=5), Good("0 to 5 kW, usually 0.02 to 0.2")] = 0.0
    trust: Share = 0.3


class Sensor(Part):
    """The room's thermometer: its reading is corrected by adding `offset_k`."""

    offset_k: Annotated[float, Field(ge=-5, le=5), Good("-5 to 5 K, usually near 0")] = 0.0
    resolution_k: Annotated[float, Field(ge=0, le=2), Good("0 to 2 K, usually 0.1")] = 0.1


class Room(Part):
    """One room.

    `relay` names the relay that heats it: its own key or another room's. `actuator` says how the
    heating is told: `relay` is switched, `climate` is sent set-points, `none` is not heated.
    `neighbours` names the rooms beside, above or below and what is between; one side is enough.
    """

    title: Text | None = None
    relay: Key | None = None
    actuator: Literal["relay", "climate", "none"] = "relay"
    emitter: Literal["floor", "panel"] = "floor"
    zone: Text = "living"
    storey: Annotated[int, Field(ge=-2, le=20), Good("0 for the ground floor, 1 above it")] = 0
    volume_m3: Annotated[float, Field(gt=0, le=2000), Good("cubic metres, usually 10 to 100")] = (
        35.0
    )
    windows: bool = True
    outer_wall: bool = True
    bath: bool = False
    neighbours: dict[Key, Between] = Field(default_factory=dict)
    comfort: Comfort = Comfort()
    thermal: Thermal = Thermal()
    sensor: Sensor = Sensor()


class RelayPower(Part):
    """Power of a relay: `effective_kw` counts in plans and limits, `nameplate_kw` is printed."""

    effective_kw: HeaterKw
    nameplate_kw: HeaterKw | None = None

    @property
    def largest_kw(self) -> float:
        """The larger of both: what a breaker must be able to carry."""
        return max(self.effective_kw, self.nameplate_kw or 0.0)


class Relay(Part):
    """One on/off heater. Its key is its owner room; `members` are the heated rooms and shares."""

    power: RelayPower
    members: Annotated[
        dict[Key, PartShare],
        Good('the heated rooms with their shares of the power, like {"bath": 1.0}'),
    ] = Field(default_factory=dict)
    phase: Literal["L1", "L2", "L3", "L123"] = "L1"
    min_on_minutes: Minutes = 10.0
    min_off_minutes: Minutes = 10.0
    max_starts_per_hour: Annotated[int, Field(ge=1, le=12), Good("1 to 12, usually 4")] = 4
    start_cost: Annotated[
        float,
        Field(ge=0, le=10),
        Good("the relay's price over its electrical life in the tariff's currency, like 0.005"),
    ] = 0.005
    native: Native = "thermostat"

    def kw_on(self, phase: str, *, nameplate: bool = False) -> float:
        """Power this relay draws from one phase while on."""
        total_kw = self.power.largest_kw if nameplate else self.power.effective_kw
        if self.phase == "L123":
            return total_kw / 3
        return total_kw if self.phase == phase else 0.0
