"""The simulated house in motion: rooms, relays, inverter and meters, minute by minute.

Commands act as on real devices: they hold until their lease ends, then the device goes its own way.
Readings are what sensors would say; the truth is for judges only (`true_state`, `figures`).
`snapshot` and `restore` make it outlive its process. Uses the equations of `physics`, with true
parameters of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pems_actors.control.comfort import is_day
from pems_actors.domain.commands import DeviceCommand, SetHeating, SetLoad
from pems_actors.domain.house import BatteryMode, House, HouseModel
from pems_actors.domain.plan import RoomThermalState
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
)
from pems_actors.domain.units import MINUTE_S
from pems_actors.economics.local_hours import local_hour
from pems_actors.physics.balance import Phases, grid_by_phase
from pems_actors.physics.battery_modes import BatteryFlow
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.simulation.device_faults import DeviceFault, FaultKind, check_device, fault_from
from pems_actors.simulation.energy_ledger import EnergyLedger
from pems_actors.simulation.hybrid_inverter import HybridInverter
from pems_actors.simulation.kpis import ComfortMeter
from pems_actors.simulation.load_board import LoadBoard
from pems_actors.simulation.relay_board import RelayBoard
from pems_actors.simulation.scenario import Conditions, Scenario
from pems_actors.simulation.sensors import Sensors

Array = npt.NDArray[np.float64]

BASE_SPLIT: Phases = (0.40, 0.35, 0.25)  # kitchens and washing machines sit on few phases
START_SOC_FRAC = 0.5
_EPS_S = 1e-6


class Twin:
    """One simulated house. Not safe for use from several threads at once (`twin_house` is)."""

    def __init__(
        self,
        house: House,
        truth: HouseModel,
        scenario: Scenario,
        tariff_blocked: Callable[[float], bool],
        start_s: float,
        seed: int = 0,
    ) -> None:
        """Build the house, every room resting at its set-point.

        Args:
            house: what it is made of.    truth: its true thermal parameters.
            scenario: the world around it.    tariff_blocked: the HDO contactor's timetable.
            start_s: when it begins.    seed: of sensor noise.
        Raises: ValueError if `truth` has not the rooms of the house.
        """
        if {room.name for room in truth.rooms} != {room.name for room in house.rooms}:
            raise ValueError("the true model must have exactly the rooms of the house")
        self.house, self.scenario = house, scenario
        self.dynamics = HouseDynamics(truth)
        self.at_s = start_s
        self.faults: dict[str, DeviceFault] = {}
        self.relays = RelayBoard(house, truth)
        self.inverter = HybridInverter(house, START_SOC_FRAC)
        self.loads = LoadBoard(house.loads, seed)
        self.ledger = EnergyLedger()
        self.comfort = ComfortMeter(house.rooms, truth, house.model)
        self.over_breaker_s = 0.0
        rooms = {room.name: room for room in house.rooms}
        self._sensors = Sensors([rooms[name] for name in self.dynamics.names], seed)
        row = {name: k for k, name in enumerate(self.relays.names)}
        self._contact = [row.get(name) for name in self.dynamics.names]  # of rooms with a relay
        self._blocked_at = tariff_blocked
        self._now = scenario.at(start_s)
        self._temps_c = self._rested(start_s)
        self._steps: dict[float, Array] = {}
        self._input: Array = np.zeros(4 * self.dynamics.rooms + 3)
        self._show()

    # Time

    def step_to(self, at_s: float) -> None:
        """Let time pass in steps of a minute; steps end on full minutes and at `at_s`."""
        while self.at_s < at_s - _EPS_S:
            minute_ends_s = (self.at_s + _EPS_S) // MINUTE_S * MINUTE_S + MINUTE_S
            self._step(min(minute_ends_s, at_s) - self.at_s)
        if self.faults:
            self._repair()

    def _step(self, dt_s: float) -> None:
        now = self._now = self.scenario.at(self.at_s)
        self._switch()
        load_kw = now.base_load_kw + self.relays.total_kw + self.loads.total_kw
        self._flow = self.inverter.step(self.at_s, now.pv_kw, load_kw, dt_s)
        self._phase_kw = self._phases(self._flow)
        self._count(dt_s)
        self._warm(now, dt_s)
        if self.loads.loads:
            self.loads.pass_time(dt_s)
        self.at_s += dt_s
        self.comfort.add(local_hour(self.at_s, self.scenario.timezone), self._temps_c, dt_s)

    def _switch(self) -> None:
        if self.faults:
            self._repair()
        hour = local_hour(self.at_s, self.scenario.timezone)
        self._blocked = self._blocked_at(self.at_s)
        self.relays.update(self.at_s, hour, self._blocked, self._air_c)
        if self.loads.loads:
            self.loads.update(self.at_s, hour, self._blocked)

    def _warm(self, now: Conditions, dt_s: float) -> None:
        """Advance the rooms with one product: everything that acts stands in one vector."""
        step = self._steps.get(dt_s)
        if step is None:
            step = self._one_product(dt_s)
        r = self.dynamics.rooms
        vector = self._input
        vector[: 3 * r] = self._temps_c
        vector[3 * r : 4 * r] = self.relays.heat_kw
        vector[4 * r :] = (now.outdoor_c, now.ghi_w_m2, 1.0)
        after = step @ vector
        if self.faults:
            after += self.dynamics.matrices(dt_s).gain @ self._draughts_kw(now.outdoor_c)
        self._temps_c = after

    def _one_product(self, dt_s: float) -> Array:
        m = self.dynamics.matrices(dt_s)
        columns = [m.outdoor, m.ghi, m.internal]
        step = np.hstack([m.a, m.heat, np.stack(columns, axis=1)])
        if len(self._steps) > 64:
            self._steps.clear()
        self._steps[dt_s] = step
        return step

    def _draughts_kw(self, outdoor_c: float) -> Array:
        """Give what open windows take from the air of each room [kW]."""
        r = self.dynamics.rooms
        loss_kw_k = np.zeros(r)
        for device, fault in self.faults.items():
            if fault.kind is FaultKind.WINDOW_OPEN:
                loss_kw_k[self.dynamics.index[device.removeprefix("rooms/")]] = fault.amount
        return np.asarray(loss_kw_k * (outdoor_c - self._temps_c[r : 2 * r]))

    def _count(self, dt_s: float) -> None:
        base_kw = self._now.base_load_kw + self.loads.total_kw
        self.ledger.add(self.at_s, dt_s, self._flow, self._phase_kw, self.relays.total_kw, base_kw)
        if max(self._phase_kw) > self.house.limits.phase_kw:
            self.over_breaker_s += dt_s

    def _phases(self, flow: BatteryFlow) -> Phases:
        relays_kw, loads = self.relays.phase_kw, self.loads
        ours_kw = loads.on_top_of(relays_kw) if loads.loads else relays_kw
        return grid_by_phase(
            ours_kw, self._now.base_load_kw, flow.battery_kw + flow.pv_kw, BASE_SPLIT
        )

    def _show(self) -> None:
        """Let contacts and meters show what holds now, without letting time pass."""
        self._switch()
        load_kw = self._now.base_load_kw + self.relays.total_kw + self.loads.total_kw
        self._flow = self.inverter.flow(self._now.pv_kw, load_kw, MINUTE_S)
        self._phase_kw = self._phases(self._flow)

    def _rested(self, at_s: float) -> Array:
        """Find the state of rooms that have long been held at their set-points."""
        hour = local_hour(at_s, self.scenario.timezone)
        by_name = {room.name: room.comfort for room in self.house.rooms}
        wishes = [by_name[name] for name in self.dynamics.names]
        air = [wish.day_c if is_day(wish, hour) else wish.night_c for wish in wishes]
        heat = self.dynamics.steady_heat(np.array(air), self._now.outdoor_c)
        return self.dynamics.steady_state(np.maximum(heat, 0.0), self._now.outdoor_c)

    # Commands and faults

    def apply(self, command: DeviceCommand) -> None:
        """Hand a command to its device. Raises: ValueError for an unknown relay or load."""
        if isinstance(command, SetHeating):
            if not self.relays.apply(command):
                return
        elif isinstance(command, SetLoad):
            self.loads.apply(command)
        else:
            self.inverter.apply(command)
        self._show()

    def by_hand(self, device: str, wish: bool | BatteryMode) -> None:
        """Let a person change a device itself: `relay/<name>` on or off, or the `battery`'s mode.

        Raises: ValueError for a device that has no such button.
        """
        if device == "battery" and isinstance(wish, BatteryMode):
            self.inverter.by_hand(wish)
        elif device.removeprefix("relay/") in self.relays.names and isinstance(wish, bool):
            self.relays.by_hand(device.removeprefix("relay/"), wish)
        else:
            raise ValueError(
                f"{device!r} has no button for {wish!r}; give relay/<relay> or battery"
            )
        self._show()

    def fault(self, device: str, fault: DeviceFault | None) -> None:
        """Break a device, or (None) repair it.

        Raises: ValueError for an unknown device, or a fault that it cannot have.
        """
        loads = [each.load.name for each in self.loads.loads]
        check_device(device, self.dynamics.names, self.relays.names, loads)
        if fault is not None:
            fault.check(device)
        self.faults.pop(device, None)
        if fault is not None:
            self.faults[device] = replace(fault, since_s=self.at_s, held=self._said(device))
        self._wire(device)

    def _said(self, device: str) -> float | None:
        if device == "outdoor":
            return self._sensors.outdoor_said(self.at_s, self._now.outdoor_c)
        k = self.dynamics.index.get(device.removeprefix("rooms/"))
        if k is None or not device.startswith("rooms/"):
            return None
        return self._sensors.said(self.at_s, self._air_c)[k]

    def _wire(self, device: str) -> None:
        """Let a device feel that it is broken or repaired."""
        fault = self.faults.get(device)
        if device == "inverter":
            self.inverter.ignores = fault is not None
        elif device.startswith("relay/"):
            stuck = None if fault is None else fault.kind is FaultKind.RELAY_STUCK_ON
            self.relays.stick(device.removeprefix("relay/"), stuck)
        elif device.startswith("load/"):
            self.loads.ignore(device.removeprefix("load/"), fault is not None)

    def _repair(self) -> None:
        for device, fault in list(self.faults.items()):
            if self.at_s >= fault.until_s:
                self.fault(device, None)

    # What can be seen

    def reading(self) -> HouseReading:
        """Read all devices as they are now; powers are those of the last step."""
        at_s, flow, faults = self.at_s, self._flow, self.faults
        closed = self.relays.closed
        contacts = [None if k is None else closed[k] for k in self._contact]
        load_kw = flow.grid_kw + flow.battery_kw + flow.pv_kw
        return HouseReading(
            at_s=at_s,
            rooms=self._sensors.room_readings(at_s, self._air_c, contacts, faults),
            battery=BatteryReading(
                at_s, round(self.inverter.soc_frac, 3), flow.battery_kw, self.inverter.mode
            ),
            inverter=InverterReading(at_s, flow.pv_kw, self.inverter.export_allowed),
            meter=None
            if "meter" in faults
            else MeterReading(at_s, flow.grid_kw, load_kw, self._phase_kw),
            outdoor=self._sensors.outdoor_reading(
                at_s, self._now.outdoor_c, self._now.ghi_w_m2, faults
            ),
            heating_blocked=self._blocked_at(at_s),
            loads=self.loads.readings(at_s) if self.loads.loads else (),
        )

    @property
    def flow(self) -> BatteryFlow:
        """Powers of the last step."""
        return self._flow

    @property
    def phase_kw(self) -> Phases:
        """Grid power on each phase in the last step, import positive [kW]."""
        return self._phase_kw

    @property
    def _air_c(self) -> Array:
        r = self.dynamics.rooms
        return self._temps_c[r : 2 * r]

    def true_state(self) -> dict[str, RoomThermalState]:
        """Give the true temperatures, which no controller may see."""
        return self.dynamics.unpack(self._temps_c)

    def figures(self) -> dict[str, float]:
        """Give energies [kWh], comfort and counts since the start."""
        return {
            **self.ledger.figures(),
            **self.comfort.figures(),
            **self.loads.figures(),
            "starts": float(sum(self.relays.starts)),
            "mode_changes": float(self.inverter.mode_changes),
            "writes": float(self.inverter.writes),
            "relay_commands": float(self.relays.commands),
            "over_breaker_s": self.over_breaker_s,
            "soc_frac": self.inverter.soc_frac,
            "stored_heat_kwh": float(self.dynamics.capacity_kwh_k @ self._temps_c),
        }

    @property
    def starts(self) -> dict[str, int]:
        """Count the starts of each relay."""
        return dict(zip(self.relays.names, self.relays.starts, strict=True))

    # Going on elsewhere

    def snapshot(self) -> dict[str, Any]:
        """Give everything that changes as plain data (numbers, strings, lists, dictionaries)."""
        return {
            "at_s": self.at_s,
            "temps_c": self._temps_c.tolist(),
            "relays": self.relays.to_plain(),
            "inverter": self.inverter.to_plain(),
            "ledger": self.ledger.to_plain(),
            "comfort": self.comfort.to_plain(),
            "loads": self.loads.to_plain(),
            "over_breaker_s": self.over_breaker_s,
            "faults": {device: fault.to_plain() for device, fault in self.faults.items()},
        }

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Go on from a snapshot of a twin of the same house, truth and scenario.

        Raises: ValueError if the snapshot is of another house.
        """
        temps = np.array(plain["temps_c"], float)
        if temps.shape != self._temps_c.shape:
            raise ValueError("this snapshot is of a house with another number of rooms")
        self.at_s = float(plain["at_s"])
        self._now = self.scenario.at(self.at_s)
        self._temps_c = temps
        self.relays.load_plain(plain["relays"])
        self.inverter.load_plain(plain["inverter"])
        self.ledger.load_plain(plain["ledger"])
        self.comfort.load_plain(plain["comfort"])
        self.loads.load_plain(plain.get("loads", {}))
        self.over_breaker_s = float(plain["over_breaker_s"])
        self.faults = {device: fault_from(fault) for device, fault in plain["faults"].items()}
        for device in (*self.faults, "inverter"):
            self._wire(device)
        self._show()
