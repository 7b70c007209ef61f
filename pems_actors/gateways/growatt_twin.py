"""A simulated Growatt SPH gateway: hears register commands, answers them, and tells telemetry.

It behaves as the real one: slots recur daily and never expire, the two slots exclude each other,
export is an edge. It has no physics; which powers follow from the mode is the twin's affair.
Telemetry has the 39 keys of the real gateway, in W, % and kWh, with daily counters that begin
anew at local midnight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pems_actors.domain.commands import SetBatteryMode, SetExport
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading
from pems_actors.gateways.growatt import Effective, Growatt, effective
from pems_actors.gateways.growatt_registers import (
    COMMANDS,
    OFF,
    READS,
    Answer,
    Registers,
    Slot,
    read_write,
    slot_body,
    with_values,
)
from pems_actors.gateways.wire import Rejected, read_object

FACTORY = Registers(OFF, 10, 100, False, OFF, 10, 100, True)
_MODE_NUMBER = {BatteryMode.SELF_USE: 0, BatteryMode.HOLD: 1, BatteryMode.CHARGE_GRID: 1}


@dataclass(slots=True)
class SimulatedGrowatt:
    """One inverter with its registers. `drift_s` is how far its clock runs ahead."""

    device: Growatt = field(default_factory=Growatt)
    held: Registers = FACTORY
    drift_s: float = 0.0

    def apply(self, topic: str, payload: bytes, at_s: float) -> Answer:
        """Carry out one command as the gateway does, and answer it."""
        command = topic.removeprefix(f"{COMMANDS}/")
        if command.endswith("/get"):
            return self._read(command, at_s)
        if command == "datetime/set":
            return self._set_clock(command, payload, at_s)
        change = read_write(topic, payload)
        if isinstance(change, Rejected):
            return Answer(command, success=False, message=change.reason)
        if self._excluded(*change):
            return Answer(command, success=False, message="the other slot is on; disable it first")
        self.held = with_values(self.held, (change,))
        return Answer(command, success=True, message="ok")

    def _excluded(self, register: str, value: object) -> bool:
        others = {"battery_slot": self.held.grid_slot, "grid_slot": self.held.battery_slot}
        other = others.get(register)
        return isinstance(value, Slot) and value.enabled and other is not None and other.enabled

    def _read(self, command: str, at_s: float) -> Answer:
        if command == "datetime/get":
            return Answer(command, success=True, message="ok", value=self._clock(at_s))
        if command == "register/get":
            number = _MODE_NUMBER.get(self.effective(at_s, None).mode, 2)
            return Answer(command, success=True, message="ok", value=number)
        if command not in READS:
            return Answer(command, success=False, message="unknown read")
        return Answer(command, success=True, message="ok", value=self._side(command))

    def _side(self, command: str) -> dict[str, Any]:
        held = self.held
        if command == "gridfirst/get":
            slot, stop, rate = held.grid_slot, held.grid_stop_pct, held.grid_rate_pct
            return {**slot_body(slot or OFF), "stopsoc": stop, "powerrate": rate}
        slot, stop, rate = held.battery_slot, held.battery_stop_pct, held.battery_rate_pct
        charge = {"acchargeenabled": int(bool(held.ac_charge))}
        return {**slot_body(slot or OFF), "stopsoc": stop, "powerrate": rate, **charge}

    def _clock(self, at_s: float) -> str:
        local = datetime.fromtimestamp(at_s + self.drift_s, self.device.zone)
        return local.strftime("%Y-%m-%d %H:%M:%S")

    def _set_clock(self, command: str, payload: bytes, at_s: float) -> Answer:
        body = read_object(payload)
        try:
            text = "" if isinstance(body, Rejected) else str(body.get("value"))
            local = datetime.fromisoformat(text).replace(tzinfo=self.device.zone)
        except ValueError:
            return Answer(command, success=False, message="value must be YYYY-MM-DD HH:MM:SS")
        if not 2000 <= local.year < 2100:  # its clock keeps two digits of the year
            return Answer(command, success=False, message="the year must be 2000 to 2099")
        self.drift_s = local.timestamp() - at_s
        return Answer(command, success=True, message="ok")

    def effective(self, at_s: float, soc_frac: float | None) -> Effective:
        """Tell the mode that the registers amount to, by the inverter's own clock."""
        now = effective(self.held, at_s + self.drift_s, soc_frac, self.device)
        return now if now is not None else Effective(BatteryMode.SELF_USE)

    def commands(self, at_s: float, soc_frac: float | None) -> tuple[SetBatteryMode, SetExport]:
        """Give the registers as orders to a twin; they have no lease, as registers have none."""
        now = self.effective(at_s, soc_frac)
        reason, level, forever = "inverter registers", Level.NATIVE, math.inf
        mode = SetBatteryMode(
            now.mode, reason, level, at_s, forever, now.rate_kw, now.stop_soc_frac
        )
        return mode, SetExport(self.held.export is not False, reason, level, at_s, forever)


# -- telemetry ---------------------------------------------------------------------------------

_ENERGIES = ("PV", "Charge", "Discharge", "User", "Grid", "Load")


