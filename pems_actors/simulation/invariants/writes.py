"""Laws of writing: what may be written, by whom, and how often."""

from __future__ import annotations

from collections import deque
from math import isfinite

from pems_actors.domain.commands import (
    DeviceCommand,
    SetBatteryMode,
    SetExport,
    SetHeating,
    SetLoad,
    device_of,
)
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import DAY_S
from pems_actors.simulation.invariants.facts import Life, Turn, Wrote
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes
from pems_actors.simulation.invariants.power import was_crowded

LONGEST_LEASE_S = 1200.0  # 15 min, ending spread over 5 min
OLDEST_ORDER_S = 60.0
LOWEST_TARGET_C = 5.0
GUARD = "safety/guard"
CROWDED_KW = 0.25  # of a phase or the import
ABOVE_DWELL = ("breaker", "overheat")
_EPS = 1e-6


class WithinLimits(Law):
    """No write outside limits: known device, sane values, a reason, a lease of the right length."""

    name = "write within limits"

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at the values of an order."""
        command = wrote.command
        if not command.reason:
            self.accuse(wrote.at_s, f"{device_of(command)}: no reason given")
        lease_s = command.lease_until_s - command.at_s
        if not 0.0 < lease_s <= LONGEST_LEASE_S + _EPS:
            self.accuse(wrote.at_s, f"{device_of(command)}: a lease of {lease_s:g} s")
        match command:
            case SetHeating():
                self._heating(wrote.at_s, command)
            case SetBatteryMode():
                self._battery(wrote.at_s, command)
            case SetExport():
                pass
            case SetLoad(load=load):
                if load not in {each.name for each in self.house.loads}:
                    self.accuse(wrote.at_s, f"there is no load {load!r}")

    def _heating(self, at_s: float, command: SetHeating) -> None:
        if command.relay not in self.notes.relays:
            self.accuse(at_s, f"there is no relay {command.relay!r}")
        target_c = command.target_temp_c
        if target_c is None:
            return
        if not LOWEST_TARGET_C <= target_c <= self.house.limits.ceiling_c:
            self.accuse(at_s, f"relay/{command.relay}: a target of {target_c} °C")

    def _battery(self, at_s: float, command: SetBatteryMode) -> None:
        battery = self.house.battery
        most_kw = {
            BatteryMode.CHARGE_GRID: battery.max_charge_kw,
            BatteryMode.SELL: battery.max_discharge_kw,
        }.get(command.mode, max(battery.max_charge_kw, battery.max_discharge_kw))
        rate_kw, stop = command.rate_kw, command.stop_soc_frac
        if rate_kw is not None and not (isfinite(rate_kw) and 0.0 <= rate_kw <= most_kw + _EPS):
            self.accuse(at_s, f"battery: {command.mode} at {rate_kw} kW of {most_kw:g} kW")
        low, high = battery.min_soc_frac - 1e-3, battery.max_soc_frac + 1e-3
        if stop is not None and not (isfinite(stop) and low <= stop <= high):
            self.accuse(at_s, f"battery: {command.mode} with a stop SOC of {stop}")


class LivingAuthor(Law):
    """No write from an old epoch, after its author's end, or of an order that has grown old."""

    name = "no write from an old epoch or lease"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._newest: dict[str, int] = {}
        self._over: set[tuple[str, int]] = set()

    def on_life(self, life: Life) -> None:
        """Note who lives and who does not."""
        if life.turn is Turn.READY:
            self._newest[life.path] = max(life.epoch, self._newest.get(life.path, 0))
        elif life.turn is not Turn.PARKED:
            self._over.add((life.path, life.epoch))

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at who writes, and how old the order is."""
        device, who = device_of(wrote.command), f"{wrote.author} epoch {wrote.epoch}"
        newest = self._newest.get(wrote.author, 0)
        if wrote.epoch < newest:
            self.accuse(wrote.at_s, f"{device}: written by {who}, the living one is {newest}")
        self._newest[wrote.author] = max(newest, wrote.epoch)
        if (wrote.author, wrote.epoch) in self._over:
            self.accuse(wrote.at_s, f"{device}: written by {who} after its end")
        age_s = wrote.at_s - wrote.command.at_s
        if age_s > OLDEST_ORDER_S + _EPS or wrote.command.lease_until_s <= wrote.at_s:
            self.accuse(wrote.at_s, f"{device}: an order of {age_s:.0f} s ago by {who}")


class OneWriter(Law):
    """One writer per device: its owner, or the guard, and never one against the other."""

    name = "one writer per device"

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at who writes to which device."""
        command, device = wrote.command, device_of(wrote.command)
        owner = _owner(command, device)
        guarding = wrote.author == GUARD and isinstance(command, SetHeating)
        if wrote.author != owner and not guarding:
            self.accuse(wrote.at_s, f"{device} belongs to {owner}, not to {wrote.author}")
        before = self.notes.last.get(device)
        if before is None or before.author in {wrote.author, owner} or guarding:
            return
        if before.command.lease_until_s <= wrote.at_s or not isinstance(command, SetHeating):
            return
        assert isinstance(before.command, SetHeating)
        against = command.on != before.command.on and not command.reason.startswith(ABOVE_DWELL)
        if against and self._still_right(before):
            detail = f"{device}: {wrote.author} undoes what {before.author} ordered"
            self.accuse(wrote.at_s, f"{detail} ({command.reason})")

    def _still_right(self, before: Wrote) -> bool:
        """Whether the danger that the guard acted against is still to be seen."""
        assert isinstance(before.command, SetHeating)
        relay, limits = self.notes.relays[before.command.relay], self.house.limits
        temps = [picture[room] for picture in self.notes.temps_c()[-1:] for room, _ in relay.members
                 if room in picture]  # fmt: skip
        if before.command.on:
            return min(temps, default=99.0) < limits.frost_c
        return max(temps, default=0.0) > limits.ceiling_c


