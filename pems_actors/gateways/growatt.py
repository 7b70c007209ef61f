"""How a Growatt SPH inverter is told a battery mode: registers, their order, their clean-up. Pure.

Facts behind it: battery-first charges from the grid up to its stop SOC even with AC charge off;
load-first discharges for any load and ignores its stop SOC; grid-first holds its stop SOC. So
`hold` is battery-first with the stop SOC pinned to the live SOC. Only slot 1 is used, a slot
recurs daily and nothing ever expires: each plan of writes comes with the writes that undo it.
Parameters go first, then the time slot; the other mode's slot is disabled before either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from pems_actors.domain.commands import SetBatteryMode, SetExport
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.gateways.growatt_registers import (
    DAY_MIN,
    OFF,
    Change,
    Registers,
    Slot,
    Value,
    Write,
    with_values,
    writes,
)

PRAGUE = ZoneInfo("Europe/Prague")
SPARE_PCT = 2  # a pin so near the live SOC need not be written anew


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Writes in order, the pause between them, and the writes that take it all back."""

    writes: tuple[Write, ...]
    cleanup: tuple[Write, ...]
    gap_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Growatt:
    """What is particular to one inverter: its clock, its full rate, and its SOC window."""

    zone: tzinfo = PRAGUE
    full_rate_kw: float = 9.76  # measured: 2.44 kW at powerRate 25 %
    default_rate_kw: float = 5.0  # where a command names no rate: the battery's largest
    min_soc_pct: int = 10
    max_soc_pct: int = 90
    slot_s: float = 2 * HOUR_S  # a slot is bounded, and rewritten only when it runs out
    native_export: bool = True
    gap_s: float = 1.0
    drift_s: float = 0.0  # how far its clock runs ahead: slots are told in its own time

    @classmethod
    def of(cls, house: House) -> Growatt:
        """Take clock, largest rate and SOC window from the house."""
        battery = house.battery
        return cls(
            zone=ZoneInfo(house.site.timezone),
            default_rate_kw=max(battery.max_charge_kw, battery.max_discharge_kw),
            min_soc_pct=round(100 * battery.min_soc_frac),
            max_soc_pct=round(100 * battery.max_soc_frac),
        )

    def minute(self, at_s: float) -> int:
        """Read the inverter's clock: the minute of its local day."""
        local = datetime.fromtimestamp(at_s + self.drift_s, self.zone)
        return local.hour * 60 + local.minute

    def with_clock(self, shown: datetime, at_s: float) -> Growatt:
        """Learn the drift from what the clock showed at an instant; under 90 s it does not count.

        Summer time that the inverter slept through is a drift of an hour, and followed likewise.
        Slots recur daily, so a wrong date is no drift.
        """
        right = datetime.fromtimestamp(at_s, self.zone).replace(tzinfo=None)
        drift_s = (shown - right).total_seconds() % DAY_S
        drift_s = drift_s - DAY_S if drift_s > DAY_S / 2 else drift_s
        return replace(self, drift_s=drift_s if abs(drift_s) >= 90.0 else 0.0)

    def rate_pct(self, rate_kw: float | None) -> int:
        """Turn a power into powerRate percent, 1 to 100."""
        wanted_kw = self.default_rate_kw if rate_kw is None else rate_kw
        return min(100, max(1, round(100.0 * wanted_kw / self.full_rate_kw)))

    def rate_kw(self, rate_pct: int | None) -> float | None:
        """Turn powerRate percent into power."""
        return None if rate_pct is None else self.full_rate_kw * rate_pct / 100.0


# -- commands to writes ----------------------------------------------------------------------


def plan_writes(
    command: SetBatteryMode | SetExport,
    known: Registers,
    now_s: float,
    soc_frac: float | None = None,
    device: Growatt = Growatt(),
) -> WritePlan:
    """List the register writes that bring the inverter from `known` to a command.

    Registers that already hold the wanted value are left alone: writes wear the flash. `soc_frac`
    is the live SOC, for `hold`; where it is unknown the lowest SOC is pinned, which holds too.
    """
    wanted = _wanted(command, known, now_s, soc_frac, device)
    after = with_values(known, wanted)
    changes = tuple(change for change in wanted if getattr(known, change[0]) != change[1])
    touched = frozenset(register for register, _ in wanted)
    return WritePlan(writes(changes), _undo(known, after, touched, device), device.gap_s)


