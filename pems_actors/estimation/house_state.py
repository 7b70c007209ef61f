"""From readings to the one frozen picture that planning starts from.

`Estimate` is the belief, `HouseEstimator` what follows from the house's description. Relays are
believed as their contacts say, else as they were last commanded. A battery that says nothing keeps
its last state of charge; one that was never heard is taken as empty, because a plan must not
promise energy that may not be there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pems_actors.control.floor import floors_of
from pems_actors.control.outdoor import OutdoorBelief
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.plan import HouseState, RelayHistory
from pems_actors.domain.readings import BatteryReading, HouseReading, OutdoorReading
from pems_actors.domain.units import DAY_S
from pems_actors.estimation.base_split import BaseSplit, Phases, base_by_phase
from pems_actors.estimation.freshness import IRRADIANCE_W_M2, ROOM_C, SOC_FRAC, FreshValue
from pems_actors.estimation.relay_history import Array, HeatSplit, resting, tracked
from pems_actors.estimation.thermal_filter import FilterState, ThermalFilter
from pems_actors.physics.house_model import HouseDynamics


@dataclass(frozen=True, slots=True)
class Storage:
    """What the battery was last heard to say."""

    soc: FreshValue
    mode: BatteryMode = BatteryMode.SELF_USE
    mode_since_s: float = 0.0
    changes_s: tuple[float, ...] = ()  # within the last 24 h

    def heard(self, reading: BatteryReading | None, now_s: float) -> Storage:
        """Take in state of charge and mode; what is missing or absurd changes nothing."""
        if reading is None:
            return self
        soc = self.soc.heard(reading.soc_frac, reading.at_s, now_s)
        if reading.mode is None or reading.mode is self.mode:
            return replace(self, soc=soc)
        recent = tuple(at_s for at_s in self.changes_s if at_s > reading.at_s - DAY_S)
        return Storage(soc, reading.mode, reading.at_s, (*recent, reading.at_s))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is believed of the house: rooms and their sensors, relays, battery, outdoors."""

    thermal: FilterState
    sensors: Mapping[str, FreshValue]
    relays: Mapping[str, RelayHistory]
    storage: Storage
    outdoor: OutdoorBelief
    sun: FreshValue
    split: BaseSplit = field(default_factory=BaseSplit)

    def with_forecast(self, forecast: WeatherForecast) -> Estimate:
        """Know what is forecast for outdoors, for when the sensors there say nothing."""
        return replace(self, outdoor=self.outdoor._replace(forecast=forecast))

    def shifted(self, by_s: float) -> Estimate:
        """Move along with a clock that was set."""
        relays = {
            name: replace(r, since_s=r.since_s + by_s, starts_s=tuple(s + by_s for s in r.starts_s))
            for name, r in self.relays.items()
        }
        return replace(
            self,
            thermal=replace(self.thermal, at_s=self.thermal.at_s + by_s),
            sensors={name: sensor.shifted(by_s) for name, sensor in self.sensors.items()},
            relays=relays,
            storage=replace(
                self.storage,
                soc=self.storage.soc.shifted(by_s),
                mode_since_s=self.storage.mode_since_s + by_s,
                changes_s=tuple(at_s + by_s for at_s in self.storage.changes_s),
            ),
            sun=self.sun.shifted(by_s),
            split=self.split._replace(at_s=self.split.at_s + by_s),
        )