def _owner(command: DeviceCommand, device: str) -> str:
    match command:
        case SetHeating(relay=relay):
            return f"rooms/{relay}"
        case SetLoad(load=load):
            return f"loads/{load}"
        case _:
            return f"devices/{device}"


class NothingUnarmed(Law):
    """Advisory: zero writes to what is not armed."""

    name = "no write to what is not armed"

    def __init__(self, notes: Notes, armed: frozenset[str] | None) -> None:
        super().__init__(notes)
        self._armed = armed

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at whether the device may be written to at all."""
        device = device_of(wrote.command)
        if self._armed is not None and device not in self._armed:
            self.accuse(wrote.at_s, f"{device} was written by {wrote.author}")


class BatterySpared(Law):
    """Mode changes and register writes a day, and the least time in a mode that is not safe.

    A charge from the grid may go over into rest at any time where it leaves no power to spare.
    """

    name = "battery modes within their limits"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._order: tuple[object, ...] = ()
        self._mode = BatteryMode.SELF_USE
        self._since_s = float("-inf")
        self._changes_s: deque[float] = deque()
        self._writes_s: deque[float] = deque()

    def on_wrote(self, wrote: Wrote) -> None:
        """Count what changes; an order that changes nothing wears nothing."""
        command = wrote.command
        if not isinstance(command, SetBatteryMode) or not wrote.reached:
            return
        order = (command.mode, command.rate_kw, command.stop_soc_frac)
        if order == self._order:
            return
        self._order, at_s, inverter = order, wrote.at_s, self.house.inverter
        if _counted(self._writes_s, at_s) > inverter.max_writes_per_day:
            self.accuse(at_s, f"{len(self._writes_s)} register writes within a day")
        if command.mode is self._mode:
            return
        early = at_s - self._since_s < inverter.min_mode_s - _EPS
        if early and not self._may_leave(command.mode):
            self.accuse(at_s, f"{self._mode} for {at_s - self._since_s:.0f} s only")
        self._mode, self._since_s = command.mode, at_s
        safe = command.mode is BatteryMode.SELF_USE
        if _counted(self._changes_s, at_s) > inverter.max_mode_changes_per_day and not safe:
            self.accuse(at_s, f"{len(self._changes_s)} mode changes within a day")

    def _may_leave(self, mode: BatteryMode) -> bool:
        if BatteryMode.SELF_USE in {self._mode, mode}:
            return True
        shed = (self._mode, mode) == (BatteryMode.CHARGE_GRID, BatteryMode.HOLD)
        return shed and was_crowded(self.notes, CROWDED_KW)


def _counted(times_s: deque[float], at_s: float) -> int:
    """Count one more, and those of the last 24 h."""
    times_s.append(at_s)
    while times_s[0] <= at_s - DAY_S:
        times_s.popleft()
    return len(times_s)