@dataclass(slots=True)
class Counters:
    """Energy counters [kWh] as the gateway keeps them: of the day and of a lifetime."""

    today: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_ENERGIES, 0.0))
    total: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_ENERGIES, 0.0))
    at_s: float | None = None

    def advance(self, reading: HouseReading, device: Growatt) -> None:
        """Count the energy since the last reading, with the powers of this one."""
        before, self.at_s = self.at_s, reading.at_s
        if before is None or reading.at_s <= before:
            return
        if _day(before, device) != _day(reading.at_s, device):
            self.today = dict.fromkeys(_ENERGIES, 0.0)
        hours = (reading.at_s - before) / 3600.0
        for name, power_w in _powers_w(reading).items():
            self.today[name] += power_w * hours / 1000.0
            self.total[name] += power_w * hours / 1000.0


def _day(at_s: float, device: Growatt) -> int:
    return datetime.fromtimestamp(at_s, device.zone).toordinal()


def _powers_w(reading: HouseReading) -> dict[str, float]:
    """Split the signed powers of the house into the gateway's one-way powers [W]."""
    battery_w = 1000.0 * _known(reading.battery.power_kw if reading.battery else None)
    grid_w = 1000.0 * _known(reading.meter.grid_kw if reading.meter else None)
    return {
        "PV": 1000.0 * _known(reading.inverter.pv_kw if reading.inverter else None),
        "Charge": max(0.0, -battery_w),
        "Discharge": max(0.0, battery_w),
        "User": max(0.0, grid_w),
        "Grid": max(0.0, -grid_w),
        "Load": 1000.0 * _known(reading.meter.load_kw if reading.meter else None),
    }


def _known(value: float | None) -> float:
    return 0.0 if value is None else value


def telemetry(reading: HouseReading, counters: Counters, device: Growatt) -> dict[str, float]:
    """Make the `energy/solar` object of one reading: 39 numeric keys, unknown ones left out."""
    counters.advance(reading, device)
    power, today, total = _powers_w(reading), counters.today, counters.total
    body: dict[str, float] = {}
    for name, share in (("PV1", 7.0 / 13.5), ("PV2", 6.5 / 13.5)):
        body |= _string(name, power["PV"] * share, today["PV"] * share, total["PV"] * share)
    body |= _inverter(power, today, total) | _meter(power, today, total)
    body |= _battery(reading, power, today, total)
    missing = {
        "SOC": reading.battery is None or reading.battery.soc_frac is None,
        "InputPower": reading.inverter is None or reading.inverter.pv_kw is None,
        "ACPowerToUser": reading.meter is None or reading.meter.grid_kw is None,
        "INVPowerToLocalLoad": reading.meter is None or reading.meter.load_kw is None,
        "ChargePower": reading.battery is None or reading.battery.power_kw is None,
    }
    return {key: round(value, 3) for key, value in body.items() if not missing.get(key, False)}


def _string(name: str, power_w: float, today: float, total: float) -> dict[str, float]:
    voltage = 380.0 if power_w > 0.0 else 0.0
    return {
        f"{name}Voltage": voltage,
        f"{name}InputCurrent": power_w / voltage if voltage else 0.0,
        f"{name}InputPower": power_w,
        f"{name}EnergyToday": today,
        f"{name}EnergyTotal": total,
    }


def _inverter(
    power: Mapping[str, float], today: Mapping[str, float], total: Mapping[str, float]
) -> dict[str, float]:
    return {
        "PVEnergyTotal": total["PV"],
        "InputPower": power["PV"],
        "OutputPower": max(0.0, power["PV"] + power["Discharge"] - power["Charge"]),
        "TodayGenerateEnergy": today["PV"],
        "TotalGenerateEnergy": total["PV"],
        "InverterStatus": 1.0,
        "InverterTemperature": 35.0 + power["PV"] / 500.0,
    }


def _meter(
    power: Mapping[str, float], today: Mapping[str, float], total: Mapping[str, float]
) -> dict[str, float]:
    return {
        "ACPowerToUser": power["User"],
        "ACPowerToGrid": power["Grid"],
        "ACPowerToUserTotal": power["User"],
        "ACPowerToGridTotal": power["Grid"],
        "INVPowerToLocalLoad": power["Load"],
        "INVPowerToLocalLoadTotal": power["Load"],
        "EnergyToUserToday": today["User"],
        "EnergyToUserTotal": total["User"],
        "EnergyToGridToday": today["Grid"],
        "EnergyToGridTotal": total["Grid"],
        "LocalLoadEnergyToday": today["Load"],
        "LocalLoadEnergyTotal": total["Load"],
    }


def _battery(
    reading: HouseReading,
    power: Mapping[str, float],
    today: Mapping[str, float],
    total: Mapping[str, float],
) -> dict[str, float]:
    soc_frac = _known(reading.battery.soc_frac if reading.battery else None)
    temp_c = reading.battery.temp_c if reading.battery else None
    return {
        "SOC": 100.0 * soc_frac,
        "ChargePower": power["Charge"],
        "DischargePower": power["Discharge"],
        "ChargeEnergyToday": today["Charge"],
        "ChargeEnergyTotal": total["Charge"],
        "DischargeEnergyToday": today["Discharge"],
        "DischargeEnergyTotal": total["Discharge"],
        "BatteryVoltage": 48.0 + 4.0 * soc_frac,
        "BatteryTemperature": 20.0 if temp_c is None else temp_c,
        "BatteryState": 1.0 if power["Charge"] else 2.0 if power["Discharge"] else 0.0,
    }
