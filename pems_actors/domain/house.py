"""What the house is, as data: rooms, relays, battery, inverter, roofs, grid and their limits.

Filled from the configuration (`pems_actors.blueprint`), read by everybody. A `HouseModel` is the
thermal belief about the rooms: the twin, the planner, the validator and identification share the
type, each with its own parameters. The equations are in `physics/house_model.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from pems_actors.domain.flexible_load import FlexibleLoad


class Emitter(StrEnum):
    """Where a relay's heat enters the room."""

    FLOOR = "floor"  # all of it into the screed: the air answers after 1 to 3 h
    PANEL = "panel"  # into a light panel body: the air answers within minutes


class BatteryMode(StrEnum):
    """What a hybrid inverter can be told; powers follow from it (physics/battery_modes.py)."""

    SELF_USE = "self_use"
    HOLD = "hold"
    CHARGE_GRID = "charge_grid"
    SELL = "sell"


class Native(StrEnum):
    """What a device does by itself once nobody renews its lease."""

    THERMOSTAT = "thermostat"
    OFF = "off"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class RoomModel:
    """Thermal parameters of one room with three states: screed (or panel), air, structure.

    Capacities in kWh/K, conductances in kW/K. Air includes the furniture. Solar gain is
    `solar_m2 · ghi / 1000` kW into air and structure by halves; internal gain goes into the air.
    """

    name: str
    emitter: Emitter
    c_screed_kwh_k: float
    c_air_kwh_k: float
    c_structure_kwh_k: float
    g_screed_air_kw_k: float
    g_air_structure_kw_k: float
    g_air_outdoor_kw_k: float
    g_structure_outdoor_kw_k: float
    solar_m2: float = 0.0
    internal_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class HouseModel:
    """All rooms and the conductances between their structures: `(room a, room b, kW/K)`."""

    rooms: tuple[RoomModel, ...]
    links: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """One on/off relay. It has one owner (`name` is the owner room's) and heats its members.

    `members` are `(room, share of power)`, shares summing to 1. `power_kw` is the effective
    power used for planning and limits, `nameplate_kw` the printed one.
    """

    name: str
    power_kw: float
    nameplate_kw: float
    members: tuple[tuple[str, float], ...]
    phases: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    min_on_s: float = 600.0
    min_off_s: float = 600.0
    max_starts_per_h: int = 4
    start_cost: float = 0.005
    native: Native = Native.THERMOSTAT


@dataclass(frozen=True, slots=True)
class BatteryModel:
    """The battery behind the inverter. Efficiency is per leg; wear is paid on discharge."""

    capacity_kwh: float = 10.0
    max_charge_kw: float = 5.0
    max_discharge_kw: float = 5.0
    round_trip_frac: float = 0.85
    min_soc_frac: float = 0.10
    max_soc_frac: float = 0.90
    reserve_soc_frac: float = 0.10
    wear_per_kwh: float = 1.0

    @property
    def leg_frac(self) -> float:
        """Efficiency of one leg (charge or discharge)."""
        return float(self.round_trip_frac**0.5)


@dataclass(frozen=True, slots=True)
class InverterModel:
    """The hybrid inverter: its AC side is shared by PV and discharge."""

    ac_limit_kw: float = 10.0
    efficiency_frac: float = 0.95
    takes_powers: bool = False  # another rate at any time, not a few changes of mode a day
    max_mode_changes_per_day: int = 8
    max_writes_per_day: int = 40
    min_mode_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Roof:
    """One PV roof. Azimuth in compass degrees (180 is south)."""

    name: str
    power_kwp: float
    tilt_deg: float
    azimuth_deg: float
    losses_frac: float = 0.10


@dataclass(frozen=True, slots=True)
class Site:
    """Where the house stands, and its local time."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float = 250.0
    timezone: str = "Europe/Prague"


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits. Plan, tariff and user choose inside them."""

    breaker_a: float = 25.0
    phases: int = 3
    voltage_v: float = 230.0
    import_kw: float = 20.0
    export_kw: float = 10.0
    heating_kw: float = 18.12
    start_gap_s: float = 10.0
    frost_c: float = 7.0
    frost_predicted_c: float = 8.0
    building_floor_c: float = 12.0
    alarm_c: float = 15.0
    ceiling_c: float = 27.0
    floor_surface_c: float = 29.0
    bath_surface_c: float = 33.0
    base_load_p95_kw: float = 2.0

    @property
    def phase_kw(self) -> float:
        """Power that one phase carries under the main breaker."""
        return self.breaker_a * self.voltage_v / 1000.0

    @property
    def grid_kw(self) -> float:
        """Import limit with all phases balanced: the breaker's or the contract's, the smaller."""
        return min(self.import_kw, self.phase_kw * self.phases)


@dataclass(frozen=True, slots=True)
class Comfort:
    """The comfort wish of one room: set-points by local hour and a symmetric band."""

    day_c: float = 21.0
    night_c: float = 19.0
    day_from_h: float = 6.0
    day_until_h: float = 22.0
    band_k: float = 0.5


@dataclass(frozen=True, slots=True)
class Room:
    """A room as people know it: comfort, sensor, and whose relay heats it."""

    name: str
    relay: str | None  # None: nothing heats it
    comfort: Comfort
    zone: str = "living"
    bath: bool = False
    sensor_offset_k: float = 0.0
    sensor_resolution_k: float = 0.1


@dataclass(frozen=True, slots=True)
class House:
    """Everything that is known of this house before the first reading."""

    name: str
    site: Site
    rooms: tuple[Room, ...]
    relays: tuple[Relay, ...]
    model: HouseModel
    battery: BatteryModel = field(default_factory=BatteryModel)
    inverter: InverterModel = field(default_factory=InverterModel)
    roofs: tuple[Roof, ...] = ()
    limits: Limits = field(default_factory=Limits)
    loads: tuple[FlexibleLoad, ...] = ()

    def relay_of(self, room: str) -> Relay | None:
        """Find the relay that heats a room; None if nothing does."""
        for relay in self.relays:
            if any(member == room for member, _ in relay.members):
                return relay
        return None


def house_by(house: House, model: HouseModel | None) -> House:
    """The same house by another thermal model; None: by that of the configuration."""
    return house if model is None else replace(house, model=model)
