"""MQTT's post: tells the world the tree, the states, the plan and the incidents; hears orders.

Control never waits for it: a broker that is away costs nothing but silence, and the newest state
of each topic is told again when it is back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from pems_actors.actors.base import CONTROL, METRICS, HouseActor
from pems_actors.control.alarm import Outages
from pems_actors.domain.events import (
    AlarmChanged,
    HouseMode,
    ModeChanged,
    Outcome,
    PlanAdopted,
    Republish,
    Request,
    Tick,
    TreeChanged,
)
from pems_actors.domain.plan import Plan
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import QUARTER_S
from pems_actors.gateways.mqtt_queues import Incoming
from pems_actors.gateways.open_orders import OpenOrders
from pems_actors.gateways.payloads import (
    actor_message,
    alarm_message,
    heartbeat_message,
    incident_message,
    optimization_message,
    plan_message,
    state_message,
)
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message
from supervision import Context, Health
from supervision.events import IncidentClosed, IncidentOpened


class Link(Protocol):
    """A connection that publishes without blocking; `counters` tells what it lost."""

    counters: Counter[str]

    def start(self) -> None:
        """Begin to connect."""

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Hand a message over; False if it was dropped."""

    def connected(self) -> bool:
        """Tell if the broker is there."""

    def close(self) -> None:
        """Say offline and let go."""


Connect = Callable[[Callable[[Incoming], None]], Link]


@dataclass(frozen=True, slots=True)
class SoonTick:
    """The tree has changed a moment ago: it is time to tell it out of turn."""


class MqttMind(NamedTuple):
    """What a successor goes on with: last heartbeat's number, open outages, mode."""

    sequence: int = 0
    outages: Outages = Outages()
    mode: HouseMode = HouseMode.NORMAL


class MqttActor(HouseActor):
    """Speaks on the link of the control plane; the house's own devices have another one.

    plan_every_s: when the next plan is due after one.    change_gap_s: a change of the tree is
    told out of turn, at most this often.
    """

    state: MqttMind

    def __init__(
        self,
        context: Context,
        link: Link,
        orders: OpenOrders,
        topics: Topics,
        heartbeat_s: float,
        *,
        simulation: bool,
        plan_every_s: float = QUARTER_S,
        change_gap_s: float = 1.0,
    ) -> None:
        super().__init__(context)
        self.topics, self.heartbeat_s, self.change_gap_s = topics, heartbeat_s, change_gap_s
        self.orders = orders
        self.link, self.simulation, self.plan_every_s = link, simulation, plan_every_s
        self.told: dict[str, tuple[object, ...]] = {}
        self.states: dict[str, DeviceState] = {}
        self.beat_is_due = False

    def on_start(self) -> None:
        """Begin the heartbeat; ask for the mode and the alarm that stand."""
        super().on_start()
        self.after(self.heartbeat_s, Tick(), process=True)
        for address in (CONTROL, METRICS):
            self.tell(address, Republish())

    def first_state(self) -> MqttMind:
        """Begin with nothing known."""
        return MqttMind()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case DeviceState():
                self._on_state(message)
            case PlanAdopted(plan=plan):
                self._on_plan(plan)
            case AlarmChanged():
                self._publish(alarm_message(message, self.topics))
            case IncidentOpened() | IncidentClosed():
                self._on_incident(message)
            case ModeChanged(mode=mode):
                self._on_mode(mode)
            case Tick() | SoonTick() | TreeChanged():
                self._on_beat(message)
            case Request():
                self._let_in(message)
            case Outcome():
                self.effect(partial(self.orders.answer, message))
            case _:
                return super().on_receive(message)
        return None

    def _publish(self, message: Message, *, keep: bool = True) -> None:
        self.effect(partial(self._send, message, keep=keep))

    def _send(self, message: Message, *, keep: bool) -> None:
        self.link.publish(message, keep=keep)

    # --- what the house is and does

    def _on_state(self, state: DeviceState) -> None:
        self.states[state.path] = state
        outages = self.state.outages.heard(state)
        if outages is not self.state.outages:
            self.state = self.state._replace(outages=outages)
        self._publish(state_message(state, self.topics, self.state.mode))

    def _on_mode(self, mode: HouseMode) -> None:
        """Tell every device's state again when its reason now begins or ends with an emergency."""
        before, self.state = self.state.mode, self.state._replace(mode=mode)
        if HouseMode.EMERGENCY in {before, mode} and before is not mode:
            for state in self.states.values():
                self._publish(state_message(state, self.topics, mode))

    def _on_plan(self, plan: Plan) -> None:
        self._publish(plan_message(plan, self.topics))
        next_s = plan.issued_at_s + self.plan_every_s
        self._publish(
            optimization_message(plan, next_s, simulation=self.simulation, topics=self.topics)
        )

    def _on_incident(self, event: IncidentOpened | IncidentClosed) -> None:
        """Tell an outage once, when it is over, with the level that the house fell to meanwhile."""
        outages = self.state.outages
        if isinstance(event, IncidentOpened):
            self.state = self.state._replace(outages=outages.opened(event.id, event.level))
            return
        outages, level = outages.closed(event.id, event.level)
        self.state = self.state._replace(outages=outages)
        self._publish(
            incident_message(
                event.cause,
                event.start_s,
                event.end_s,
                level,
                path=event.path,
                topics=self.topics,
            )
        )

    # --- the heartbeat

    def _on_beat(self, cause: Tick | SoonTick | TreeChanged) -> None:
        """Beat in turn, and out of turn soon after a change, but not for each of many."""
        match cause:
            case Tick():
                self.after(self.heartbeat_s, Tick(), process=True)
                self._beat()
            case SoonTick():
                self.beat_is_due = False
                self._beat()
            case TreeChanged() if not self.beat_is_due:
                self.beat_is_due = True
                self.after(self.change_gap_s, SoonTick(), process=True)

    def _beat(self) -> None:
        up = self.link.connected()
        self.health(*((Health.RUNNING, "connected") if up else (Health.DEGRADED, "no broker")))
        tree = self.context.system.tree()
        self.state = self.state._replace(sequence=self.state.sequence + 1)
        beat = heartbeat_message(
            self.state.sequence, self.now_s(), tree, self.topics, interval_s=self.heartbeat_s
        )
        self._publish(beat, keep=False)
        for status in tree:
            summary = (status.state, status.reason, status.epoch, status.level)
            if self.told.get(status.path) != summary:
                self.told[status.path] = summary
                self._publish(actor_message(status, self.topics, self.heartbeat_s))

    def _let_in(self, order: Request) -> None:
        """Hand an order on, as the door has read it, unless it has waited too long for that."""
        if self.orders.waits(order) and not self.tell(CONTROL, order):
            self.effect(partial(self.orders.refuse, order))
