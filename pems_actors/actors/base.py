"""What all actors of the house share: publishing a state, keeping a record, and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pems_actors.control.reconcile import LastOrder, Link, Look
from pems_actors.domain.events import Outcome
from pems_actors.domain.states import DeviceState
from pems_actors.durable.kept import INCIDENTS_OPEN, OpenIncident
from pems_actors.durable.memory import Memory
from supervision import Context, SupervisedActor

GUARD = "safety/guard"
POWER_BUDGET = "safety/power_budget"
BATTERY = "devices/battery"
INVERTER = "devices/inverter"
METER = "devices/meter"
GATEWAY = "devices/gateway"
INSPECTOR = "devices/inspector"
HISTORY = "infrastructure/history"
OUTBOX = "infrastructure/outbox"
MQTT = "infrastructure/mqtt"
CONTROL = "infrastructure/control"
METRICS = "infrastructure/metrics"
WEATHER = "forecasting/weather"
PRICES = "forecasting/prices"
PV = "forecasting/pv"
LOAD = "forecasting/load"
THERMAL = "forecasting/thermal"
LEARNER = "forecasting/learner"
ROOMS = "forecasting/rooms"
ESTIMATOR = "planning/estimator"
PLANNER = "planning/planner"
PLAN_KEEPER = "planning/plan_keeper"
MEMORY = "memory"  # the argument that gives an actor the memory of the house


@cache
def room_address(room: str) -> str:
    """Address of a room's actor."""
    return f"rooms/{room}"


@cache
def load_address(load: str) -> str:
    """Address of a flexible load's actor."""
    return f"loads/{load}"


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows for the history: `(series, at_s, value)`."""

    rows: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A command, decision, plan or incident to be kept for good."""

    kind: str
    at_s: float
    body: Mapping[str, object]


class HouseActor(SupervisedActor):
    """A supervised actor that can publish its state, keep records and remember across restarts."""

    def __init__(self, context: Context) -> None:
        """Take the memory of the house, where one was given (`house.py` does)."""
        super().__init__(context)
        given = context.arguments
        memory = given.get(MEMORY) if isinstance(given, Mapping) else None
        self.memory = memory if isinstance(memory, Memory) else None

    def on_start(self) -> None:
        """Begin with the predecessor's state, or with a first one."""
        if self.state is None:
            self.state = self.first_state()

    def first_state(self) -> Any:
        """Make the state of an actor without a predecessor."""
        return None

    def recall(self) -> Any:
        """What was last remembered here, in this process or an earlier one; None if nothing."""
        memory = self.memory
        return None if memory is None else memory.recall(self.path, self.now_s())

    def remember(self, kept: object) -> None:
        """Keep a value for a successor that finds no state, even after a restart; never waits."""
        memory, now_s = self.memory, self.now_s()
        if memory is not None:
            self.effect(lambda: memory.keep(self.path, kept, now_s))

    def incidents_open(self) -> tuple[OpenIncident, ...] | None:
        """List the incidents of the house that have not ended; None if nobody noted any yet."""
        if self.memory is None:
            return None
        noted: tuple[OpenIncident, ...] | None = self.memory.newest(INCIDENTS_OPEN)
        return noted

    def last_order(self, device: str) -> LastOrder | None:
        """The last order that went out to a device, in this process or an earlier one."""
        memory = self.memory
        return None if memory is None else memory.journal.last(device)

    def watched(self, device: str, order: str, before: Look, after: Look) -> Link:
        """Note a look at a device; what is known of the link to it."""
        memory = self.memory
        if memory is None:
            return Link()
        if after.is_news_after(before):
            self.effect(lambda: memory.journal.watched(device, order, before, after))
        return memory.journal.link(device)

    def claim(self, device: str) -> None:
        """Note that a person is believed to have changed a device, without being sure."""
        memory, now_s = self.memory, self.now_s()
        if memory is not None:
            self.effect(lambda: memory.journal.claimed(device, now_s))

    def publish(self, state: DeviceState) -> None:
        """Tell the world a device's state; the level goes into the heartbeat too."""
        self.tell(METRICS, state)
        self.tell(MQTT, state)

    def answer(self, outcome: Outcome) -> Outcome:
        """Send the one final answer to an order on its way back; also the reply of an ask."""
        self.tell(CONTROL, outcome)
        return outcome

    def keep(self, kind: str, body: Mapping[str, object]) -> None:
        """Keep a record in the history."""
        self.tell(HISTORY, Record(kind, self.now_s(), body))
