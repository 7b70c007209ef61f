"""A small house and instants for the gateways' tests."""

from __future__ import annotations

from pems_actors.domain.commands import SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import (
    BatteryMode,
    Comfort,
    Emitter,
    House,
    HouseModel,
    Relay,
    Room,
    RoomModel,
    Site,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    RoomReading,
)

NOW_S = 1_768_474_800.0  # 2026-01-15 11:00 UTC, noon in Prague
MINUTE_S = 60.0
LEASE_S = 900.0


def two_rooms() -> House:
    """Two rooms on one relay, as the living room and the kitchen, and a bedroom on its own."""
    rooms = ("obyvak", "kuchyne", "loznice")
    relays = {"obyvak": "obyvak", "kuchyne": "obyvak", "loznice": "loznice"}
    return House(
        name="two relays",
        site=Site(49.5, 17.4),
        rooms=tuple(Room(room, relays[room], Comfort()) for room in rooms),
        relays=(
            Relay("obyvak", 4.57, 4.8, (("obyvak", 0.625), ("kuchyne", 0.375))),
            Relay("loznice", 1.14, 1.2, (("loznice", 1.0),)),
        ),
        model=HouseModel(tuple(_model(room) for room in rooms)),
    )


def _model(room: str) -> RoomModel:
    return RoomModel(room, Emitter.FLOOR, 0.6, 0.5, 4.0, 0.2, 0.3, 0.02, 0.03)


def reading(at_s: float = NOW_S) -> HouseReading:
    """Everything that a house can say."""
    return HouseReading(
        at_s=at_s,
        rooms=(
            RoomReading("obyvak", at_s, 21.4, relay_on=True, floor_c=26.0, window_open=False),
            RoomReading("kuchyne", at_s, 21.1, relay_on=True),
            RoomReading("loznice", at_s, None, relay_on=False),
        ),
        battery=BatteryReading(at_s, 0.56, 1.5, BatteryMode.SELF_USE, 18.0),
        inverter=InverterReading(at_s, 3.2, export_allowed=True),
        meter=MeterReading(at_s, -0.7, 4.0, (-0.1, -0.2, -0.4)),
        outdoor=OutdoorReading(at_s, -3.25, 120.0),
        heating_blocked=False,
    )


def heat(
    relay: str, at_s: float = NOW_S, *, on: bool = True, lease_s: float = LEASE_S
) -> SetHeating:
    return SetHeating(relay, on, "cold", Level.RULES, at_s, at_s + lease_s, 21.5)


def battery(
    mode: BatteryMode,
    at_s: float = NOW_S,
    rate_kw: float | None = None,
    stop_soc_frac: float | None = None,
) -> SetBatteryMode:
    return SetBatteryMode(mode, "plan", Level.PLAN, at_s, at_s + LEASE_S, rate_kw, stop_soc_frac)


def export(at_s: float = NOW_S, *, allowed: bool) -> SetExport:
    return SetExport(allowed, "price below the fee", Level.PLAN, at_s, at_s + LEASE_S)
