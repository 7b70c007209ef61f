"""MQTT's post: tells the world the tree, the states, the plan and the incidents; hears orders.

Control never waits for it: a broker that is away costs nothing but silence, and the newest state
of each topic is told again when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from pems_actors.actors.base import CONTROL, HouseActor
from pems_actors.domain.events import Outcome, PlanAdopted, Request, Tick
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import QUARTER_S
from pems_actors.gateways.mqtt_client import Incoming
from pems_actors.gateways.payloads import (
    actor_message,
    heartbeat_message,
    incident_message,
    optimization_message,
    plan_message,
    refusal_message,
    reply_message,
    state_message,
)
from pems_actors.gateways.topics import Dedupe, Topics, parse_control
from pems_actors.gateways.wire import Message, Rejected
from supervision import Context, Health
from supervision.events import IncidentClosed


class Link(Protocol):
    """A connection that publishes without blocking."""

    def start(self) -> None:
        """Begin to connect."""

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Hand a message over; False if it was dropped."""

    def connected(self) -> bool:
        """Tell if the broker is there."""

    def close(self) -> None:
        """Say offline and let go."""


Connect = Callable[[Callable[[Incoming], None]], Link]


class MqttActor(HouseActor):
    """Speaks on the link of the control plane; the house's own devices have another one."""

    def __init__(
        self,
        context: Context,
        link: Link,
        topics: Topics,
        paths: frozenset[str],
        heartbeat_s: float,
        *,
        simulation: bool,
    ) -> None:
        super().__init__(context)
        self.topics, self.paths, self.heartbeat_s = topics, paths, heartbeat_s
        self.link, self.simulation = link, simulation
        self.sequence = 0
        self.told: dict[str, tuple[object, ...]] = {}
        self.seen = Dedupe()

    def on_start(self) -> None:
        """Begin the heartbeat."""
        self.after(self.heartbeat_s, Tick(), process=True)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case DeviceState():
                self._publish(state_message(message, self.topics))
            case PlanAdopted(plan=plan):
                self._publish(plan_message(plan, self.topics))
                next_s = plan.issued_at_s + QUARTER_S
                self._publish(
                    optimization_message(
                        plan, next_s, simulation=self.simulation, topics=self.topics
                    )
                )
            case Outcome():
                self._publish(reply_message(message, message.reply_to, self.topics))
            case IncidentClosed():
                self._publish(self._incident(message))
            case Tick():
                self.after(self.heartbeat_s, Tick(), process=True)
                self._heartbeat()
            case Incoming():
                self._on_arrival(message)
            case _:
                return super().on_receive(message)
        return None

    def _publish(self, message: Message) -> None:
        self.effect(partial(self._send, message))

    def _send(self, message: Message, *, keep: bool = True) -> None:
        self.link.publish(message, keep=keep)

    def _heartbeat(self) -> None:
        tree = self.context.system.tree()
        self.sequence += 1
        beat = heartbeat_message(
            self.sequence, self.now_s(), tree, self.topics, interval_s=self.heartbeat_s
        )
        self.effect(partial(self._send, beat, keep=False))
        for status in tree:
            summary = (status.state, status.reason, status.epoch, status.level)
            if self.told.get(status.path) != summary:
                self.told[status.path] = summary
                self._publish(actor_message(status, self.topics, self.heartbeat_s))
        up = self.link.connected()
        self.health(*((Health.RUNNING, "connected") if up else (Health.DEGRADED, "no broker")))

    def _on_arrival(self, arrival: Incoming) -> None:
        order = parse_control(
            arrival.topic,
            arrival.payload,
            retained=arrival.retained,
            now_s=self.now_s(),
            paths=self.paths,
            topics=self.topics,
        )
        if isinstance(order, Rejected):
            self._publish(refusal_message(order, self.now_s(), self.topics))
        elif self.seen.first(order.id):
            request: Request = order
            self.tell(CONTROL, request)

    def _incident(self, closed: IncidentClosed) -> Message:
        return incident_message(
            closed.cause,
            closed.start_s,
            closed.end_s,
            closed.level,
            path=closed.path,
            topics=self.topics,
        )
