"""The power budget's post: requests and meter readings in, grants and sheddings out."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import BATTERY, INSPECTOR, HouseActor, room_address
from pems_actors.control.limits import Headroom
from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.events import (
    EnergyTick,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    Republish,
    Tick,
)
from pems_actors.domain.findings import ClockJumped, OutOfService
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState, Value
from pems_actors.durable.kept import BudgetKept
from supervision import Context

PUBLISH_S = 300.0
LOOKS_S = 90.0  # who asks again is served with the next picture, if they still come
LATE_S = 5.0  # a picture that is due is waited for: nobody starts by the one before it


class PowerBudgetActor(HouseActor):
    """Serves the waiting relays one by one, never two within the start gap."""

    state: PowerBudget

    def __init__(self, context: Context, house: House) -> None:
        super().__init__(context)
        self.house = house
        self.published_s = self.looked_s = float("-inf")
        self.every_s = 0.0  # between the last two pictures
        self.since_s = self.now_s()

    def first_state(self) -> PowerBudget:
        """Begin with nobody running, and ask the owners which of their relays are on."""
        for relay in self.house.relays:
            self.tell(room_address(relay.name), Republish())
        self.tell(INSPECTOR, Republish())
        relays = {relay.name: relay for relay in self.house.relays}
        budget, kept = PowerBudget(self.house.limits, relays), self.recall()
        return budget if kept is None else budget._replace(last_start_s=kept.last_start_s)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case RelayRequest():
                again = message.relay in self.state.waiting and not message.urgent
                self.state = self.state.asked(message)
                if not again or self.now_s() - self.looked_s > LOOKS_S:
                    self._serve()
            case RelaySwitched():
                answered = message.relay == self.state.pledged
                self.state = self.state.switched(
                    message.relay, message.on, message.at_s, message.slack_k, self.now_s()
                )
                if answered:
                    self._serve()
            case EnergyTick():
                self._on_tick(message)
            case OutOfService(dead=dead, welded=welded):
                self.state = self.state.out_of_service(dead, welded)
            case ClockJumped(by_s=by_s):
                self.state = self.state.shifted(by_s)
            case Tick():
                if self.every_s <= self.now_s() - self.looked_s < self.every_s + LATE_S:
                    self.after(LATE_S, Tick())
                else:
                    self._serve()
            case _:
                return super().on_receive(message)
        return None

    def _on_tick(self, tick: EnergyTick) -> None:
        battery = tick.battery
        charging = (
            battery is not None
            and battery.mode is BatteryMode.CHARGE_GRID
            and (battery.power_kw or 0.0) < 0.0
        )
        self.state = self.state.heard(tick.meter, grid_charging=charging)
        spare = self.state.headroom(tick.at_s)
        orders = (*self.state.excess(tick.at_s, spare), *self.state.yields(tick.at_s, spare))
        self.state = self.state.shed(orders, tick.at_s)
        for order in orders:
            address = room_address(order.relay) if isinstance(order, RelayShed) else BATTERY
            self.tell(address, order)
        self.every_s, self.looked_s = tick.at_s - self.looked_s, tick.at_s
        if self.state.waiting:
            self._serve(spare)
        if tick.at_s - self.published_s >= PUBLISH_S:
            self.published_s = tick.at_s
            self._publish(tick.at_s)

    def _serve(self, spare: Headroom | None = None) -> None:
        now_s = self.now_s()
        self.state, grant = self.state.next_grant(now_s, spare)
        if grant is not None:
            self.tell(room_address(grant.relay), grant)
            self.remember(BudgetKept(grant.at_s))
        wait_s = self.state.due(now_s)
        if wait_s is not None and wait_s > 0.0:
            self.after(wait_s, Tick())

    def _publish(self, now_s: float) -> None:
        room = self.state.headroom(now_s)
        values = (
            ("import_headroom_kw", Value(round(room.import_kw, 2), "kW")),
            ("heating_headroom_kw", Value(round(room.heating_kw, 2), "kW")),
            ("phase_headroom_kw", Value(round(min(room.phase_kw), 2), "kW")),
            ("running", Value(len(self.state.running), "")),
            ("waiting", Value(len(self.state.waiting), "")),
            ("refusals", Value(self.state.refusals, "")),
        )
        state = DeviceState(self.path, now_s, Level.PLAN, "limits kept", values, self.since_s)
        self.publish(state)
