"""The guard: a second pair of eyes on frost and overheat that shares no code with the rooms.

It looks only at what was read. A room in danger whose relay stays on the wrong side for two
looks gets an order to its owner; if that does not help for two more, the guard switches itself:
off at once, on one relay a look, and only what the last reading leaves room for.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.control.limits import Headroom, blind_headroom, measured_headroom
from pems_actors.domain.events import GuardOrder
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading

ORDER_AFTER = 2
ACT_AFTER = 4
ORDER_S = 600.0
OUTLOOK_LIFE_S = 3600.0
METER_LOST_S = 180.0


class Danger(NamedTuple):
    """A relay on the wrong side: since how many looks, which way it should go, and why."""

    looks: int
    on: bool
    reason: str


class Guard(NamedTuple):
    """The dangers seen so far, per relay, and the coldest temperatures expected within 3 h."""

    house: House
    outlook_c: Mapping[str, float] = MappingProxyType({})
    dangers: Mapping[str, Danger] = MappingProxyType({})
    alarms: tuple[str, ...] = ()
    outlook_until_s: float = inf

    def look(
        self, reading: HouseReading
    ) -> tuple[Guard, tuple[GuardOrder, ...], tuple[GuardOrder, ...]]:
        """Look at one picture of the house.

        Returns: the guard, orders for the owners, and orders that the guard carries out itself.
        """
        temps = {r.room: r.temp_c for r in reading.rooms if r.temp_c is not None}
        floors = {r.room: r.floor_c for r in reading.rooms if r.floor_c is not None}
        states = {r.room: r.relay_on for r in reading.rooms}
        outlook_c = self.outlook_c if reading.at_s < self.outlook_until_s else {}
        dangers: dict[str, Danger] = {}
        for relay in self.house.relays:
            wrong = self._wrong(relay.members, temps, floors, outlook_c)
            if wrong is None or states.get(relay.name) in {wrong[0], None}:
                continue
            if wrong[0] and reading.heating_blocked:
                continue
            before = self.dangers.get(relay.name)
            looks = before.looks + 1 if before is not None and before.on == wrong[0] else 1
            dangers[relay.name] = Danger(looks, *wrong)
        alarms = self._alarms(temps)
        if not dangers:
            calm = not self.dangers and alarms == self.alarms
            return self if calm else self._replace(dangers=dangers, alarms=alarms), (), ()
        own = {name for name, d in dangers.items() if d.looks >= ACT_AFTER and not d.on}
        start = self._start(dangers, reading)
        if start is not None:
            own.add(start)
            dangers[start] = dangers[start]._replace(looks=0)  # the next one's turn, then again
        after = self._replace(dangers=dangers, alarms=alarms)
        until_s = reading.at_s + ORDER_S
        said = {name: GuardOrder(name, d.on, d.reason, until_s) for name, d in dangers.items()}
        orders = tuple(
            order
            for name, order in said.items()
            if dangers[name].looks >= ORDER_AFTER and name not in own
        )
        acts = tuple(order for name, order in said.items() if name in own)
        return after, orders, acts

    def _start(self, dangers: Mapping[str, Danger], reading: HouseReading) -> str | None:
        """Choose the one relay that the guard itself may switch on now, the longest waiting."""
        due = [name for name, d in dangers.items() if d.on and d.looks >= ACT_AFTER]
        if not due:
            return None
        relays, room = {r.name: r for r in self.house.relays}, self._headroom(reading)
        fitting = [name for name in due if room.carries(relays[name])]
        return max(fitting, key=lambda name: dangers[name].looks, default=None)

    def _headroom(self, reading: HouseReading) -> Headroom:
        closed = {r.room for r in reading.rooms if r.relay_on}
        running = [relay for relay in self.house.relays if relay.name in closed]
        meter, limits = reading.meter, self.house.limits
        if meter is None or meter.grid_kw is None or reading.at_s - meter.at_s > METER_LOST_S:
            return blind_headroom(limits, running)
        heating_kw = sum(relay.power_kw for relay in running)
        return measured_headroom(limits, meter.grid_kw, meter.phase_kw, heating_kw)

    def _wrong(
        self, members: tuple[tuple[str, float], ...], temps: Mapping[str, float],
        floors: Mapping[str, float], outlook_c: Mapping[str, float],
    ) -> tuple[bool, str] | None:  # fmt: skip
        limits = self.house.limits
        for room, _ in members:
            if temps.get(room, 0.0) > limits.ceiling_c:
                return False, f"guard: {room} at {temps[room]:.1f} °C is over {limits.ceiling_c:g}"
            if room in floors and floors[room] > self._surface_limit_c(room):
                return False, f"guard: floor of {room} is over {self._surface_limit_c(room):g} °C"
        for room, _ in members:
            if temps.get(room, 99.0) < limits.frost_c:
                return True, f"guard: {room} at {temps[room]:.1f} °C is near frost"
            if outlook_c.get(room, 99.0) < limits.frost_predicted_c:
                return True, f"guard: {room} would fall under {limits.frost_predicted_c:g} °C"
        return None

    def _surface_limit_c(self, room: str) -> float:
        bath = any(r.bath for r in self.house.rooms if r.name == room)
        return self.house.limits.bath_surface_c if bath else self.house.limits.floor_surface_c

    def _alarms(self, temps: Mapping[str, float]) -> tuple[str, ...]:
        alarm_c = self.house.limits.alarm_c
        return tuple([f"{room} at {t:.1f} °C" for room, t in temps.items() if t < alarm_c])
