"""Laws of the true house: frost, room ceiling, floor surface, state of charge, leased modes."""

from __future__ import annotations

from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.house import BatteryMode
from pems_actors.simulation.invariants.facts import Truth
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes

DEAD_FOR_S = 12 * 3600.0  # so long a room may still suffer from a dead actuator
HEATS_ON_S = 300.0
_MARGIN_K = 0.3
_SOC_MARGIN = 0.005
_GRACE_S = 120.0


class RoomLimits(Law):
    """No room under its floor, none heated over its ceiling, no floor surface over its limit.

    Rooms whose actuator is dead are left out: welded or broken contacts, orders that get lost, and
    what is not armed.
    """

    name = "room limits"

    def __init__(self, notes: Notes, armed: frozenset[str] | None) -> None:
        super().__init__(notes)
        self._armed = armed
        self._owners = {room.name: notes.house.relay_of(room.name) for room in notes.house.rooms}
        self._baths = {room.name for room in notes.house.rooms if room.bath}
        self._hot_since_s: dict[tuple[str, str], float] = {}
        self._told: set[tuple[str, str]] = set()

    def on_truth(self, truth: Truth) -> None:
        """Look at every room that can be heated and obeys."""
        limits = self.house.limits
        for room, air_c in truth.air_c.items():
            relay = self._owners[room]
            if relay is None or self._is_dead(relay.name, truth):
                continue
            if air_c < limits.building_floor_c - _MARGIN_K:
                self._once(truth.at_s, room, f"{room} is at {air_c:.1f} °C", "cold")
            heats = truth.closed[relay.name]
            self._hot(truth, room, "air", air_c - limits.ceiling_c, heats=heats)
            surface_c = truth.surface_c.get(room)
            if surface_c is not None:
                bath = room in self._baths
                most_c = limits.bath_surface_c if bath else limits.floor_surface_c
                self._hot(truth, room, "floor surface", surface_c - most_c, heats=heats)

    def _hot(self, truth: Truth, room: str, what: str, over_k: float, *, heats: bool) -> None:
        key = (room, what)
        if not heats or over_k <= _MARGIN_K:
            self._hot_since_s.pop(key, None)
            return
        since_s = self._hot_since_s.setdefault(key, truth.at_s)
        if truth.at_s - since_s >= HEATS_ON_S:
            self._once(
                truth.at_s, room, f"{what} of {room} is {over_k:.1f} K over and heated", what
            )

    def _once(self, at_s: float, room: str, detail: str, what: str) -> None:
        if (room, what) not in self._told:
            self._told.add((room, what))
            self.accuse(at_s, detail)

    def _is_dead(self, relay: str, truth: Truth) -> bool:
        device, notes = f"relay/{relay}", self.notes
        if self._armed is not None and device not in self._armed:
            return True
        lost = notes.is_broken("house-deaf", truth.at_s, DEAD_FOR_S)
        return lost or relay in truth.stuck or notes.was_broken(device, truth.at_s, DEAD_FOR_S)


class SocWindow(Law):
    """The battery stays within its window."""

    name = "state of charge within its window"

    def on_truth(self, truth: Truth) -> None:
        """Look at the true state of charge."""
        battery = self.house.battery
        low, high = battery.min_soc_frac - _SOC_MARGIN, battery.max_soc_frac + _SOC_MARGIN
        if battery.capacity_kwh > 0.0 and not low <= truth.soc_frac <= high:
            self.accuse(truth.at_s, f"state of charge {truth.soc_frac:.3f}")


class NoModeOutlivesItsLease(Law):
    """No forced battery mode is older than the lease of the order behind it."""

    name = "no forced mode older than its lease"

    def on_truth(self, truth: Truth) -> None:
        """Look at the mode that the inverter is really in."""
        if truth.mode is BatteryMode.SELF_USE or truth.deaf:
            return
        before = self.notes.last.get("battery")
        if before is None or not isinstance(before.command, SetBatteryMode):
            self.accuse(truth.at_s, f"battery in {truth.mode} that nobody ordered")
        elif truth.at_s > before.command.lease_until_s + _GRACE_S:
            late_s = truth.at_s - before.command.lease_until_s
            self.accuse(truth.at_s, f"battery in {truth.mode}, {late_s:.0f} s after its lease")