class HouseEstimator:
    """The estimator of one house; beliefs are values that it turns into their successors."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.dynamics = HouseDynamics(house.model)
        self.filter = ThermalFilter(self.dynamics)
        self._heat = HeatSplit(house.model, house.relays)
        self._relays = frozenset(relay.name for relay in house.relays)
        self._floorless = frozenset(r.name for r in house.relays if not floors_of(house, r))
        self._loads = {load.name: load for load in house.loads}

    def update(
        self,
        estimate: Estimate | None,
        reading: HouseReading,
        commanded: Mapping[str, bool] | None = None,
    ) -> Estimate:
        """Carry the belief to a new picture of the house; the first picture makes the first.

        Args:
            estimate: the belief so far, None at the start.    reading: the picture.
            commanded: last command per relay, for relays whose contact nobody reads.
        """
        now_s = reading.at_s
        before = estimate or self._first(now_s)
        outdoor = before.outdoor.heard(reading.outdoor)
        sun = sun_heard(before.sun, reading.outdoor, now_s)
        sensors = self._sensors(before.sensors, reading)
        air_c = {name: sensor.good(now_s) for name, sensor in sensors.items()}
        outdoor_c = outdoor.at(now_s, self.house.site.timezone).temp_c
        if estimate is None:
            thermal = self.filter.initial(air_c, outdoor_c, now_s)
        else:
            heat_kw = self._heat.by_room(before.relays)
            ghi = sun_now(sun, outdoor.forecast, now_s)
            thermal = self.filter.update(
                before.thermal, now_s, air_c, heat_kw, outdoor_c, ghi, self._learning(reading)
            )
        return Estimate(
            thermal=thermal,
            sensors=sensors,
            relays=self._contacts(before.relays, reading, commanded or {}),
            storage=before.storage.heard(reading.battery, now_s),
            outdoor=outdoor,
            sun=sun,
            split=before.split.heard(self._base_by_phase(reading), now_s),
        )

    def house_state(self, estimate: Estimate, now_s: float) -> HouseState:
        """Assemble the picture of the whole house for an instant."""
        thermal, storage = estimate.thermal, estimate.storage
        rest = dict(zip(self.dynamics.names, thermal.disturbance_kw.tolist(), strict=True))
        soc_frac = storage.soc.value
        return HouseState(
            at_s=now_s,
            rooms=self.dynamics.unpack(thermal.temps_c),
            relays=estimate.relays,
            soc_frac=self.house.battery.min_soc_frac if soc_frac is None else soc_frac,
            battery_mode=storage.mode,
            battery_mode_since_s=storage.mode_since_s,
            battery_changes_s=storage.changes_s,
            disturbance_kw=rest,
            outdoor_c=thermal.outdoor_c,
            base_split=estimate.split.shares if self.house.limits.phases == 3 else None,
        )

    def _first(self, now_s: float) -> Estimate:
        return Estimate(
            thermal=self.filter.initial({}, 5.0, now_s),
            sensors={name: FreshValue(ROOM_C, now_s) for name in self.dynamics.names},
            relays={},
            storage=Storage(FreshValue(SOC_FRAC, now_s)),
            outdoor=OutdoorBelief(),
            sun=FreshValue(IRRADIANCE_W_M2, now_s),
        )

    def _sensors(
        self, sensors: Mapping[str, FreshValue], reading: HouseReading
    ) -> Mapping[str, FreshValue]:
        after = dict(sensors)
        for room in reading.rooms:
            sensor = sensors.get(room.room)
            if sensor is not None:
                after[room.room] = sensor.heard(room.temp_c, room.at_s, reading.at_s)
        return after

    def _base_by_phase(self, reading: HouseReading) -> Phases | None:
        """Find what the base load draws on each phase, where every contact is known."""
        contacts = {room.room: room.relay_on for room in reading.rooms}
        if any(contacts.get(name) is None for name in self._relays):
            return None
        closed = (relay for relay in self.house.relays if contacts[relay.name])
        battery, inverter = reading.battery, reading.inverter
        parts = (battery and battery.power_kw, inverter and inverter.pv_kw)
        known_kw = None if None in parts else sum(kw for kw in parts if kw is not None)
        return base_by_phase(reading.meter, known_kw, closed, self._loads, reading.loads)

    def _learning(self, reading: HouseReading) -> Array | None:
        """Let rooms with an open window learn nothing: 0 for them, 1 for the others."""
        is_open = {room.room for room in reading.rooms if room.window_open}
        if not is_open:
            return None
        return np.array([float(name not in is_open) for name in self.dynamics.names])

    def _contacts(
        self,
        relays: Mapping[str, RelayHistory],
        reading: HouseReading,
        commanded: Mapping[str, bool],
    ) -> Mapping[str, RelayHistory]:
        """Follow every relay by its contact (named like its owner's room), else by command."""
        after = dict(relays)
        said = {
            room.room: room.relay_on
            for room in reading.rooms
            if room.relay_on is not None and room.room in self._relays
        }
        measured = {room.room for room in reading.rooms if room.floor_c is not None}
        measured |= self._floorless
        for name, on in {**commanded, **said}.items():
            history = tracked(relays.get(name), on=on, at_s=reading.at_s)
            after[name] = resting(history, floor_measured=name in measured)
        return after


def sun_heard(sun: FreshValue, reading: OutdoorReading | None, now_s: float) -> FreshValue:
    """Take in what the sun sensor says, if there is one."""
    return sun if reading is None else sun.heard(reading.ghi_w_m2, reading.at_s, now_s)


def sun_now(sun: FreshValue, forecast: WeatherForecast | None, now_s: float) -> float | None:
    """Irradiance by the sensor, else by the forecast; None when neither knows [W/m²]."""
    measured = sun.good(now_s)
    if measured is not None:
        return max(0.0, measured)
    if forecast is None or not forecast.grid.start_s <= now_s < forecast.grid.end_s:
        return None
    return forecast.ghi_w_m2[bisect_right(forecast.grid.edges_s, now_s) - 1]
