"""The whole house as one frozen value: what `system_config.json` says after all layers.

Only `loading.load` makes one that is also checked across its parts. Whoever needs the house in
other types converts from here; nothing in `config` knows who that is.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.base import Good, HeaterKw, Key, Part
from config.energy import Battery, Ev, Grid, Inverter, Limits, Pv, Tariff
from config.house_model import HouseModel
from config.loads import Load
from config.operation import (
    Influx,
    Models,
    Optimization,
    System,
    ThermalAnalysis,
    ThermalSettings,
    Topics,
)
from config.rooms import Relay, Room

PHASES = ("L1", "L2", "L3")


class SystemConfig(Part):
    """The house. Rooms and relays are mappings by key, so that every value has a stable path."""

    system: System
    rooms: Annotated[dict[Key, Room], Field(min_length=1), Good("at least one room by its key")]
    relays: dict[Key, Relay] = Field(default_factory=dict)
    room_power_ratings_kw: dict[Key, HeaterKw] = Field(default_factory=dict)
    battery: Battery = Battery()
    inverter: Inverter = Inverter()
    pv: Pv = Pv()
    tariff: Tariff
    grid: Grid = Grid()
    limits: Limits = Limits()
    thermal_settings: ThermalSettings
    thermal_analysis: ThermalAnalysis = ThermalAnalysis()
    optimization: Optimization = Optimization()
    models: Models = Models()
    topics: Topics = Topics()
    ev: Ev = Ev()
    loads: dict[Key, Load] = Field(default_factory=dict)
    influx: Influx = Influx()
    house_model: HouseModel = HouseModel()

    @property
    def heating_kw(self) -> float:
        """Effective power of all relays together."""
        return round(sum(relay.power.effective_kw for relay in self.relays.values()), 6)

    @property
    def nameplate_kw(self) -> float:
        """Printed power of all relays together; a relay without one counts its effective power."""
        powers = (relay.power for relay in self.relays.values())
        return round(sum(power.nameplate_kw or power.effective_kw for power in powers), 6)

    @property
    def links(self) -> tuple[tuple[str, str, str], ...]:
        """Neighbouring rooms, each pair once: `(room, room, open|door|wall|floor)`, sorted."""
        pairs = {
            (min(room, other), max(room, other)): between
            for room, part in self.rooms.items()
            for other, between in part.neighbours.items()
        }
        return tuple((a, b, between) for (a, b), between in sorted(pairs.items()))

    def phase_kw(self, *, nameplate: bool = False) -> dict[str, float]:
        """Heating power per phase with every relay on."""
        return {
            phase: sum(relay.kw_on(phase, nameplate=nameplate) for relay in self.relays.values())
            for phase in PHASES[: self.grid.phases]
        }
