"""The guard's post: looks at every picture, orders owners, and switches itself if nobody obeys."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import HouseActor, room_address
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.control.guard import OUTLOOK_LIFE_S, Guard
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.events import FrostOutlook, GuardOrder
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.house import House
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.states import DeviceState, Value
from supervision import Context, Health


class GuardActor(HouseActor):
    """First to start, last to stop: frost and overheat, whatever the rooms do."""

    state: Guard

    def __init__(self, context: Context, house: House, writer: DeviceWriter) -> None:
        super().__init__(context)
        self.house, self.writer = house, writer
        self.told: tuple[object, ...] = ()

    def first_state(self) -> Guard:
        """Begin with nothing known."""
        return Guard(self.house)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case HouseReading():
                self._on_reading(message)
            case FrostOutlook():
                self.state = self.state._replace(
                    outlook_c=message.coldest_c,
                    outlook_until_s=message.at_s + OUTLOOK_LIFE_S,
                )
            case ClockJumped(by_s=by_s):
                until_s = self.state.outlook_until_s + by_s
                self.state = self.state._replace(outlook_until_s=until_s)
            case _:
                return super().on_receive(message)
        return None

    def _on_reading(self, reading: HouseReading) -> None:
        if self.told and all_well(self.state, reading):
            return
        self.state, orders, acts = self.state.look(reading)
        for order in (*orders, *acts):
            self.tell(room_address(order.relay), order)
        for act in acts:
            self._act(act, reading.at_s)
        summary = (self.state.alarms, tuple(sorted(self.state.dangers)))
        if summary != self.told:
            self.told = summary
            self._publish(reading.at_s)

    def _act(self, order: GuardOrder, now_s: float) -> None:
        """Take the relay's lease for the length of the order and switch it."""
        resource, owner = f"relay/{order.relay}", room_address(order.relay)
        gate = self.context.system.gate
        command = SetHeating(order.relay, order.on, order.reason, Level.RULES, now_s, order.until_s)
        gate.grant(resource, self.path)
        try:
            self.effect(lambda: self.writer.apply(command), resource=resource)
        finally:
            gate.grant(resource, owner)

    def _publish(self, now_s: float) -> None:
        alarms, dangers = self.state.alarms, self.state.dangers
        reason = "; ".join((*alarms, *(d.reason for d in dangers.values()))) or "all is well"
        self.health(Health.DEGRADED if alarms or dangers else Health.RUNNING, reason)
        values = (("alarms", Value(len(alarms), "")), ("dangers", Value(len(dangers), "")))
        self.publish(DeviceState(self.path, now_s, Level.PLAN, reason, values, now_s))


def all_well(guard: Guard, reading: HouseReading) -> bool:
    """Tell at a glance that a picture shows no danger, after one that showed none either."""
    limits = guard.house.limits
    if guard.dangers or guard.alarms or guard.outlook_c:
        return False
    low_c, high_c = max(limits.alarm_c, limits.frost_c), limits.ceiling_c
    temps_c = [room.temp_c for room in reading.rooms if room.temp_c is not None]
    measured = [room for room in reading.rooms if room.floor_c is not None]
    return bool(temps_c) and not measured and low_c <= min(temps_c) and max(temps_c) <= high_c
