"""The guard: a second pair of eyes on frost and overheat that shares no code with the rooms.

It looks only at what was read. A room in danger whose relay stays on the wrong side for two
looks gets an order to its owner; if that does not help for two more, the guard switches itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pems_actors.domain.events import GuardOrder
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading

ORDER_AFTER = 2
ACT_AFTER = 4
ORDER_S = 600.0


@dataclass(frozen=True, slots=True)
class Danger:
    """A relay on the wrong side: since how many looks, which way it should go, and why."""

    looks: int
    on: bool
    reason: str


@dataclass(frozen=True)
class Guard:
    """The dangers seen so far, per relay, and the coldest temperatures expected within 3 h."""

    house: House
    outlook_c: Mapping[str, float] = field(default_factory=dict)
    dangers: Mapping[str, Danger] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()

    def look(
        self, reading: HouseReading
    ) -> tuple[Guard, tuple[GuardOrder, ...], tuple[GuardOrder, ...]]:
        """Look at one picture of the house.

        Returns: the guard, orders for the owners, and orders that the guard carries out itself.
        """
        temps = {r.room: r.temp_c for r in reading.rooms if r.temp_c is not None}
        floors = {r.room: r.floor_c for r in reading.rooms if r.floor_c is not None}
        states = {r.room: r.relay_on for r in reading.rooms}
        dangers: dict[str, Danger] = {}
        for relay in self.house.relays:
            wrong = self._wrong(relay.members, temps, floors)
            if wrong is None or states.get(relay.name) in {wrong[0], None}:
                continue
            if wrong[0] and reading.heating_blocked:
                continue
            before = self.dangers.get(relay.name)
            looks = before.looks + 1 if before is not None and before.on == wrong[0] else 1
            dangers[relay.name] = Danger(looks, *wrong)
        after = replace(self, dangers=dangers, alarms=self._alarms(temps))
        until_s = reading.at_s + ORDER_S
        orders = tuple(
            GuardOrder(name, d.on, d.reason, until_s)
            for name, d in dangers.items()
            if ORDER_AFTER <= d.looks < ACT_AFTER
        )
        acts = tuple(
            GuardOrder(name, d.on, d.reason, until_s)
            for name, d in dangers.items()
            if d.looks >= ACT_AFTER
        )
        return after, orders, acts

    def _wrong(
        self, members: tuple[tuple[str, float], ...], temps: Mapping[str, float],
        floors: Mapping[str, float],
    ) -> tuple[bool, str] | None:  # fmt: skip
        limits = self.house.limits
        for room, _ in members:
            surface_c = self._surface_limit_c(room)
            if temps.get(room, 0.0) > limits.ceiling_c:
                return False, f"guard: {room} at {temps[room]:.1f} °C is over {limits.ceiling_c:g}"
            if floors.get(room, 0.0) > surface_c:
                return False, f"guard: floor of {room} is over {surface_c:g} °C"
        for room, _ in members:
            if temps.get(room, 99.0) < limits.frost_c:
                return True, f"guard: {room} at {temps[room]:.1f} °C is near frost"
            if self.outlook_c.get(room, 99.0) < limits.frost_predicted_c:
                return True, f"guard: {room} would fall under {limits.frost_predicted_c:g} °C"
        return None

    def _surface_limit_c(self, room: str) -> float:
        bath = any(r.bath for r in self.house.rooms if r.name == room)
        return self.house.limits.bath_surface_c if bath else self.house.limits.floor_surface_c

    def _alarms(self, temps: Mapping[str, float]) -> tuple[str, ...]:
        alarm_c = self.house.limits.alarm_c
        return tuple(f"{room} at {t:.1f} °C" for room, t in temps.items() if t < alarm_c)
