"""The appliance: the tree of the house on a runtime, with its doors open.

Opens the doors, gives each device its one writer, starts the tree, and stops all of it in reverse.
What comes in at the doors is handed over; what happens is recorded by `record.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pems_actors.actors.base import (
    BATTERY,
    CONTROL,
    GATEWAY,
    INVERTER,
    MQTT,
    load_address,
    room_address,
)
from pems_actors.actors.control import Reply, SocketRequest
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading
from pems_actors.durable.incident_book import IncidentBook
from pems_actors.durable.kept import INCIDENTS_OPEN
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.mqtt_queues import Incoming
from pems_actors.gateways.open_orders import OpenOrders
from pems_actors.gateways.order_door import OrderDoor
from pems_actors.gateways.payloads import refusal_message
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Rejected
from pems_actors.house import HouseTree, actor_paths
from pems_actors.record import HouseRecord
from pems_actors.surroundings import Pace, Surroundings, nothing
from supervision import ActorSystem, Event
from supervision.runtimes import Runtime


class Appliance:
    """The running appliance: tree, write gate and record of everything that happened."""

    def __init__(
        self,
        house: House,
        tariff: Tariff,
        surroundings: Surroundings,
        pace: Pace,
        runtime: Runtime,
        *,
        topics: Topics | None = None,
        log: Callable[[str], None] = nothing,
        watch: Callable[[Event], None] = nothing,
        drills: bool = False,
        first_epoch: int = 1,
    ) -> None:
        self.house, self.pace, self.surroundings = house, pace, surroundings
        self.topics = topics or Topics()
        self.record = HouseRecord(log, watch, IncidentBook(surroundings.memory))
        self.writer = DeviceWriter(
            surroundings.port,
            self.record.command,
            surroundings.armed,
            journal=surroundings.memory.journal,
        )
        self.system = ActorSystem(
            runtime, on_event=self.record.event, drills=drills, first_epoch=first_epoch
        )
        self.record.system = self.system
        paths = actor_paths(house, learning=pace.learning is not None)
        runtime = self.system.runtime
        self.door = OrderDoor(self.topics, paths, runtime.now_s, runtime.process_s)
        self.link = surroundings.connect(self._on_arrival)
        self.orders = OpenOrders(self.topics, self.link.publish, runtime.now_s, runtime.call_later)
        self.tree = HouseTree(
            house,
            tariff,
            surroundings,
            pace,
            self.writer,
            self.link,
            self.orders,
            self.topics,
            self.record.chronicle,
            self.edge_counters,
        )

    def start(self) -> None:
        """Take the doors, give each device its one writer, start the tree, safety first.

        Raises: whatever the control socket raises, such as when the state directory is in use.
        """
        if self.surroundings.server is not None:
            self.surroundings.server.start(self._on_request)
        gate = self.system.gate
        for relay in self.house.relays:
            gate.grant(f"relay/{relay.name}", room_address(relay.name))
        for load in self.house.loads:
            gate.grant(f"load/{load.name}", load_address(load.name))
        gate.grant("battery", BATTERY)
        gate.grant("inverter", INVERTER)
        memory, runtime = self.surroundings.memory, self.system.runtime
        memory.attach(runtime.call_later, runtime.process_s)
        memory.load((*actor_paths(self.house), INCIDENTS_OPEN), runtime.now_s())
        self.record.book.begin(runtime.now_s())
        self.system.start(self.tree.spec())
        self.record.close_incidents_left_open()
        memory.listen(self.record.state_problem)
        self.link.start()
        self.surroundings.port.subscribe(self._on_reading)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop the tree in reverse, then close the doors."""
        self.system.stop(timeout_s)
        self.surroundings.memory.close()
        if self.surroundings.server is not None:
            self.surroundings.server.close()
        self.link.close()
        self.surroundings.port.close()
        self.surroundings.store.close()

    def edge_counters(self) -> dict[str, int]:
        """Count what came from the broker and what became of it."""
        return {**self.link.counters, **self.door.counters}

    def _on_arrival(self, arrival: Incoming) -> None:
        """Read an order before it may wait anywhere; called from the connection's own thread."""
        order = self.door.judge(arrival)
        if isinstance(order, Rejected):
            now_s = self.system.runtime.now_s()
            self.link.publish(refusal_message(order, now_s, self.topics))
        elif order is not None:
            self.orders.begin(order, partial(self.system.tell, MQTT))

    def _on_reading(self, reading: HouseReading) -> None:
        self.system.tell(GATEWAY, reading)

    def _on_request(self, body: dict[str, Any], reply: Reply) -> None:
        if not self.system.tell(CONTROL, SocketRequest(body, reply)):
            said = {"id": body.get("id"), "outcome": "failed"}
            reply({**said, "reason": "the house takes no orders just now; ask again in a moment"})
