"""The simulated inverter with its battery: obeys modes, forgets some, keeps others.

A battery mode ends with its lease, because the driver plans its clean-up along with it; the export
switch stays as it was last set, as on the real device. Counts mode changes and register writes: an
order that changes nothing is no write.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from pems_actors.domain.commands import SetBatteryMode, SetExport
from pems_actors.domain.house import BatteryMode, House
from pems_actors.physics.battery_modes import BatteryFlow, battery_power

_REMEMBERED = (
    "soc_frac",
    "rate_kw",
    "stop_soc_frac",
    "export_allowed",
    "lease_until_s",
    "mode_changes",
    "writes",
)


class HybridInverter:
    """Mode, registers and state of charge."""

    def __init__(self, house: House, soc_frac: float) -> None:
        self._battery, self._inverter, self._limits = house.battery, house.inverter, house.limits
        self.soc_frac = soc_frac
        self.mode = BatteryMode.SELF_USE
        self.rate_kw: float | None = None
        self.stop_soc_frac: float | None = None
        self.export_allowed = True
        self.lease_until_s = inf
        self.ignores = False
        self.mode_changes = 0
        self.writes = 0

    def apply(self, command: SetBatteryMode | SetExport) -> None:
        """Take an order, unless the device is deaf."""
        if self.ignores:
            return
        if isinstance(command, SetExport):
            self.writes += command.allowed != self.export_allowed
            self.export_allowed = command.allowed
            return
        self.lease_until_s = command.lease_until_s
        self._set(command.mode, command.rate_kw, command.stop_soc_frac)

    def by_hand(self, mode: BatteryMode) -> None:
        """Let a person choose a mode at the inverter; it stays until somebody chooses another."""
        self.mode, self.rate_kw, self.stop_soc_frac = mode, None, None
        self.lease_until_s = inf

    def _set(self, mode: BatteryMode, rate_kw: float | None, stop_soc_frac: float | None) -> None:
        order = (mode, rate_kw, stop_soc_frac)
        if order == (self.mode, self.rate_kw, self.stop_soc_frac):
            return
        self.writes += 1
        self.mode_changes += mode is not self.mode
        self.mode, self.rate_kw, self.stop_soc_frac = order

    def step(self, at_s: float, pv_kw: float, load_kw: float, dt_s: float) -> BatteryFlow:
        """Run one step of constant sun and load, and keep the SOC it ends with."""
        if at_s >= self.lease_until_s:
            self.lease_until_s = inf
            self._set(BatteryMode.SELF_USE, None, None)
        flow = self.flow(pv_kw, load_kw, dt_s)
        self.soc_frac = flow.soc_frac
        return flow

    def flow(self, pv_kw: float, load_kw: float, dt_s: float) -> BatteryFlow:
        """Tell what the next step would do, and leave everything as it is."""
        return battery_power(
            self.mode,
            pv_kw,
            load_kw,
            self.soc_frac,
            self._battery,
            self._inverter,
            self._limits,
            dt_s,
            self.rate_kw,
            self.stop_soc_frac,
            self.export_allowed,
        )

    def to_plain(self) -> dict[str, object]:
        """Give plain data for a snapshot."""
        return {name: getattr(self, name) for name in _REMEMBERED} | {"mode": self.mode.value}

    def load_plain(self, plain: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        for name in _REMEMBERED:
            setattr(self, name, plain[name])
        self.mode = BatteryMode(plain["mode"])
