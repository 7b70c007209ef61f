"""Orders to devices. Each carries its reason, its level and the end of its lease."""

from __future__ import annotations

from typing import NamedTuple

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level


class SetHeating(NamedTuple):
    """Switch one relay. After `lease_until_s` the device falls back to its own control."""

    relay: str
    on: bool
    reason: str
    level: Level
    at_s: float
    lease_until_s: float
    target_temp_c: float | None = None


class SetBatteryMode(NamedTuple):
    """Put the battery into a mode; `rate_kw` and `stop_soc_frac` matter for charge and sell."""

    mode: BatteryMode
    reason: str
    level: Level
    at_s: float
    lease_until_s: float
    rate_kw: float | None = None
    stop_soc_frac: float | None = None


class SetExport(NamedTuple):
    """Allow or forbid export to the grid."""

    allowed: bool
    reason: str
    level: Level
    at_s: float
    lease_until_s: float


class SetLoad(NamedTuple):
    """Let a flexible load draw (`on`) or hold it back; it is free when the lease has ended."""

    load: str
    on: bool
    reason: str
    level: Level
    at_s: float
    lease_until_s: float


DeviceCommand = SetHeating | SetBatteryMode | SetExport | SetLoad


def device_of(command: DeviceCommand) -> str:
    """Name the device a command is for: `relay/<name>`, `load/<name>`, `battery`, `inverter`."""
    match command:
        case SetHeating():
            return f"relay/{command.relay}"
        case SetBatteryMode():
            return "battery"
        case SetExport():
            return "inverter"
        case SetLoad():
            return f"load/{command.load}"
