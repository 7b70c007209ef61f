"""Laws of charging from the grid: it begins only where it fits, and never blindly.

The inverter draws on all phases alike, and only its order can keep it from too much.
"""

from __future__ import annotations

from math import isfinite

from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.house import BatteryMode
from pems_actors.simulation.invariants.facts import Seen, Truth, Wrote
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import METER_LOST_S, Notes
from pems_actors.simulation.invariants.power import TICK_S, sum_kw, with_relays, worst

BLIND_GRACE_S = METER_LOST_S + 2 * TICK_S
A_LITTLE_KW = 0.1  # by so much a charge may grow at any time
_EPS_KW = 1e-6


def charge_of(wrote: Wrote | None) -> SetBatteryMode | None:
    """Give the order to charge from the grid, if it is one."""
    command = None if wrote is None else wrote.command
    if isinstance(command, SetBatteryMode) and command.mode is BatteryMode.CHARGE_GRID:
        return command
    return None


class ChargeFits(Law):
    """A charge from the grid never begins or grows beyond a limit on the last reading."""

    name = "a grid charge fits"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._gives_kw = 0.0  # the battery, as last shown

    def on_seen(self, seen: Seen) -> None:
        """Note what the battery gives."""
        battery = seen.reading.battery
        if battery is not None and battery.power_kw is not None and isfinite(battery.power_kw):
            self._gives_kw = battery.power_kw

    def on_wrote(self, wrote: Wrote) -> None:
        """Reckon what the house would draw with the whole charge, and with what was just let."""
        command = charge_of(wrote)
        if command is None or not wrote.reached:
            return
        rise_kw = self._rate_kw(command) + self._gives_kw
        seen = self.notes.seen is not None
        if not seen or rise_kw <= A_LITTLE_KW or self._goes_on(wrote.at_s, command):
            return
        meter = self.notes.meter(wrote.at_s)
        if meter is None or meter.grid_kw is None:
            self.accuse(wrote.at_s, f"battery: begins to draw {rise_kw:.2f} kW without a meter")
            return
        added = [self.notes.relays[name] for name in self.notes.on_since(meter.at_s)]
        phases = with_relays(meter.phase_kw or (meter.grid_kw / 3.0,) * 3, added)
        import_kw = meter.grid_kw + sum_kw(added) + rise_kw
        over_kw, limit = worst(self.house, (kw + rise_kw / 3.0 for kw in phases), import_kw, 0.0)
        if over_kw > _EPS_KW:
            detail = f"battery: {rise_kw:.2f} kW more put {limit} {over_kw:.2f} kW over"
            self.accuse(wrote.at_s, f"{detail} ({command.reason})")

    def _goes_on(self, at_s: float, command: SetBatteryMode) -> bool:
        """Whether the order before, still in force, let the battery draw as much already."""
        before = charge_of(self.notes.last.get("battery"))
        if before is None or before.lease_until_s <= at_s:
            return False
        return self._rate_kw(command) <= self._rate_kw(before) + A_LITTLE_KW

    def _rate_kw(self, command: SetBatteryMode) -> float:
        most_kw = self.house.battery.max_charge_kw
        return most_kw if command.rate_kw is None else command.rate_kw


class NoBlindCharge(Law):
    """No charging from the grid while nobody knows what the house draws."""

    name = "no grid charge without a meter"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._known_s: float | None = None

    def on_truth(self, truth: Truth) -> None:
        """Note when the meter was last known."""
        if self._known_s is None or self.notes.meter(truth.at_s) is not None:
            self._known_s = truth.at_s

    def on_wrote(self, wrote: Wrote) -> None:
        """Look at orders to charge."""
        if charge_of(wrote) is None:
            return
        blind_s = wrote.at_s - (self._known_s if self._known_s is not None else wrote.at_s)
        if blind_s > BLIND_GRACE_S:
            self.accuse(wrote.at_s, f"battery: charging from the grid, {blind_s:.0f} s blind")
