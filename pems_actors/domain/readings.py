"""What the devices say. A house gives one `HouseReading` per tick: a frozen picture of it all.

A missing value is `None`. Signs are the house's: import and discharge are positive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pems_actors.domain.flexible_load import LoadReading
from pems_actors.domain.house import BatteryMode


class Quality(StrEnum):
    """How far a value may be trusted."""

    GOOD = "good"
    ESTIMATED = "estimated"
    STALE = "stale"
    MISSING = "missing"


class RoomReading(NamedTuple):
    """One room's sensor and its relay contact, as read."""

    room: str
    at_s: float
    temp_c: float | None
    relay_on: bool | None = None
    floor_c: float | None = None
    window_open: bool | None = None


class BatteryReading(NamedTuple):
    """Battery state; `power_kw` is positive when it feeds the house."""

    at_s: float
    soc_frac: float | None
    power_kw: float | None
    mode: BatteryMode | None = None
    temp_c: float | None = None


class InverterReading(NamedTuple):
    """PV production and the export switch."""

    at_s: float
    pv_kw: float | None
    export_allowed: bool | None = None


class MeterReading(NamedTuple):
    """The grid meter: total and per phase (import positive), and the whole house load."""

    at_s: float
    grid_kw: float | None
    load_kw: float | None = None
    phase_kw: tuple[float, float, float] | None = None


class OutdoorReading(NamedTuple):
    """Outdoor sensors."""

    at_s: float
    temp_c: float | None
    ghi_w_m2: float | None = None


@dataclass(frozen=True, slots=True)
class HouseReading:
    """All readings of one tick. A device that said nothing is absent, not zero.

    `clock_trusted` is the gateway's word on the clock by which `at_s` was stamped.
    """

    at_s: float
    rooms: tuple[RoomReading, ...] = ()
    battery: BatteryReading | None = None
    inverter: InverterReading | None = None
    meter: MeterReading | None = None
    outdoor: OutdoorReading | None = None
    heating_blocked: bool | None = None  # the live HDO contact; None where there is none
    extra: tuple[tuple[str, float], ...] = field(default=())
    clock_trusted: bool = True
    loads: tuple[LoadReading, ...] = ()