def _wanted(
    command: SetBatteryMode | SetExport,
    known: Registers,
    now_s: float,
    soc_frac: float | None,
    device: Growatt,
) -> tuple[Change, ...]:
    """Give the wanted register values in the order in which they must be written."""
    if isinstance(command, SetExport):
        return (("export", command.allowed),)
    match command.mode:
        case BatteryMode.SELF_USE:
            return (("battery_slot", OFF), ("grid_slot", OFF), ("ac_charge", False))
        case BatteryMode.SELL:
            return (
                ("battery_slot", OFF),
                ("ac_charge", False),
                ("grid_stop_pct", _stop_pct(command, device.min_soc_pct)),
                ("grid_rate_pct", device.rate_pct(command.rate_kw)),
                ("grid_slot", _slot(known.grid_slot, command, now_s, device)),
            )
        case BatteryMode.HOLD:
            stop_pct, charge = _pin_pct(known, soc_frac, device), False
            rate: tuple[Change, ...] = ()
        case BatteryMode.CHARGE_GRID:
            stop_pct, charge = _stop_pct(command, device.max_soc_pct), True
            rate = (("battery_rate_pct", device.rate_pct(command.rate_kw)),)
    return (
        ("grid_slot", OFF),
        ("ac_charge", charge),
        ("battery_stop_pct", stop_pct),
        *rate,
        ("battery_slot", _slot(known.battery_slot, command, now_s, device)),
    )


def _stop_pct(command: SetBatteryMode, otherwise: int) -> int:
    return otherwise if command.stop_soc_frac is None else round(100 * command.stop_soc_frac)


def _pin_pct(known: Registers, soc_frac: float | None, device: Growatt) -> int:
    """Choose the stop SOC that neither charges nor lets go; a pin that still holds is kept.

    A battery that discharges fast would slip from under each new pin before its slot is written:
    a pin just below is good enough, and one that has slipped is made again with a little to spare.
    """
    if soc_frac is None:
        return device.min_soc_pct
    live = max(device.min_soc_pct, math.floor(100 * soc_frac + 1e-9))
    pinned = known.battery_stop_pct
    if pinned is None:
        return live
    holds = known.ac_charge is False and known.battery_slot not in {None, OFF}
    if pinned <= live and (holds or pinned >= live - SPARE_PCT):
        return pinned
    slipped = not holds and live < pinned <= live + SPARE_PCT
    return max(device.min_soc_pct, live - SPARE_PCT) if slipped else live


def _slot(known: Slot | None, command: SetBatteryMode, now_s: float, device: Growatt) -> Slot:
    """Keep the slot that covers the lease, or open one from now for `slot_s`, up to midnight."""
    start = device.minute(now_s)
    until = device.minute(command.lease_until_s)
    lease_end = until if command.lease_until_s > now_s and until > start else DAY_MIN - 1
    if known is not None and known.covers(start) and known.stop_min >= lease_end:
        return known
    ahead = -(-int(start + device.slot_s / 60) // 15) * 15
    return Slot(start, min(max(ahead, lease_end), DAY_MIN - 1), enabled=True)


def _undo(
    known: Registers, after: Registers, touched: frozenset[str], device: Growatt
) -> tuple[Write, ...]:
    """List what undoes a plan at any moment: before, amid and after its writes.

    A touched register of unknown value may hold anything, so it is undone too.
    """

    def may_stand(register: str, native: Value) -> bool:
        before, then = getattr(known, register), getattr(after, register)
        unknown = before is None and register in touched
        return unknown or before not in {None, native} or then not in {None, native}

    return writes(change for change in _native(device) if may_stand(*change))


def cleanup_of(held: Registers, device: Growatt = Growatt()) -> tuple[Write, ...]:
    """List the writes that give the battery back to the inverter; what is native is left alone."""
    return writes(
        change for change in _native(device) if getattr(held, change[0]) not in {None, change[1]}
    )


def cleanup_of_unknown(device: Growatt = Growatt()) -> tuple[Write, ...]:
    """List the writes that give everything back, where nothing is known of the inverter."""
    return writes(_native(device))


def _native(device: Growatt) -> tuple[Change, ...]:
    return (
        ("battery_slot", OFF),
        ("grid_slot", OFF),
        ("ac_charge", False),
        ("export", device.native_export),
    )


# -- what the registers amount to --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effective:
    """The mode that registers amount to at an instant."""

    mode: BatteryMode
    rate_kw: float | None = None
    stop_soc_frac: float | None = None


def effective(
    held: Registers, at_s: float, soc_frac: float | None, device: Growatt = Growatt()
) -> Effective | None:
    """Tell what the inverter does with its battery now, or None if its slots are unknown."""
    if held.battery_slot is None or held.grid_slot is None:
        return None
    minute = device.minute(at_s)
    if held.grid_slot.covers(minute):
        return Effective(
            BatteryMode.SELL, device.rate_kw(held.grid_rate_pct), _frac(held.grid_stop_pct)
        )
    if not held.battery_slot.covers(minute):
        return Effective(BatteryMode.SELF_USE)
    stop = _frac(held.battery_stop_pct)
    below = stop is not None and soc_frac is not None and soc_frac < stop - 0.005
    if held.ac_charge or below:  # battery-first charges up to its stop SOC, flag or no flag
        return Effective(BatteryMode.CHARGE_GRID, device.rate_kw(held.battery_rate_pct), stop)
    return Effective(BatteryMode.HOLD, None, stop)


def _frac(percent: int | None) -> float | None:
    return None if percent is None else percent / 100.0
